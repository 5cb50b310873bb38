// Where siblings are: `HOST:PORT`, of which a name means all of its addresses, as a headless Service has one for each
// replica that is ready.

import type { LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';
import type { ListenAddress } from '../model/ip/listen-address.ts';

export interface Sibling {
  /** `10.0.3.7:50051`, `[fd00::7]:50051`. */
  readonly target: string;
  /** The name that it was found by; unset: an address was given. */
  readonly name: string | undefined;
}

export interface FoundSiblings {
  readonly siblings: readonly Sibling[];
  /** What could not be found, and why; each a line. */
  readonly problems: readonly { readonly text: string; readonly isFinal: boolean }[];
}

export type Lookup = (host: string) => Promise<readonly Pick<LookupAddress, 'address' | 'family'>[]>;

/** A name may have the addresses of more replicas; so many are asked. */
export const MAX_SIBLINGS = 16;

const systemLookup: Lookup = (host) => lookup(host, { all: true });

export async function findSiblings(
  places: readonly ListenAddress[],
  resolveName: Lookup = systemLookup,
): Promise<FoundSiblings> {
  const siblings = new Map<string, Sibling>();
  const problems: { text: string; isFinal: boolean }[] = [];
  for (const { host, port } of places) {
    try {
      for (const { address, family } of await resolveName(host)) {
        const target = family === 6 ? `[${address}]:${port}` : `${address}:${port}`;
        if (siblings.size < MAX_SIBLINGS && !siblings.has(target)) {
          siblings.set(target, { target, name: address === host ? undefined : host });
        }
      }
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
      // A headless Service without a ready replica has no address: there is no replica that could tell.
      const isFinal = code === 'ENOTFOUND' || code === 'ENODATA';
      problems.push({ text: `${host}: ${isFinal ? 'the name has no address' : code}`, isFinal });
    }
  }
  return { siblings: [...siblings.values()], problems };
}
