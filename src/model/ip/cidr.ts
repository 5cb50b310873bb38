// Address ranges as Kubernetes and people write them.

import { isIP } from 'node:net';
import { parseIp } from './ip.ts';

export type IpFamily = 'ipv4' | 'ipv6';

/** `10.0.0.0/8` taken apart. `network` is canonical, as written: its host bits need not be zero. */
export interface Cidr {
  readonly network: string;
  readonly prefixLength: number;
  readonly family: IpFamily;
}

/** The range that `text` describes, or `undefined` when it is not a CIDR range. */
export function parseCidr(text: string): Cidr | undefined {
  const slash = text.indexOf('/');
  if (slash === -1) return undefined;
  const network = parseIp(text.slice(0, slash));
  const digits = text.slice(slash + 1);
  if (network === undefined || !/^\d{1,3}$/.test(digits)) return undefined;
  const family = familyOf(network);
  const prefixLength = Number(digits);
  if (prefixLength > (family === 'ipv4' ? 32 : 128)) return undefined;
  return { network, prefixLength, family };
}

/** The family of a canonical address. */
export function familyOf(address: string): IpFamily {
  return isIP(address) === 4 ? 'ipv4' : 'ipv6';
}
