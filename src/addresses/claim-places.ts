// Where claims are found: the timelines of addresses, of services on addresses, and of ports of nodes.
//
// Ports of nodes are kept by node name and by port, not per address: a NodePort service would otherwise claim every
// address of every node. Services on an address that they may share stand apart from who has the whole address, so that
// thousands of services behind one load balancer cost nothing to whom they do not concern.

import type { PortNumber } from '../model/entities.ts';
import type { Claim, ClaimPlace, ClaimRole } from './claim.ts';
import type { KnownNodes } from './known-nodes.ts';
import { MAX_CANDIDATES } from './reader.ts';
import { rememberSuccession } from './succession.ts';
import type { AskedPort } from './timeline.ts';
import { Timelines } from './timelines.ts';

export class ClaimPlaces {
  readonly #slackMs: number;
  /** Whole addresses by themselves, places of nodes by names with a space, which no address has. */
  readonly #places = new Timelines();
  /** Services that hold ports of an address, and those whose endpoints list it, by address. */
  readonly #services = new Timelines();
  readonly #endpoints = new Timelines();

  constructor(options: { readonly slackMs: number }) {
    this.#slackMs = options.slackMs;
  }

  /** Takes a claim that was just opened. */
  open(claim: Claim): void {
    this.#of(claim.place).add(placeKey(claim.place), claim);
  }

  /** Moves a claim that was just ended to the past. */
  end(claim: Claim): void {
    this.#of(claim.place).end(placeKey(claim.place), claim);
  }

  /** Forgets an ended claim, but not what it tells about those that are left. */
  forget(claim: Claim, nodes: KnownNodes): void {
    rememberSuccession(claim, this.#of(claim.place).forget(placeKey(claim.place), claim), nodes);
  }

  /** Claims on the whole address around the moment, beside those of services that may share it. */
  onAddress(address: string, atMs: number): Claim[] {
    return this.#places.around(address, atMs, this.#slackMs);
  }

  /** Claims of services with this port of the address. */
  ofServicesWithPort(address: string, port: AskedPort, atMs: number): Claim[] {
    return this.#services.around(address, atMs, this.#slackMs, port);
  }

  /** Claims of services with any port of the address, no more of them than an answer can list. */
  ofServices(address: string, atMs: number): Claim[] {
    return this.#services.newest(address, atMs, this.#slackMs, MOST);
  }

  /** Claims of services whose endpoints list the address, no more of them than an answer can list. */
  ofEndpoints(address: string, atMs: number): Claim[] {
    return this.#endpoints.newest(address, atMs, this.#slackMs, MOST);
  }

  /** Claims on a port of these nodes, as it is seen at one of their addresses. */
  onNodePort(nodeNames: Iterable<string>, address: string, asked: AskedPort, atMs: number): Claim[] {
    const claims = this.#places.around(`p ${asked.port}`, atMs, this.#slackMs);
    for (const name of nodeNames) claims.push(...this.#places.around(`h ${name} ${asked.port}`, atMs, this.#slackMs));
    return claims.filter(({ place }) => {
      if (typeof place === 'string' || place.on === 'node' || place.on === 'services') return false;
      if (!isOfProtocol(place, asked)) return false;
      return place.on === 'every-node-port' || place.address === undefined || place.address === address;
    });
  }

  /** Claims of the pods in the node's network, declared ports or not. */
  inNetworkOf(nodeName: string, atMs: number): Claim[] {
    return this.#places.around(`n ${nodeName}`, atMs, this.#slackMs);
  }

  /** Whether an entity of the cluster itself had the address while history lasts. */
  wasInCluster(address: string): boolean {
    return this.#places.some(address, ({ role }) => ROLES_OF_THE_CLUSTER.has(role));
  }

  #of(place: ClaimPlace): Timelines {
    if (typeof place === 'string' || place.on !== 'services') return this.#places;
    return place.ports === undefined ? this.#endpoints : this.#services;
  }
}

/** A service may hold an address as a load balancer's and as an external one. */
const MOST = 2 * (MAX_CANDIDATES + 1);

/** An address in one of these comes from the cluster's own ranges, known or not; others are brought from outside. */
const ROLES_OF_THE_CLUSTER: ReadonlySet<ClaimRole> = new Set(['POD_IP', 'CLUSTER_IP', 'NODE_ADDRESS', 'HOST_ADDRESS']);

function isOfProtocol(place: Pick<PortNumber, 'protocol'>, { protocol }: AskedPort): boolean {
  return protocol === undefined || place.protocol === protocol;
}

/** Names a timeline. An address stands for itself: its text is there already. */
function placeKey(place: ClaimPlace): string {
  if (typeof place === 'string') return place;
  switch (place.on) {
    case 'services':
      return place.address;
    case 'node-port':
      return `h ${place.nodeName} ${place.port}`;
    case 'every-node-port':
      return `p ${place.port}`;
    case 'node':
      return `n ${place.nodeName}`;
  }
}
