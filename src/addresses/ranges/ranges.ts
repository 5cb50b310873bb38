// The address ranges that are known to belong to the cluster: what tells UNASSIGNED from EXTERNAL from UNKNOWN.
//
// Sources: the nodes' pod CIDRs, ServiceCIDR objects and configured ranges. A range stays known for the retention after
// its last object is gone, so that a node being replaced does not turn its addresses EXTERNAL. Without all ranges no
// address can be called outside: that takes a range of pods that a node has now and one of services, or a configured
// one, and no pod outside of them. The address families are told apart: IPv4 ranges say nothing about an IPv6 address.

import { type Cidr, type IpFamily, parseCidr } from '../../model/ip/cidr.ts';
import { PodsOutsideRanges } from './pods-outside-ranges.ts';
import { Prefixes } from '../../timelines/prefixes.ts';

/** Whose addresses a range is for. */
export type RangePurpose = 'pods' | 'services';

interface KnownRange {
  readonly cidr: Cidr;
  readonly purpose: RangePurpose | 'configured';
  /** Objects that have it now, by uid; `undefined` for a configured range, which is never forgotten. */
  readonly holders: Set<string> | undefined;
  lastHeldMs: number;
}

/** A range that is known because an object had it. */
export interface FormerRange {
  readonly purpose: RangePurpose;
  /** As the object wrote it. */
  readonly range: string;
  readonly lastHeldMs: number;
}

export class ClusterRanges {
  /** Addresses of pods that no range of pods explains, and none that is configured. */
  readonly podsOutside: PodsOutsideRanges;
  readonly #known = new Map<string, KnownRange>();
  readonly #prefixes: Readonly<Record<KnownRange['purpose'], Prefixes>> = {
    pods: new Prefixes(),
    services: new Prefixes(),
    configured: new Prefixes(),
  };
  /** Ranges of pods that nodes have now. */
  readonly #held: Record<IpFamily, number> = { ipv4: 0, ipv6: 0 };
  readonly #retentionMs: number;
  /** For how many purposes a text is known. */
  readonly #texts = new Map<string, number>();
  #listener: ((range: string, isKnown: boolean) => void) | undefined;

  constructor(options: { readonly configured: readonly string[]; readonly retentionMs: number }) {
    this.#retentionMs = options.retentionMs;
    const { pods, configured } = this.#prefixes;
    this.podsOutside = new PodsOutsideRanges((address) => pods.contain(address) || configured.contain(address));
    for (const text of options.configured) {
      const cidr = parseCidr(text);
      if (cidr === undefined) throw new Error(`not an address range: ${text}`);
      this.#add(text, text, { cidr, purpose: 'configured', holders: undefined, lastHeldMs: Number.POSITIVE_INFINITY });
    }
  }

  /** Called with the text of every range that is known, and when one is known no longer. */
  onKnown(listener: (range: string, isKnown: boolean) => void): void {
    this.#listener = listener;
    for (const text of this.#texts.keys()) listener(text, true);
  }

  /** An object has these ranges now; text that is not a range is left out. */
  hold(purpose: RangePurpose, uid: string, cidrs: readonly string[], nowMs: number): void {
    for (const text of cidrs) {
      const key = `${purpose} ${text}`;
      const known = this.#known.get(key);
      if (known !== undefined) {
        this.#count(known, () => known.holders?.add(uid));
        continue;
      }
      const cidr = parseCidr(text);
      if (cidr === undefined) continue;
      const range: KnownRange = { cidr, purpose, holders: new Set(), lastHeldMs: nowMs };
      this.#add(key, text, range);
      this.#count(range, () => range.holders?.add(uid));
      this.podsOutside.rangeCame();
    }
  }

  /** The object does not have these ranges any more. */
  release(purpose: RangePurpose, uid: string, cidrs: readonly string[], nowMs: number): void {
    for (const cidr of cidrs) {
      const known = this.#known.get(`${purpose} ${cidr}`);
      if (known?.holders?.has(uid) !== true) continue;
      this.#count(known, () => known.holders?.delete(uid));
      if (known.holders.size === 0) known.lastHeldMs = nowMs;
    }
  }

  /** Those that no object has now. */
  *former(): Generator<FormerRange> {
    for (const [key, { purpose, holders, lastHeldMs }] of this.#known) {
      if (purpose === 'configured' || holders === undefined || holders.size > 0) continue;
      yield { purpose, range: key.slice(purpose.length + 1), lastHeldMs };
    }
  }

  /** An object had the range before this process began. Text that is not a range is left out. */
  inherit({ purpose, range, lastHeldMs }: FormerRange): void {
    const key = `${purpose} ${range}`;
    const known = this.#known.get(key);
    if (known !== undefined) {
      known.lastHeldMs = Math.max(known.lastHeldMs, lastHeldMs);
      return;
    }
    const cidr = parseCidr(range);
    if (cidr === undefined) return;
    this.#add(key, range, { cidr, purpose, holders: new Set(), lastHeldMs });
    this.podsOutside.rangeCame();
  }

  /** Forgets ranges that no object has had for the retention. */
  expire(nowMs: number): void {
    for (const [key, known] of this.#known) {
      if (known.holders?.size === 0 && known.lastHeldMs + this.#retentionMs < nowMs) {
        this.#known.delete(key);
        this.#forgetText(key.slice(known.purpose.length + 1));
        this.#prefixes[known.purpose].delete(known.cidr);
      }
    }
  }

  /** Whether a known range contains the canonical address. */
  contain(address: string): boolean {
    const { pods, services, configured } = this.#prefixes;
    return pods.contain(address) || services.contain(address) || configured.contain(address);
  }

  /** Whether what is outside all known ranges is outside of the cluster. */
  areComplete(family: IpFamily): boolean {
    return this.#areAllKnown(family) && !this.podsOutside.any(family);
  }

  #forgetText(text: string): void {
    const count = (this.#texts.get(text) ?? 0) - 1;
    if (count > 0) {
      this.#texts.set(text, count);
      return;
    }
    this.#texts.delete(text);
    this.#listener?.(text, false);
  }

  #areAllKnown(family: IpFamily): boolean {
    const { services, configured } = this.#prefixes;
    // Services may have addresses of one family only, pods' ranges tell of which families the cluster is.
    return configured.has(family) || (this.#held[family] > 0 && (services.has('ipv4') || services.has('ipv6')));
  }

  /** Changes who has the range. */
  #count({ cidr, purpose, holders }: KnownRange, change: () => void): void {
    const before = holders?.size ?? 0;
    change();
    const after = holders?.size ?? 0;
    if (purpose === 'pods') this.#held[cidr.family] += Number(after > 0) - Number(before > 0);
  }

  #add(key: string, text: string, range: KnownRange): void {
    const count = this.#texts.get(text) ?? 0;
    this.#texts.set(text, count + 1);
    if (count === 0) this.#listener?.(text, true);
    this.#known.set(key, range);
    this.#prefixes[range.purpose].add(range.cidr);
  }
}
