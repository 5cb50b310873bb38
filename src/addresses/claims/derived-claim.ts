// What an entity claims: in which role, at which place, and what the API says of the start. It follows from the state
// of the entity alone; what was seen, and when, makes a claim of it (claim.ts).

import type { Protocol } from '../../model/entities.ts';
import type { AddressRole } from '../../timelines/timeline.ts';
import type { ServicePorts } from './service-ports.ts';

/**
 * Where a claim lives: on an address as a whole, which is just that (on a secondary network as `networkAddress` names
 * it); on the ports of a service at an address that the service may share; on a port of a node, at every address of
 * that node; on a port of all nodes; or, for the pods in a node's network, on the node without a port.
 */
export type ClaimPlace =
  | string
  | {
      readonly on: 'services';
      readonly address: string;
      /** `undefined`: an endpoint, of which only the address is known. */
      readonly ports: ServicePorts | undefined;
    }
  | {
      readonly on: 'node-port';
      readonly nodeName: string;
      readonly port: number;
      readonly protocol: Protocol;
      /** Only at this address of the node; `undefined`: at all of them. */
      readonly address: string | undefined;
    }
  | { readonly on: 'every-node-port'; readonly port: number; readonly protocol: Protocol }
  | { readonly on: 'node'; readonly nodeName: string };

/**
 * Roles as published, and three more. `HOST_ADDRESS`: a pod's `hostIPs` tie an address to a node's name even when Node
 * objects may not be read. It leads to the ports of that node and never answers by itself. `POD_RANGE`: the first
 * addresses of a node's pod range, which network plugins give to the node itself; told as NODE_ADDRESS, never for
 * certain. `NETWORK_IP`: a pod's address on a secondary network, told as POD_IP.
 */
export type ClaimRole = AddressRole | 'HOST_ADDRESS' | 'POD_RANGE' | 'NETWORK_IP';

/** The API's own word on when a claim started: in whole seconds, by another clock. */
export interface ApiStart {
  readonly ms: number;
  /** `at`: within that second. `after`: that is when it became possible, and it took until we saw it at most. */
  readonly meaning: 'at' | 'after';
}

/** What an entity claims at present. */
export interface DerivedClaim {
  readonly role: ClaimRole;
  readonly place: ClaimPlace;
  /** `undefined`: only our observation tells. */
  readonly apiStart: ApiStart | undefined;
}

/** Names a claim among the open claims of one entity. */
export function claimKey(role: ClaimRole, place: ClaimPlace): string {
  if (typeof place === 'string') return `${role} ${place}`;
  switch (place.on) {
    case 'services':
      return `${role} ${place.address}`;
    case 'node-port':
      return `${role} ${place.nodeName} ${place.port}/${place.protocol} ${place.address ?? ''}`;
    case 'every-node-port':
      return `${role} ${place.port}/${place.protocol}`;
    case 'node':
      return `${role} ${place.nodeName}`;
  }
}
