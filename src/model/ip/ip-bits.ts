// Addresses as numbers, for what compares prefixes: IPv4 fits a number, IPv6 takes a bigint.
//
// Takes canonical text only (see ip.ts), so that nothing here can fail.

import { familyOf, type IpFamily } from './cidr.ts';

/** Bits of an address. */
export const IP_WIDTH: Readonly<Record<IpFamily, number>> = { ipv4: 32, ipv6: 128 };

/** An IPv4 address as a number, an IPv6 address as a bigint. */
export function toBits(address: string): number | bigint {
  return familyOf(address) === 'ipv4' ? toBits4(address) : toBits6(address);
}

export function toBits4(address: string): number {
  let bits = 0;
  for (const part of address.split('.')) bits = bits * 256 + Number(part);
  return bits;
}

export function toBits6(address: string): bigint {
  const [head = '', tail] = address.split('::');
  const before = groupsOf(head);
  const after = tail === undefined ? [] : groupsOf(tail);
  const zeros = Array<number>(8 - before.length - after.length).fill(0);
  let bits = 0n;
  for (const group of [...before, ...zeros, ...after]) bits = (bits << 16n) | BigInt(group);
  return bits;
}

/** The dotted quad, which is canonical. */
export function fromBits4(bits: number): string {
  return [bits >>> 24, (bits >>> 16) & 255, (bits >>> 8) & 255, bits & 255].join('.');
}

/** All eight groups: not canonical, see `parseIp`. */
export function fromBits6(bits: bigint): string {
  const groups = Array.from({ length: 8 }, (_, i) => Number((bits >> BigInt(112 - 16 * i)) & 0xffffn).toString(16));
  return groups.join(':');
}

function groupsOf(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (!group.includes('.')) return [Number.parseInt(group, 16)];
    const bits = toBits4(group);
    return [bits >>> 16, bits & 0xffff];
  });
}
