// The ranges of one file, asked for the longest prefix that contains an address.
//
// Ranges may contain one another. A question is a look-up for each length of prefix in use, the longest first: about
// thirty in the files of the clouds. (Laid out for a binary search they would have to be sorted, which holds the event
// loop for longer than all the questions of a while.) Of equal ranges the lowest rank counts, then the name that sorts
// first, so that replicas agree. Bounded by the reader of the file.

import type { Cidr, IpFamily } from '../model/ip/cidr.ts';
import { fromBits4, fromBits6, IP_WIDTH, toBits } from '../model/ip/ip-bits.ts';
import { parseIp } from '../model/ip/ip.ts';

/** What a file says of a range. Empty: nothing. */
export interface NetworkName {
  readonly name: string;
  readonly kind: string;
  readonly zone: string;
  readonly region: string;
}

export interface NamedRange {
  readonly cidr: Cidr;
  readonly network: NetworkName;
  /** Of equal ranges the one with the lowest counts. */
  readonly rank: number;
}

export interface FoundRange {
  readonly network: NetworkName;
  readonly prefixLength: number;
  /** `203.0.113.0/24`, canonical. */
  readonly range: string;
}

interface Entry {
  readonly network: NetworkName;
  readonly rank: number;
}

/** Prefixes of one length by their bits. Never by a whole address: V8 hashes a bigint by its last 64 bits alone. */
interface Prefixes {
  readonly length: number;
  readonly entries: Map<number | bigint, Entry>;
}

export class NetworkTable {
  /** The longest first. */
  readonly #byLength: Readonly<Record<IpFamily, Prefixes[]>> = { ipv4: [], ipv6: [] };
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add({ cidr: { network: address, prefixLength, family }, network, rank }: NamedRange): void {
    const { entries } = this.#prefixesOf(family, prefixLength);
    const prefix = prefixOf(toBits(address), prefixLength);
    const there = entries.get(prefix);
    if (there === undefined) this.#size += 1;
    else if (there.rank < rank || (there.rank === rank && there.network.name <= network.name)) return;
    entries.set(prefix, { network, rank });
  }

  /** The longest prefix that contains the (canonical) address. */
  find(address: string): FoundRange | undefined {
    const bits = toBits(address);
    for (const { length, entries } of this.#byLength[typeof bits === 'number' ? 'ipv4' : 'ipv6']) {
      const prefix = prefixOf(bits, length);
      const entry = entries.get(prefix);
      if (entry !== undefined) {
        return { network: entry.network, prefixLength: length, range: rangeText(prefix, length) };
      }
    }
    return undefined;
  }

  #prefixesOf(family: IpFamily, length: number): Prefixes {
    const all = this.#byLength[family];
    let found = all.find((each) => each.length === length);
    if (found === undefined) {
      all.push((found = { length, entries: new Map() }));
      all.sort((a, b) => b.length - a.length);
    }
    return found;
  }
}

function prefixOf(bits: number | bigint, length: number): number | bigint {
  if (typeof bits === 'bigint') return bits >> BigInt(IP_WIDTH.ipv6 - length);
  // A shift by 32 does not shift.
  return length === 0 ? 0 : bits >>> (IP_WIDTH.ipv4 - length);
}

function rangeText(prefix: number | bigint, length: number): string {
  if (typeof prefix === 'number') return `${fromBits4(prefix * 2 ** (IP_WIDTH.ipv4 - length))}/${length}`;
  const address = fromBits6(prefix << BigInt(IP_WIDTH.ipv6 - length));
  return `${parseIp(address) ?? address}/${length}`;
}
