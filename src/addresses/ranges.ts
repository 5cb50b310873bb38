// The address ranges that are known to belong to the cluster: what tells UNASSIGNED from EXTERNAL from UNKNOWN.
//
// Sources: the nodes' pod CIDRs and configured ranges. A node's range stays known for the retention after the node is
// gone, so that a node being replaced does not turn its addresses EXTERNAL. The address families are told apart: whoever
// knows only IPv4 ranges can say nothing about an IPv6 address.

import { BlockList, isIP } from 'node:net';
import { parseIp } from '../model/ip.ts';

export type RangeVerdict = 'inside' | 'outside' | 'unknown';

interface KnownRange {
  /** Nodes that have it now, by uid; `undefined` for a configured range, which is never forgotten. */
  readonly holders: Set<string> | undefined;
  lastHeldMs: number;
}

/** The same ranges in the form that checks are made against; made anew after a change, which is rare. */
interface CompiledRanges {
  readonly v4: BlockList;
  readonly v6: BlockList;
  readonly has4: boolean;
  readonly has6: boolean;
}

export class ClusterRanges {
  readonly #known = new Map<string, KnownRange>();
  readonly #retentionMs: number;
  #compiled: CompiledRanges | undefined;

  constructor(options: { readonly configured: readonly string[]; readonly retentionMs: number }) {
    this.#retentionMs = options.retentionMs;
    for (const cidr of options.configured) {
      if (parseCidr(cidr) === undefined) throw new Error(`not an address range: ${cidr}`);
      this.#known.set(cidr, { holders: undefined, lastHeldMs: Number.POSITIVE_INFINITY });
    }
  }

  /** A node has these ranges now; what is none is left out. */
  hold(uid: string, cidrs: readonly string[], nowMs: number): void {
    for (const cidr of cidrs) {
      const known = this.#known.get(cidr);
      if (known !== undefined) {
        known.holders?.add(uid);
        continue;
      }
      if (parseCidr(cidr) === undefined) continue;
      this.#known.set(cidr, { holders: new Set([uid]), lastHeldMs: nowMs });
      this.#compiled = undefined;
    }
  }

  /** The node does not have these ranges any more. */
  release(uid: string, cidrs: readonly string[], nowMs: number): void {
    for (const cidr of cidrs) {
      const known = this.#known.get(cidr);
      if (known?.holders?.delete(uid) && known.holders.size === 0) known.lastHeldMs = nowMs;
    }
  }

  /** Forgets ranges that nobody has had for the retention. */
  expire(nowMs: number): void {
    for (const [cidr, known] of this.#known) {
      if (known.holders?.size === 0 && known.lastHeldMs + this.#retentionMs < nowMs) {
        this.#known.delete(cidr);
        this.#compiled = undefined;
      }
    }
  }

  /** Where a canonical address lies. */
  verdict(address: string): RangeVerdict {
    this.#compiled ??= this.#compile();
    const family = isIP(address) === 4 ? 4 : 6;
    const [list, known] =
      family === 4 ? [this.#compiled.v4, this.#compiled.has4] : [this.#compiled.v6, this.#compiled.has6];
    if (!known) return 'unknown';
    return list.check(address, family === 4 ? 'ipv4' : 'ipv6') ? 'inside' : 'outside';
  }

  #compile(): CompiledRanges {
    const v4 = new BlockList();
    const v6 = new BlockList();
    let has4 = false;
    let has6 = false;
    for (const cidr of this.#known.keys()) {
      const range = parseCidr(cidr);
      if (range === undefined) continue;
      if (range.family === 'ipv4') {
        v4.addSubnet(range.network, range.prefixLength, 'ipv4');
        has4 = true;
      } else {
        v6.addSubnet(range.network, range.prefixLength, 'ipv6');
        has6 = true;
      }
    }
    return { v4, v6, has4, has6 };
  }
}

/** `10.0.0.0/8` taken apart, or `undefined` when it is none. */
export function parseCidr(
  text: string,
): { readonly network: string; readonly prefixLength: number; readonly family: 'ipv4' | 'ipv6' } | undefined {
  const slash = text.indexOf('/');
  if (slash === -1) return undefined;
  const network = parseIp(text.slice(0, slash));
  const digits = text.slice(slash + 1);
  if (network === undefined || !/^\d{1,3}$/.test(digits)) return undefined;
  const family = isIP(network) === 4 ? 'ipv4' : 'ipv6';
  const prefixLength = Number(digits);
  if (prefixLength > (family === 'ipv4' ? 32 : 128)) return undefined;
  return { network, prefixLength, family };
}
