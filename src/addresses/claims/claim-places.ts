// Where claims are found: those of addresses, of services on addresses, and of ports of nodes.
//
// Ports of nodes are kept by node name and by port, not per address: a NodePort service would otherwise claim every
// address of every node. Services on an address that they may share stand apart from who has the whole address, so that
// thousands of services behind one load balancer cost nothing to whom they do not concern.

import type { PortNumber, Protocol } from '../../model/entities.ts';
import { MAX_CANDIDATES, type TimelinePlace } from '../../timelines/timeline.ts';
import type { Claim } from './claim.ts';
import type { ClaimPlace, ClaimRole } from './derived-claim.ts';
import type { KnownNodes } from './known-nodes.ts';
import { type ClaimsSince, hasPort } from './place-claims.ts';
import { rememberSuccession } from './succession.ts';
import { ClaimsByPlace } from './claims-by-place.ts';

export class ClaimPlaces {
  readonly #slackMs: number;
  /** Whole addresses by themselves, places of nodes by names with a space, which no address has. */
  readonly #places = new ClaimsByPlace();
  /** Services that hold ports of an address, and those whose endpoints list it, by address. */
  readonly #services = new ClaimsByPlace();
  readonly #endpoints = new ClaimsByPlace();

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

  /** Changes the start of a claim. */
  change(claim: Claim, change: () => void): void {
    this.#of(claim.place).change(placeKey(claim.place), claim, change);
  }

  /** Forgets an ended claim, but not what it tells about those that are left. */
  forget(claim: Claim, nodes: KnownNodes): void {
    rememberSuccession(claim, this.#of(claim.place).forget(placeKey(claim.place), claim), nodes);
  }

  /** Claims on the whole address around the moment, beside those of services that may share it. */
  onAddress(address: string, atMs: number): Claim[] {
    return this.#places.around(address, atMs, this.#slackMs);
  }

  /** Claims of services with this port of the address, but for those with many ports. */
  ofServicesWithPort(address: string, port: PortNumber, atMs: number): Claim[] {
    return this.#services.around(address, atMs, this.#slackMs, port).filter((claim) => !hasManyPorts(claim));
  }

  /** Claims of services with many ports on the address. */
  ofServicesWithManyPorts(address: string, atMs: number): Claim[] {
    return this.#services.around(address, atMs, this.#slackMs).filter(hasManyPorts);
  }

  /** Whether services hold ports of the address, now or in the history. */
  hasServices(address: string): boolean {
    return this.#services.has(address);
  }

  /** Claims of services with any port of the address, no more of them than an answer can list. */
  ofServices(address: string, atMs: number): Claim[] {
    return this.#services.newest(address, atMs, this.#slackMs, MOST);
  }

  /** Claims of services whose endpoints list the address, no more of them than an answer can list. */
  ofEndpoints(address: string, atMs: number): Claim[] {
    return this.#endpoints.newest(address, atMs, this.#slackMs, MOST);
  }

  /** Claims of pods on a port of the node, as it is seen at all of its addresses, or at one of them. */
  onNodePort({ node, port, protocol, address }: NodePortPlace, atMs: number): Claim[] {
    return this.#places
      .around(`h ${node} ${port}`, atMs, this.#slackMs)
      .filter(({ place }) => isOnPort(place, protocol, address));
  }

  /** Claims of services on a port of every node. */
  onEveryNodePort({ port, protocol }: PortNumber, atMs: number): Claim[] {
    return this.#places
      .around(`p ${port}`, atMs, this.#slackMs)
      .filter(
        ({ place }) => typeof place === 'object' && place.on === 'every-node-port' && place.protocol === protocol,
      );
  }

  /** Claims of the pods in the node's network, declared ports or not. */
  inNetworkOf(nodeName: string, atMs: number): Claim[] {
    return this.#places.around(`n ${nodeName}`, atMs, this.#slackMs);
  }

  /** Claims that the timeline of the place is written from, as far as they reach the moment; see `ClaimsByPlace.since`. */
  since(place: TimelinePlace, sinceMs: number): ClaimsSince {
    const slackMs = this.#slackMs;
    switch (place.of) {
      case 'address': {
        const { address } = place;
        const all = [this.#places, this.#services, this.#endpoints].map((each) =>
          each.since(address, sinceMs, slackMs),
        );
        return {
          claims: all.flatMap(({ claims }) => claims),
          forgottenUntilMs: Math.max(...all.map(({ forgottenUntilMs }) => forgottenUntilMs)),
        };
      }
      case 'port of an address':
        return filtered(this.#services.since(place.address, sinceMs, slackMs, place), (each) => !hasManyPorts(each));
      case 'ports of an address':
        return filtered(this.#services.since(place.address, sinceMs, slackMs), hasManyPorts);
      case 'port of a node': {
        const { node, port, protocol, address } = place;
        const found = this.#places.since(`h ${node} ${port}`, sinceMs, slackMs);
        return filtered(found, (claim) => isOnPort(claim.place, protocol, address));
      }
      case 'port of every node': {
        const found = this.#places.since(`p ${place.port}`, sinceMs, slackMs);
        return filtered(found, (claim) => isOnPort(claim.place, place.protocol, undefined));
      }
      case 'node':
        return this.#places.since(`n ${place.node}`, sinceMs, slackMs);
    }
  }

  /** Whether there is a claim that the timeline of the place is about. */
  any(place: TimelinePlace): boolean {
    switch (place.of) {
      case 'address':
        return [this.#places, this.#services, this.#endpoints].some((each) => each.some(place.address, () => true));
      case 'port of an address':
        return this.#services.some(place.address, (claim) => !hasManyPorts(claim) && hasPort(claim, place));
      case 'ports of an address':
        return this.#services.some(place.address, hasManyPorts);
      case 'port of a node': {
        const { node, port, protocol, address } = place;
        // One of an address is there for the claims on that address alone, though it tells of others too.
        return this.#places.some(
          `h ${node} ${port}`,
          ({ place: at }) => isOnPort(at, protocol, address) && (at as { address?: string }).address === address,
        );
      }
      case 'port of every node':
        return this.#places.some(`p ${place.port}`, (claim) => isOnPort(claim.place, place.protocol, undefined));
      case 'node':
        return this.#places.some(`n ${place.node}`, () => true);
    }
  }

  /** The places whose timelines tell of the claim. */
  timelinesOf({ place }: Claim): readonly TimelinePlace[] {
    if (typeof place === 'string') return [{ of: 'address', address: place }];
    switch (place.on) {
      case 'services': {
        const { address, ports } = place;
        const whole: TimelinePlace = { of: 'address', address };
        if (ports === undefined) return [whole];
        if (ports.areMany) return [whole, { of: 'ports of an address', address }];
        return [whole, ...ports.list.map((each): TimelinePlace => ({ of: 'port of an address', address, ...each }))];
      }
      case 'node-port': {
        const { nodeName: node, port, protocol, address } = place;
        const one = (at: string | undefined): TimelinePlace => ({
          of: 'port of a node',
          node,
          port,
          protocol,
          address: at,
        });
        if (address !== undefined) return [one(address)];
        return [undefined, ...this.#addressesOf(node, port, protocol)].map(one);
      }
      case 'every-node-port':
        return [{ of: 'port of every node', port: place.port, protocol: place.protocol }];
      case 'node':
        return [{ of: 'node', node: place.nodeName }];
    }
  }

  /** Whether a pod, a node or a service's cluster address has the whole address now. */
  isTaken(address: string): boolean {
    return this.#places.some(
      address,
      ({ derivedRole, endLatestMs }) => endLatestMs === undefined && ROLES_OF_THE_CLUSTER.has(derivedRole),
    );
  }

  /** Whether an entity of the cluster itself had the address while history lasts. */
  wasInCluster(address: string): boolean {
    return this.#places.some(address, ({ derivedRole }) => ROLES_OF_THE_CLUSTER.has(derivedRole));
  }

  /** Addresses of the node at which the port has a holder of its own. */
  #addressesOf(node: string, port: number, protocol: Protocol): ReadonlySet<string> {
    const found = new Set<string>();
    this.#places.some(`h ${node} ${port}`, ({ place }) => {
      if (typeof place === 'object' && place.on === 'node-port' && place.protocol === protocol) {
        if (place.address !== undefined) found.add(place.address);
      }
      return false;
    });
    return found;
  }

  #of(place: ClaimPlace): ClaimsByPlace {
    if (typeof place === 'string' || place.on !== 'services') return this.#places;
    return place.ports === undefined ? this.#endpoints : this.#services;
  }
}

/** A service may hold an address as a load balancer's and as an external one. */
const MOST = 2 * (MAX_CANDIDATES + 1);

/** An address in one of these comes from the cluster's own ranges, known or not; others are brought from outside. */
const ROLES_OF_THE_CLUSTER: ReadonlySet<ClaimRole> = new Set([
  ...(['POD_IP', 'CLUSTER_IP', 'NODE_ADDRESS', 'HOST_ADDRESS', 'NETWORK_IP'] as const),
]);

type NodePortPlace = Extract<TimelinePlace, { of: 'port of a node' }>;

/** `address`: as it is seen at that address of the node; `undefined`: at every one. */
function isOnPort(place: ClaimPlace, protocol: Protocol, address: string | undefined): boolean {
  if (typeof place === 'string') return false;
  if (place.on === 'every-node-port') return place.protocol === protocol;
  return (
    place.on === 'node-port' &&
    place.protocol === protocol &&
    (place.address === undefined || place.address === address)
  );
}

function hasManyPorts({ place }: Claim): boolean {
  return typeof place === 'object' && place.on === 'services' && place.ports?.areMany === true;
}

function filtered({ claims, forgottenUntilMs }: ClaimsSince, matches: (claim: Claim) => boolean): ClaimsSince {
  return { claims: claims.filter(matches), forgottenUntilMs };
}

/** Names a list of claims. An address stands for itself: its text is there already. */
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
