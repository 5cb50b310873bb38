// IP addresses in one canonical text form, so that equal addresses are equal strings and can be map keys.
//
// IPv4 is the dotted quad, IPv6 the form of RFC 5952 (lower case, longest run of zeros compressed), and an IPv4-mapped
// IPv6 address (`::ffff:10.0.0.1`, RFC 4291 2.5.5.2) is the IPv4 address it stands for: a dual-stack socket reports
// the same peer either way. Refused: zone suffixes (a link-local address means nothing away from its link), leading
// zeros (`010.0.0.1` is 8.0.0.1 to some parsers), short forms (`10.1`), prefixes and ports.

import { isIP, SocketAddress } from 'node:net';

/** Longest text of an IPv6 address (`ffff:…:255.255.255.255`); longer input is refused before it is looked at. */
const MAX_ADDRESS_LENGTH = 45;

const MAPPED_PREFIX = '::ffff:';

/** The canonical form of `text`, or `undefined` when it is not an IP address. Never throws, whatever the input. */
export function parseIp(text: string): string | undefined {
  if (text.length > MAX_ADDRESS_LENGTH) return undefined;
  switch (isIP(text)) {
    case 4:
      return text;
    case 6: {
      if (text.includes('%')) return undefined;
      const canonical = new SocketAddress({ address: text, family: 'ipv6' }).address;
      if (canonical.startsWith(MAPPED_PREFIX)) {
        const tail = canonical.slice(MAPPED_PREFIX.length);
        if (isIP(tail) === 4) return tail;
      }
      return canonical;
    }
    default:
      return undefined;
  }
}

/** Canonical forms of the entries of `texts` that are IP addresses, in order, each once; other entries are left out. */
export function canonicalIps(texts: readonly string[]): readonly string[] {
  if (texts.length === 0) return NONE;
  const found: string[] = [];
  for (const text of texts) {
    const ip = parseIp(text);
    if (ip !== undefined && !found.includes(ip)) found.push(ip);
  }
  return found;
}

const NONE: readonly string[] = Object.freeze([]);
