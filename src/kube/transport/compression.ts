// Whether lists are asked for with gzip: it costs the API server processor time and spares the network, and both ends
// the encryption of twelve times as many bytes (docs/decisions/gzip-for-lists.md has the measurements).

import { isIP } from 'node:net';

/** See `--cluster-compression`. */
export type Compression = 'auto' | 'on' | 'off';

/** `server`: the URL of the API server. */
export function asksForGzip(compression: Compression, server: string): boolean {
  switch (compression) {
    case 'on':
      return true;
    case 'off':
      return false;
    case 'auto':
      return !isThisMachine(new URL(server).hostname);
  }
}

function isThisMachine(hostname: string): boolean {
  const address = hostname.replace(/^\[(.*)\]$/, '$1');
  if (isIP(address) === 4) return address.startsWith('127.');
  return address === '::1' || address === 'localhost';
}
