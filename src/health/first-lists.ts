// The lists that the picture waits for before it opens: those of all resources that are required or within reach.
// Readiness names the ones that are not there yet.

import { listCause } from '../kube/list-cause.ts';
import type { ReflectorStatus } from '../kube/reflector/reflector-status.ts';
import type { Readiness } from './readiness.ts';

export class FirstLists {
  readonly #readiness: Pick<Readiness, 'begin' | 'complete'>;
  #areWhole = false;

  constructor(readiness: Pick<Readiness, 'begin' | 'complete'>) {
    this.#readiness = readiness;
  }

  /** All of them are there; stays so. */
  get areWhole(): boolean {
    return this.#areWhole;
  }

  /** To be called when a status has changed. */
  update(statuses: readonly ReflectorStatus[]): void {
    // Kinds of owners that pods tell of from now on are not waited for.
    if (this.#areWhole) return;
    let areMissing = false;
    for (const status of statuses) {
      if (keepsWaiting(status)) {
        areMissing = true;
        this.#readiness.begin(`list ${status.resource}`, listCause(status.message));
      } else this.#readiness.complete(`list ${status.resource}`);
    }
    this.#areWhole = !areMissing;
  }
}

function keepsWaiting({ synced, required, unavailable }: ReflectorStatus): boolean {
  return !synced && (required || !unavailable);
}
