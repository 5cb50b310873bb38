// Who a call is counted on, where callers have limits of their own: the user or the name that authentication found,
// else the address that it comes from. A caller is not a connection: it may have many, and a new one is not a new
// caller.
//
// An IPv6 address counts as its /64: that is what one machine is given, and it may use every address in it. An IPv4
// address is the same caller whether it comes as such or mapped into IPv6. Behind a proxy that hides addresses all
// callers are one, unless they are authenticated.

/** `address:10.244.1.7`, `address:fd00:0:0:1::/64`; from the remote address of a socket. */
export function callerAt(remoteAddress: string): string {
  return `address:${sourceOf(remoteAddress)}`;
}

/** What connections from an address are counted on: `10.244.1.7`, `fd00:0:0:1::/64`. */
export function sourceOf(remoteAddress: string): string {
  if (!remoteAddress.includes(':')) return remoteAddress;
  if (remoteAddress.startsWith(MAPPED) && remoteAddress.includes('.')) return remoteAddress.slice(MAPPED.length);
  // A link-local address means nothing without its link.
  const [address = '', zone] = remoteAddress.split('%');
  const network = firstGroups(address).join(':');
  return zone === undefined ? `${network}::/64` : `${network}::%${zone}/64`;
}

const MAPPED = '::ffff:';

/** The first four groups of an address in any of its forms, without leading zeros. */
function firstGroups(address: string): readonly string[] {
  const [head = '', tail] = address.split('::');
  const groups = head === '' ? [] : head.split(':');
  if (tail !== undefined) {
    const after = tail === '' ? [] : tail.split(':');
    // Two groups where the last 32 bits are written as IPv4.
    const written = groups.length + after.length + (tail.includes('.') ? 1 : 0);
    groups.push(...Array.from({ length: 8 - written }, () => '0'), ...after);
  }
  return groups.slice(0, 4).map((group) => group.replace(/^0+(?=.)/, '').toLowerCase());
}
