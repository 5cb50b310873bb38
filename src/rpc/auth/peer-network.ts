// Whom a peer is counted with where nothing else is known of it: its IPv4 address, or the /64 of its IPv6 address,
// because whoever has one address of a /64 has all of them.

import { parseIp } from '../../model/ip.ts';

/** `10.244.1.7` of `10.244.1.7:40312`, `fd00:0:0:1::/64` of `fd00:0:0:1::7:40312`; what is no address as it is. */
export function networkOf(peer: string): string {
  const end = peer.lastIndexOf(':');
  const [host = ''] = (end < 0 ? peer : peer.slice(0, end)).replace(/^\[|\]$/g, '').split('%');
  const address = parseIp(host);
  if (address === undefined) return peer;
  if (!address.includes(':')) return address;
  const [before = '', after] = address.split('::');
  const groups = before === '' ? [] : before.split(':');
  if (after !== undefined) {
    const tail = after === '' ? [] : after.split(':');
    while (groups.length + tail.length < GROUPS) groups.push('0');
  }
  return `${groups.slice(0, PREFIX_GROUPS).join(':')}::/64`;
}

const GROUPS = 8;
const PREFIX_GROUPS = 4;
