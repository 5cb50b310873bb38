// The ranges of services as ServiceCIDR objects tell them (KEP-1880): a store that a reflector writes to.
//
// They bypass the catalog: no entity is made of them and the feed does not carry them. There are a handful of them at
// most. What vanished is released, and stays known for the retention like every other range.

import type { Observation } from '../../model/observation.ts';
import type { ServiceCidrRecord } from '../../model/kubernetes/records.ts';
import type { ClusterRanges } from './ranges.ts';

export class ServiceRanges {
  readonly #ranges: ClusterRanges;
  readonly #records = new Map<string, ServiceCidrRecord>();

  constructor(ranges: ClusterRanges) {
    this.#ranges = ranges;
  }

  /** Number of objects. */
  get size(): number {
    return this.#records.size;
  }

  beginReplace(): ServiceRangesReplacement {
    const listed = new Map<string, ServiceCidrRecord>();
    return {
      add: (record) => void listed.set(record.name, record),
      commit: async (_resourceVersion, seen) => {
        for (const record of [...this.#records.values()]) {
          if (listed.get(record.name)?.uid !== record.uid) this.remove(record, '', seen);
        }
        for (const record of listed.values()) this.upsert(record, '', seen);
      },
      abort: () => listed.clear(),
    };
  }

  upsert(record: ServiceCidrRecord, _resourceVersion: string, seen: Observation): void {
    const before = this.#records.get(record.name);
    this.#records.set(record.name, record);
    this.#ranges.hold('services', record.uid, record.cidrs, seen.atMs);
    if (before === undefined) return;
    const gone = before.uid === record.uid ? before.cidrs.filter((cidr) => !record.cidrs.includes(cidr)) : before.cidrs;
    this.#ranges.release('services', before.uid, gone, seen.atMs);
  }

  remove({ name, uid }: ServiceCidrRecord, _resourceVersion: string, seen: Observation): void {
    const before = this.#records.get(name);
    if (before?.uid !== uid) return;
    this.#records.delete(name);
    this.#ranges.release('services', uid, before.cidrs, seen.atMs);
  }

  /** Ranges have no versions. */
  bookmark(): void {}
}

export interface ServiceRangesReplacement {
  add(record: ServiceCidrRecord): void;
  commit(resourceVersion: string, seen: Observation): Promise<void>;
  abort(): void;
}
