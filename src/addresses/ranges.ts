// The address ranges that are known to belong to the cluster: what tells UNASSIGNED from EXTERNAL from UNKNOWN.
//
// Sources: the nodes' pod CIDRs, ServiceCIDR objects and configured ranges. A range stays known for the retention after
// its last object is gone, so that a node being replaced does not turn its addresses EXTERNAL. Whoever does not know
// all ranges cannot call an address outside: that takes the ranges of pods and of services, or configured ones. The
// address families are told apart: whoever knows only IPv4 ranges can say nothing about an IPv6 address.

import { BlockList } from 'node:net';
import { familyOf, type IpFamily, parseCidr } from '../model/cidr.ts';

export type RangeVerdict = 'inside' | 'outside' | 'unknown';

/** Whose addresses a range is for. */
export type RangePurpose = 'pods' | 'services';

interface KnownRange {
  readonly cidr: string;
  readonly purpose: RangePurpose | 'configured';
  /** Objects that have it now, by uid; `undefined` for a configured range, which is never forgotten. */
  readonly holders: Set<string> | undefined;
  lastHeldMs: number;
}

/** The ranges of one family in the form that checks are made against; made anew after a change, which is rare. */
interface CompiledRanges {
  readonly list: BlockList;
  readonly purposes: ReadonlySet<KnownRange['purpose']>;
}

export class ClusterRanges {
  readonly #known = new Map<string, KnownRange>();
  readonly #retentionMs: number;
  #compiled: Readonly<Record<IpFamily, CompiledRanges>> | undefined;

  constructor(options: { readonly configured: readonly string[]; readonly retentionMs: number }) {
    this.#retentionMs = options.retentionMs;
    for (const cidr of options.configured) {
      if (parseCidr(cidr) === undefined) throw new Error(`not an address range: ${cidr}`);
      const range: KnownRange = {
        cidr,
        purpose: 'configured',
        holders: undefined,
        lastHeldMs: Number.POSITIVE_INFINITY,
      };
      this.#known.set(cidr, range);
    }
  }

  /** An object has these ranges now; what is none is left out. */
  hold(purpose: RangePurpose, uid: string, cidrs: readonly string[], nowMs: number): void {
    for (const cidr of cidrs) {
      const known = this.#known.get(`${purpose} ${cidr}`);
      if (known !== undefined) {
        known.holders?.add(uid);
        continue;
      }
      if (parseCidr(cidr) === undefined) continue;
      this.#known.set(`${purpose} ${cidr}`, { cidr, purpose, holders: new Set([uid]), lastHeldMs: nowMs });
      this.#compiled = undefined;
    }
  }

  /** The object does not have these ranges any more. */
  release(purpose: RangePurpose, uid: string, cidrs: readonly string[], nowMs: number): void {
    for (const cidr of cidrs) {
      const known = this.#known.get(`${purpose} ${cidr}`);
      if (known?.holders?.delete(uid) && known.holders.size === 0) known.lastHeldMs = nowMs;
    }
  }

  /** Forgets ranges that nobody has had for the retention. */
  expire(nowMs: number): void {
    for (const [key, known] of this.#known) {
      if (known.holders?.size === 0 && known.lastHeldMs + this.#retentionMs < nowMs) {
        this.#known.delete(key);
        this.#compiled = undefined;
      }
    }
  }

  /** Where a canonical address lies. */
  verdict(address: string): RangeVerdict {
    this.#compiled ??= this.#compile();
    const family = familyOf(address);
    const { list, purposes } = this.#compiled[family];
    if (purposes.size > 0 && list.check(address, family)) return 'inside';
    // Services may have addresses of one family only, pods' ranges tell of which families the cluster is.
    const knowsServices = this.#compiled.ipv4.purposes.has('services') || this.#compiled.ipv6.purposes.has('services');
    return purposes.has('configured') || (purposes.has('pods') && knowsServices) ? 'outside' : 'unknown';
  }

  #compile(): Readonly<Record<IpFamily, CompiledRanges>> {
    return { ipv4: this.#compileFamily('ipv4'), ipv6: this.#compileFamily('ipv6') };
  }

  #compileFamily(family: IpFamily): CompiledRanges {
    const list = new BlockList();
    const purposes = new Set<KnownRange['purpose']>();
    for (const { cidr, purpose } of this.#known.values()) {
      const range = parseCidr(cidr);
      if (range?.family !== family) continue;
      list.addSubnet(range.network, range.prefixLength, family);
      purposes.add(purpose);
    }
    return { list, purposes };
  }
}
