// Calls that wait until an object with a certain name turns up.
//
// Fed with every batch of changes, it wakes those whose name came or changed; they look for themselves whether it is
// what they want. Workloads are coarser: links of a chain (ReplicaSet, Job) are no entities of the feed and a batch
// does not name them, so a call that waits for a workload is woken by every change of a resource that may be an owner,
// and by every workload that comes with a pod (an owner of which only the pod's reference tells).
// Bounded: beyond `maxWaiters` no further call waits.

import type { ChangeBatch } from '../../model/changes.ts';
import type { Entity } from '../../model/entities.ts';

export interface NameWaiters {
  /**
   * Resolves to `true` when the object behind the key came or changed, or may have; to `false` when the signal aborts
   * first. `undefined` when too many callers are waiting already: answer without waiting.
   */
  waitForName(key: string, signal: AbortSignal): Promise<boolean> | undefined;

  /** Callers that wait now. */
  readonly size: number;

  /** Callers that were told not to wait. */
  readonly refused: number;
}

/** Key of a pod, service, node or namespace. */
export function entityKey(kind: 'Pod' | 'Service' | 'Node' | 'Namespace', namespace: string, name: string): string {
  return `${kind}/${namespace}/${name}`;
}

/** Key of a workload; of one of the core group's kind Pod, that of the pod. */
export function workloadKey(apiGroup: string, kind: string, namespace: string, name: string): string {
  return apiGroup === '' && kind === 'Pod' ? entityKey('Pod', namespace, name) : ANY_WORKLOAD;
}

/** Key of a pod by its uid. */
export function podUidKey(uid: string): string {
  return `uid/${uid}`;
}

/** Key of containers whose ids begin alike, see `containerKey`. */
export function containerWaitKey(key: number): string {
  return `container/${key}`;
}

export class NameWaiterTable implements NameWaiters {
  readonly #maxWaiters: number;
  readonly #waiters = new Map<string, Set<() => void>>();
  #count = 0;
  #refused = 0;

  constructor(maxWaiters: number) {
    this.#maxWaiters = maxWaiters;
  }

  get size(): number {
    return this.#count;
  }

  get refused(): number {
    return this.#refused;
  }

  waitForName(key: string, signal: AbortSignal): Promise<boolean> | undefined {
    if (this.#count >= this.#maxWaiters) {
      this.#refused += 1;
      return undefined;
    }
    if (signal.aborted) return Promise.resolve(false);
    return new Promise((resolve) => {
      const settle = (woken: boolean): void => {
        signal.removeEventListener('abort', abort);
        this.#remove(key, wake);
        resolve(woken);
      };
      const wake = (): void => settle(true);
      const abort = (): void => settle(false);
      signal.addEventListener('abort', abort);
      this.#add(key, wake);
    });
  }

  /** To be called after each source change was applied. Costs nothing while no call waits. */
  onChanges(batch: ChangeBatch): void {
    if (this.#count === 0) return;
    for (const { after } of batch.changes) {
      if (after === undefined) continue;
      this.#wake(keyOf(after));
      if (after.kind === 'Pod') this.#wake(podUidKey(after.uid));
    }
    if (!NEVER_OWNERS.has(batch.position.resource)) this.#wake(ANY_WORKLOAD);
  }

  /** Something with this key came. */
  wake(key: string): void {
    if (this.#count > 0) this.#wake(key);
  }

  #add(key: string, wake: () => void): void {
    const waiting = this.#waiters.get(key);
    if (waiting === undefined) this.#waiters.set(key, new Set([wake]));
    else waiting.add(wake);
    this.#count += 1;
  }

  #remove(key: string, wake: () => void): void {
    const waiting = this.#waiters.get(key);
    if (waiting === undefined || !waiting.delete(wake)) return;
    this.#count -= 1;
    if (waiting.size === 0) this.#waiters.delete(key);
  }

  #wake(key: string): void {
    const waiting = this.#waiters.get(key);
    if (waiting === undefined) return;
    for (const wake of waiting) wake();
  }
}

const ANY_WORKLOAD = 'Workload';

/** Resources that change often and of which no workload is made; nodes report every few seconds. */
const NEVER_OWNERS: ReadonlySet<string> = new Set([
  'pods',
  'services',
  'endpointslices.discovery.k8s.io',
  'endpoints',
  'nodes',
  'namespaces',
]);

function keyOf(entity: Entity): string {
  switch (entity.kind) {
    case 'Pod':
    case 'Service':
    case 'Node':
    case 'Namespace':
      return entityKey(entity.kind, entity.namespace, entity.name);
    case 'Workload':
      return ANY_WORKLOAD;
  }
}
