// How far the picture may be behind the cluster, from what the reflectors say of themselves.
//
// A watch that is up is fresh however quiet it is: the reflector ends one on which too little is heard. Anything else
// is as stale as the last moment at which it was known to be up to date. A resource that was never synced does not
// count: it is pending, or digger goes without it, and GetStatus says so. While it is not known whether the server that
// came back is that of the same cluster, nothing counts as fresh. Worked out when a status changes, not once per
// lookup.

import { Gauge, type Registry } from '@prometheus-io/client';
import type { ReflectorStatus } from '../kube/reflector/reflector-status.ts';
import { resourceOf } from '../model/source.ts';

export interface FreshnessOptions {
  readonly statuses: () => readonly ReflectorStatus[];
  /** What is heard may be of another cluster, see kube/cluster-uid.ts. */
  readonly isDoubted: () => boolean;
  /** ms since the epoch. */
  readonly now: () => number;
}

/** Age of one resource's picture. */
export interface ResourceAge {
  readonly resource: string;
  readonly lastContactMs: number | undefined;
  /** `undefined` while its watch is up, or before its first list. */
  readonly stalenessMs: number | undefined;
}

export class Freshness {
  readonly #options: FreshnessOptions;
  #blindSinceMs: number | undefined;
  readonly #blindSinceMsOf = new Map<string, number>();
  /** Since when resources were blind as a doubt came up: they are until it is gone. */
  readonly #doubtedSinceMsOf = new Map<string, number>();

  constructor(options: FreshnessOptions) {
    this.#options = options;
  }

  /** To be called when the status of a resource, or the doubt, has changed. */
  update(): void {
    let sinceMs: number | undefined;
    this.#blindSinceMsOf.clear();
    if (!this.#options.isDoubted()) this.#doubtedSinceMsOf.clear();
    for (const status of this.#options.statuses()) {
      const blindSinceMs = this.#blindSince(status);
      if (blindSinceMs === undefined) continue;
      this.#blindSinceMsOf.set(status.resource, blindSinceMs);
      sinceMs = Math.min(sinceMs ?? blindSinceMs, blindSinceMs);
    }
    this.#blindSinceMs = sinceMs;
  }

  #blindSince({ resource, synced, blindSinceMs }: ReflectorStatus): number | undefined {
    if (!synced) return undefined;
    if (!this.#options.isDoubted()) return blindSinceMs;
    const doubtedSinceMs = this.#doubtedSinceMsOf.get(resource) ?? blindSinceMs ?? this.#options.now();
    this.#doubtedSinceMsOf.set(resource, doubtedSinceMs);
    return Math.min(doubtedSinceMs, blindSinceMs ?? doubtedSinceMs);
  }

  /** Since when something may have happened unseen, ms since the epoch; `undefined` while every watch is up. */
  blindSinceMs(): number | undefined {
    return this.#blindSinceMs;
  }

  /** The same for some resources, in whatever namespaces they are watched. */
  blindSinceMsOf(resources: ReadonlySet<string>): number | undefined {
    let sinceMs: number | undefined;
    for (const [resource, ms] of this.#blindSinceMsOf) {
      if (resources.has(resourceOf(resource))) sinceMs = Math.min(sinceMs ?? ms, ms);
    }
    return sinceMs;
  }

  /** Age of the stalest resource; `undefined` while every watch is up. */
  stalenessMs(): number | undefined {
    return this.#blindSinceMs === undefined ? undefined : Math.max(0, this.#options.now() - this.#blindSinceMs);
  }

  /** Every resource by itself. */
  resources(): readonly ResourceAge[] {
    const nowMs = this.#options.now();
    return this.#options.statuses().map(({ resource, lastContactMs }) => {
      const blindSinceMs = this.#blindSinceMsOf.get(resource);
      return {
        resource,
        lastContactMs,
        stalenessMs: blindSinceMs === undefined ? undefined : Math.max(0, nowMs - blindSinceMs),
      };
    });
  }
}

/** Registers the age as a metric, so that an alert can be put on it. */
export function registerFreshnessMetrics(registry: Registry, freshness: Freshness): void {
  new Gauge({
    name: 'digger_staleness_seconds',
    help: 'How far the picture may be behind the cluster; 0 while every watch is up.',
    registers: [registry],
    collect() {
      this.set((freshness.stalenessMs() ?? 0) / 1_000);
    },
  });
}
