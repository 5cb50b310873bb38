// Asks name servers over the network, by node:dns (c-ares): absolute names, without search domains and hosts files,
// with the TTL of each address. A name that does not exist, or has no such addresses, counts as an answer; everything
// else is a failure.

import { promises } from 'node:dns';
import type { ResolveName } from './balancer-names.ts';

/** With two tries: at most 6 s. */
const TIMEOUT_MS = 2_000;
const TRIES = 2;

/** Codes of c-ares for NXDOMAIN, and for no record of the type. */
const NO_ADDRESSES = new Set(['ENOTFOUND', 'ENODATA']);

export interface DnsClient {
  readonly resolve: ResolveName;
  /** Questions that are open fail. */
  close(): void;
}

/** `servers`: `10.96.0.10`, `[fd00::a]:53`; empty: those that the system is configured with. */
export function createDnsClient(servers: readonly string[]): DnsClient {
  const resolver = new promises.Resolver({ timeout: TIMEOUT_MS, tries: TRIES });
  if (servers.length > 0) resolver.setServers([...servers]);
  return {
    resolve: async (name, family) => {
      const asked = family === 4 ? resolver.resolve4(name, { ttl: true }) : resolver.resolve6(name, { ttl: true });
      try {
        return { addresses: (await asked).map(({ address, ttl }) => ({ address, ttlSeconds: ttl })) };
      } catch (error) {
        if (NO_ADDRESSES.has((error as { code?: string }).code ?? '')) return { addresses: [] };
        throw error;
      }
    },
    close: () => resolver.cancel(),
  };
}
