// A set of address ranges that is asked whether it contains an address.
//
// Adding and removing a range costs the same however many there are, because every new node brings one; a question
// costs a look-up for each length of prefix in use, of which a cluster has two or three. Ranges are counted: one that
// was added twice stays until it is removed twice.

import { type Cidr, familyOf, type IpFamily } from '../model/ip/cidr.ts';
import { fromBits4, fromBits6, IP_WIDTH, toBits } from '../model/ip/ip-bits.ts';

export class Prefixes {
  /** Length of prefix → its bits → how often it was added. */
  readonly #byLength: Readonly<Record<IpFamily, Map<number, Map<number | bigint, number>>>> = {
    ipv4: new Map(),
    ipv6: new Map(),
  };

  /** Whether there is a range of the family. */
  has(family: IpFamily): boolean {
    return this.#byLength[family].size > 0;
  }

  add({ network, prefixLength, family }: Cidr): void {
    const lengths = this.#byLength[family];
    const counts = lengths.get(prefixLength) ?? new Map<number | bigint, number>();
    lengths.set(prefixLength, counts);
    const prefix = prefixOf(toBits(network), prefixLength, family);
    counts.set(prefix, (counts.get(prefix) ?? 0) + 1);
  }

  /** Of a range that was added. */
  delete({ network, prefixLength, family }: Cidr): void {
    const counts = this.#byLength[family].get(prefixLength);
    const prefix = prefixOf(toBits(network), prefixLength, family);
    const count = (counts?.get(prefix) ?? 0) - 1;
    if (count > 0) counts?.set(prefix, count);
    else counts?.delete(prefix);
    if (counts?.size === 0) this.#byLength[family].delete(prefixLength);
  }

  /** Whether one of the ranges contains the (canonical) address. */
  contain(address: string): boolean {
    const family = familyOf(address);
    const lengths = this.#byLength[family];
    if (lengths.size === 0) return false;
    const bits = toBits(address);
    for (const [length, counts] of lengths) if (counts.has(prefixOf(bits, length, family))) return true;
    return false;
  }
}

/** The first addresses of a range in canonical form: the network's own, and the one after it. */
export function firstAddresses({ network, prefixLength, family }: Cidr): readonly string[] {
  // So short a range is no network: both of its addresses are hosts (RFC 3021, RFC 6164).
  if (prefixLength > IP_WIDTH[family] - 2) return [];
  const bits = toBits(network);
  if (typeof bits === 'number') {
    const start = prefixLength === 0 ? 0 : ((bits >>> (32 - prefixLength)) << (32 - prefixLength)) >>> 0;
    return [fromBits4(start), fromBits4(start + 1)];
  }
  const rest = BigInt(128 - prefixLength);
  const start = (bits >> rest) << rest;
  return [fromBits6(start), fromBits6(start + 1n)];
}

function prefixOf(bits: number | bigint, length: number, family: IpFamily): number | bigint {
  if (typeof bits === 'bigint') return bits >> BigInt(IP_WIDTH[family] - length);
  // A shift by 32 does not shift.
  return length === 0 ? 0 : bits >>> (32 - length);
}
