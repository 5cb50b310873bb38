// Whom an address is counted with where nothing else is known of who it is: an IPv4 address alone, an IPv6 address with
// all of its /64, because a machine that has one address of a /64 can have all of them.

import { parseIp } from './ip.ts';

/** `10.244.1.7`, `fd00:0:0:1::/64`; what is not an address as it is. */
export function networkOf(host: string): string {
  const [withoutZone = ''] = host.split('%');
  const address = parseIp(withoutZone);
  if (address === undefined) return host;
  if (!address.includes(':')) return address;
  const [before = '', after] = address.split('::');
  const groups = before === '' ? [] : before.split(':');
  if (after !== undefined) {
    const tail = after === '' ? [] : after.split(':');
    while (groups.length + tail.length < GROUPS) groups.push('0');
  }
  return `${groups.slice(0, PREFIX_GROUPS).join(':')}::/64`;
}

/** Of a peer as grpc-js names it: `10.244.1.7:40312`, `fd00::7:40312`. */
export function networkOfPeer(peer: string): string {
  const end = peer.lastIndexOf(':');
  return networkOf(end < 0 ? peer : peer.slice(0, end));
}

const GROUPS = 8;
const PREFIX_GROUPS = 4;
