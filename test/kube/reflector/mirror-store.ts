// A store that mirrors what a reflector writes, and remembers the writes, for tests of the watching side.

import type { ClusterStores } from '../../../src/kube/cluster-watch.ts';
import type { Observation } from '../../../src/model/observation.ts';
import type { KubernetesRecord, PodRecord } from '../../../src/model/kubernetes/records.ts';
import type { Replacement, ReflectorStore } from '../../../src/kube/reflector/store.ts';

export interface Write {
  readonly verb: 'replace' | 'upsert' | 'remove' | 'bookmark';
  readonly name: string;
  readonly resourceVersion: string;
  readonly seen: Observation | undefined;
}

export class MirrorStore<R extends KubernetesRecord> implements ReflectorStore<R> {
  readonly records = new Map<string, R>();
  readonly writes: Write[] = [];
  /** Replacements that were begun and neither committed nor aborted. */
  openReplacements = 0;
  aborted = 0;

  beginReplace(): Replacement<R> {
    this.openReplacements += 1;
    const next = new Map<string, R>();
    return {
      add: (record) => void next.set(keyOf(record), record),
      commit: async (resourceVersion, seen) => {
        this.openReplacements -= 1;
        this.records.clear();
        for (const [key, record] of next) this.records.set(key, record);
        this.writes.push({ verb: 'replace', name: '', resourceVersion, seen });
      },
      abort: () => {
        this.openReplacements -= 1;
        this.aborted += 1;
      },
    };
  }

  upsert(record: R, resourceVersion: string, seen: Observation): void {
    this.records.set(keyOf(record), record);
    this.writes.push({ verb: 'upsert', name: record.name, resourceVersion, seen });
  }

  remove(record: R, resourceVersion: string, seen: Observation): void {
    if (this.records.get(keyOf(record))?.uid === record.uid) this.records.delete(keyOf(record));
    this.writes.push({ verb: 'remove', name: record.name, resourceVersion, seen });
  }

  bookmark(resourceVersion: string): void {
    this.writes.push({ verb: 'bookmark', name: '', resourceVersion, seen: undefined });
  }

  names(): readonly string[] {
    return [...this.records.values()].map((record) => record.name).sort();
  }
}

function keyOf(record: KubernetesRecord): string {
  return `${record.namespace}/${record.name}`;
}

/** Stores for a whole cluster of which a test looks at the pods alone. */
export function storesAround(pods: MirrorStore<PodRecord>): ClusterStores {
  return {
    pods: () => pods,
    services: () => new MirrorStore(),
    endpointSlices: () => new MirrorStore(),
    namespaces: () => new MirrorStore(),
    nodes: new MirrorStore(),
    serviceCidrs: new MirrorStore(),
    owners: () => new MirrorStore(),
  };
}
