// Address ranges, and a set of them that answers whether an address lies in one.
//
// A cluster has a range for every node, thousands of them, and most packets of a pipeline have one foot outside. So the
// set is merged (neighbouring node ranges become one) and searched by halving; `net.BlockList` walks its rules one by one.

import { isIP } from 'node:net';
import { parseIp } from './ip.ts';

export type IpFamily = 'ipv4' | 'ipv6';

/** `10.0.0.0/8` taken apart. `network` is canonical, as written: its host bits need not be zero. */
export interface IpRange {
  readonly network: string;
  readonly prefixLength: number;
  readonly family: IpFamily;
}

/** The range that `text` describes, or `undefined` when it is none. */
export function parseCidr(text: string): IpRange | undefined {
  const slash = text.indexOf('/');
  if (slash === -1) return undefined;
  const network = parseIp(text.slice(0, slash));
  const digits = text.slice(slash + 1);
  if (network === undefined || !/^\d{1,3}$/.test(digits)) return undefined;
  const family = familyOf(network);
  const prefixLength = Number(digits);
  if (prefixLength > BITS[family]) return undefined;
  return { network, prefixLength, family };
}

/** The family of a canonical address. */
export function familyOf(address: string): IpFamily {
  return isIP(address) === 4 ? 'ipv4' : 'ipv6';
}

const BITS = { ipv4: 32, ipv6: 128 } as const;

/** Ranges of one family. Immutable. */
export class IpRangeSet {
  /** Parallel, ascending, not overlapping and not touching; both ends inclusive. */
  readonly #firsts: bigint[] = [];
  readonly #lasts: bigint[] = [];

  /** Throws when a range is of another family. */
  constructor(family: IpFamily, ranges: Iterable<IpRange>) {
    const bounds: { first: bigint; last: bigint }[] = [];
    for (const range of ranges) {
      if (range.family !== family) throw new Error(`${range.network} is not ${family}`);
      const size = 1n << BigInt(BITS[family] - range.prefixLength);
      const first = (toNumber(range.network) / size) * size;
      bounds.push({ first, last: first + size - 1n });
    }
    bounds.sort((a, b) => (a.first < b.first ? -1 : a.first > b.first ? 1 : 0));
    for (const { first, last } of bounds) {
      const end = this.#lasts.length - 1;
      const before = this.#lasts[end];
      if (before === undefined || first > before + 1n) {
        this.#firsts.push(first);
        this.#lasts.push(last);
      } else if (last > before) {
        this.#lasts[end] = last;
      }
    }
  }

  /** Ranges left after merging. */
  get size(): number {
    return this.#firsts.length;
  }

  /** Whether a canonical address of this family lies in one of the ranges. */
  includes(address: string): boolean {
    const number = toNumber(address);
    let low = 0;
    let high = this.#firsts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#firsts[middle] ?? 0n) <= number) low = middle + 1;
      else high = middle;
    }
    return low > 0 && number <= (this.#lasts[low - 1] ?? -1n);
  }
}

/** A canonical address as a number. */
function toNumber(address: string): bigint {
  if (!address.includes(':')) {
    let number = 0;
    for (const part of address.split('.')) number = number * 256 + Number(part);
    return BigInt(number);
  }
  const [head = '', tail] = address.split('::');
  const left = toGroups(head);
  const right = tail === undefined ? [] : toGroups(tail);
  const hex = [...left, ...Array.from({ length: 8 - left.length - right.length }, () => '0000'), ...right].join('');
  return BigInt(`0x${hex}`);
}

/** Groups of four hex digits; the dotted tail that some IPv6 addresses keep in canonical form counts as two. */
function toGroups(text: string): string[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (!group.includes('.')) return group.padStart(4, '0');
    const hex = toNumber(group).toString(16).padStart(8, '0');
    return [hex.slice(0, 4), hex.slice(4)];
  });
}
