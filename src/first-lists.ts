// The lists that the picture waits for before it opens: those of all resources that are required or within reach.
// Readiness names the ones that are not there yet. Kinds of owners that pods tell of meanwhile are not waited for.

import { listCause } from './kube/list-cause.ts';
import type { ReflectorStatus } from './kube/reflector/reflector-status.ts';
import { pods } from './kube/resources.ts';
import type { Readiness } from './readiness.ts';

export class FirstLists {
  readonly #readiness: Pick<Readiness, 'begin' | 'complete'>;
  readonly #whole = Promise.withResolvers<boolean>();
  #awaited: ReadonlySet<string> | undefined;
  #missing: readonly string[] = [];
  #isWhole = false;

  constructor(readiness: Pick<Readiness, 'begin' | 'complete'>) {
    this.#readiness = readiness;
  }

  /** All of them are there; stays so. */
  get isWhole(): boolean {
    return this.#isWhole;
  }

  /** The list of pods is by far the longest. */
  get areOnlyPodsMissing(): boolean {
    return this.#missing.length === 1 && this.#missing[0] === pods.resource;
  }

  /** Resolves when all are there; with false when they are given up before that. */
  get whole(): Promise<boolean> {
    return this.#whole.promise;
  }

  /** To be called when a status has changed. */
  update(statuses: readonly ReflectorStatus[]): void {
    if (this.#isWhole) return;
    this.#awaited ??= new Set(statuses.map(({ resource }) => resource));
    const missing: string[] = [];
    for (const status of statuses) {
      const { resource } = status;
      if (!this.#awaited.has(resource)) continue;
      if (keepsWaiting(status)) {
        missing.push(resource);
        this.#readiness.begin(`list ${resource}`, listCause(status.message));
      } else this.#readiness.complete(`list ${resource}`);
    }
    this.#missing = missing;
    this.#isWhole = missing.length === 0;
    if (this.#isWhole) this.#whole.resolve(true);
  }

  giveUp(): void {
    this.#whole.resolve(false);
  }
}

function keepsWaiting({ synced, required, unavailable }: ReflectorStatus): boolean {
  return !synced && (required || !unavailable);
}
