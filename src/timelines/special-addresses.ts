// Addresses that mean something else on every machine, or no single host: unspecified, loopback, link-local,
// multicast, and the broadcast address of IPv4 (RFC 6890, RFC 4291).
//
// They have no place in a cluster: a pod, node or service that reports one does not hold it, and traffic that shows one
// says nothing about who sent it, so it is not EXTERNAL either.

/** Whether the (canonical) address is one of those. */
export function isSpecialAddress(address: string): boolean {
  switch (address.charCodeAt(0)) {
    case ZERO:
      return address === '0.0.0.0';
    case ONE:
      return address.startsWith('127.') || address.startsWith('169.254.');
    case TWO:
      return isMulticast4(address) || address === '255.255.255.255';
    case COLON:
      return address === '::' || address === '::1';
    case LOWER_F:
      // A first group of four digits: fe80::/10, ff00::/8.
      return /^(fe[89ab][0-9a-f]|ff[0-9a-f]{2}):/.test(address);
    default:
      return false;
  }
}

const ZERO = 0x30;
const ONE = 0x31;
const TWO = 0x32;
const COLON = 0x3a;
const LOWER_F = 0x66;

function isMulticast4(address: string): boolean {
  if (address.charCodeAt(3) !== 0x2e) return false;
  const first = Number(address.slice(0, 3));
  return first >= 224 && first <= 239;
}
