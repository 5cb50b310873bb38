// The open claims of services on one address by port: where thousands of services share a load balancer's address, a
// question with a port looks at those that have it.
//
// Kept only while it is small: services with very many ports are looked through instead, or a few objects on many
// addresses could make it fill the memory.

import type { Claim } from './claim.ts';

/** Entries for each claim, on average. */
const MAX_PORTS_PER_CLAIM = 16;

export class PortIndex {
  readonly #byPort = new Map<number, Claim[]>();
  #claims = 0;
  #entries = 0;

  constructor(claims: readonly Claim[]) {
    for (const claim of claims) this.add(claim);
  }

  /** Too large to be kept. */
  get isTooLarge(): boolean {
    return this.#entries > this.#claims * MAX_PORTS_PER_CLAIM;
  }

  get(port: number): readonly Claim[] {
    return this.#byPort.get(port) ?? NONE;
  }

  add(claim: Claim): void {
    this.#claims += 1;
    for (const port of portsOf(claim)) {
      const claims = this.#byPort.get(port);
      if (claims === undefined) this.#byPort.set(port, [claim]);
      else claims.push(claim);
      this.#entries += 1;
    }
  }

  delete(claim: Claim): void {
    this.#claims -= 1;
    for (const port of portsOf(claim)) {
      const claims = this.#byPort.get(port);
      const at = claims?.indexOf(claim) ?? -1;
      if (claims === undefined || at === -1) continue;
      claims.splice(at, 1);
      this.#entries -= 1;
      if (claims.length === 0) this.#byPort.delete(port);
    }
  }
}

/** Ports of the service, each once: it may have one for TCP and for UDP. */
function portsOf({ place }: Claim): Iterable<number> {
  if (typeof place === 'string' || place.on !== 'services' || place.ports === undefined) return NONE;
  return new Set(place.ports.list.map(({ port }) => port));
}

const NONE: readonly never[] = Object.freeze([]);
