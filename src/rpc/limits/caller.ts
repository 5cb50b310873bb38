// Who a call is counted on, where callers have limits of their own: the user or the name that authentication found, else
// the address that it comes from. A caller is no connection: it may have many, and a new one is not a new caller.
//
// Behind a proxy that hides addresses all callers are one, unless they are authenticated.

import type { CallIdentity } from '../auth/authenticator.ts';

/** `user:system:serviceaccount:traffic:sensor`, `uri:spiffe://…`, `dns:…`, or `address:10.244.1.7`. */
export function callerOf(identity: Pick<CallIdentity, 'name' | 'getPeer'>): string {
  return identity.name ?? `address:${addressOf(identity.getPeer())}`;
}

/** The address of a peer (`10.244.1.7:40312`, `fd00::7:40312`), IPv4 in its own form also where it comes mapped. */
function addressOf(peer: string): string {
  const end = peer.lastIndexOf(':');
  const address = end < 0 ? peer : peer.slice(0, end);
  return address.startsWith(MAPPED) && address.includes('.') ? address.slice(MAPPED.length) : address;
}

const MAPPED = '::ffff:';
