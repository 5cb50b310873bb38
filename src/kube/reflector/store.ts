// What a reflector writes to. `kube/` declares it and knows nothing of who implements it.
//
// The reflector promises: writes for one resource never overlap; `upsert` and `remove` are only called between a
// committed replacement and the next one; the version of each write is the newest. The store promises: each call is
// one synchronous step, except `commit`, which may spread a large difference over several turns of the event loop.

import type { Observation } from '../../model/observation.ts';
import type { KubernetesRecord } from '../../model/kubernetes/records.ts';

export interface ReflectorStore<R extends KubernetesRecord> {
  /** A complete picture is coming. Until it is committed the store goes on showing the old one. */
  beginReplace(): Replacement<R>;

  /** ADDED or MODIFIED: add or update by namespace and name; another uid under the same name is delete + create. */
  upsert(record: R, resourceVersion: string, seen: Observation): void;

  /** DELETED, with the last state. Removes only the object with this uid; an unknown one is no error. */
  remove(record: R, resourceVersion: string, seen: Observation): void;

  /** Nothing changed up to this version. */
  bookmark(resourceVersion: string): void;
}

/** Collects the difference to the present picture, so that memory follows what changed and not what exists. */
export interface Replacement<R extends KubernetesRecord> {
  add(record: R): void;

  /** Applies the difference: what vanished is removed, what did not change causes nothing. */
  commit(resourceVersion: string, seen: Observation): Promise<void>;

  /** Forgets what was added. */
  abort(): void;
}
