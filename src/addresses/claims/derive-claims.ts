// Which claims an entity makes, from its facts alone.
//
// A finished pod claims nothing, whatever its status still shows. A pod that is being deleted claims what its status
// shows: the deletion timestamp is a request, not an end. A service without a cluster address (headless), or of type
// ExternalName, holds no address and no port whatever its other fields say, as in kube-proxy; nor does one hold
// external addresses of a family of which it has no cluster address. Addresses that have no place in a cluster are
// claimed by no entity.

import { familyOf, parseCidr } from '../../model/ip/cidr.ts';
import type { NodeEntity, PodEntity, ServiceEntity } from '../../model/entities.ts';
import { canonicalIps } from '../../model/ip/ip.ts';
import { isNetworkAddress, splitNetworkAddress } from '../../model/kubernetes/pod-networks.ts';
import type { HolderEntity } from './claim.ts';
import type { ApiStart, ClaimPlace, DerivedClaim } from './derived-claim.ts';
import { firstAddresses } from '../../timelines/prefixes.ts';
import { samePorts, ServicePorts } from './service-ports.ts';
import { isSpecialAddress } from '../../timelines/special-addresses.ts';

/** What is known of the entity's past. */
export interface Acquaintance {
  /** It never claimed anything: a pod's first address dates from the start of its sandbox. */
  readonly isFirstClaim: boolean;
  /** It was never seen before, so what a service has was its own from its creation on. */
  readonly isFirstSight: boolean;
  /** Whether a pod, a node or a service's cluster address has the address; see `proxied-addresses.ts`. */
  readonly isTaken: (address: string) => boolean;
}

/** The claims that `entity` makes at present, in an order that depends on its facts alone. */
export function deriveClaims(entity: HolderEntity, acquaintance: Acquaintance): DerivedClaim[] {
  switch (entity.kind) {
    case 'Pod':
      return podClaims(entity, acquaintance.isFirstClaim);
    case 'Service':
      return serviceClaims(entity, acquaintance);
    case 'Node':
      return nodeClaims(entity);
  }
}

/**
 * The API's own time of the end of a claim, given the state of the entity that ended it: a finished pod has one. Only
 * for an address that its status still shows, because another one was lost earlier, at a time that is written nowhere.
 */
export function apiEndOf(place: ClaimPlace, entity: HolderEntity): number | undefined {
  if (entity.kind !== 'Pod' || !entity.terminal) return undefined;
  if (typeof place === 'string') {
    const shown = isNetworkAddress(place) ? (entity.networkAddresses ?? NONE) : entity.addresses;
    if (shown.length > 0 && !shown.includes(place)) return undefined;
  }
  return entity.finishedTimeMs;
}

/** The claim of an endpoint outside the cluster's pods and nodes. */
export function endpointClaim(address: string): DerivedClaim {
  return { role: 'ENDPOINT', place: { on: 'services', address, ports: undefined }, apiStart: undefined };
}

/** Whether the two states of a service make the same claims, but for those of its endpoints. */
export function sameButEndpoints(before: ServiceEntity, after: ServiceEntity): boolean {
  return (
    before.externalName === after.externalName &&
    sameList(before.clusterAddresses, after.clusterAddresses) &&
    sameList(before.loadBalancerAddresses, after.loadBalancerAddresses) &&
    sameList(before.proxiedAddresses ?? NONE, after.proxiedAddresses ?? NONE) &&
    sameList(before.externalAddresses, after.externalAddresses) &&
    samePorts(before.ports, after.ports) &&
    samePorts(before.nodePorts, after.nodePorts)
  );
}

/** Whether two states of an entity make the same claims, so that nothing but the entity has to be exchanged. */
export function sameClaims(before: HolderEntity, after: HolderEntity): boolean {
  if (before.kind === 'Pod' && after.kind === 'Pod') {
    return (
      before.terminal === after.terminal &&
      before.nodeName === after.nodeName &&
      before.hostNetwork === after.hostNetwork &&
      sameList(before.addresses, after.addresses) &&
      sameList(before.endpointAddresses ?? NONE, after.endpointAddresses ?? NONE) &&
      sameList(before.networkAddresses ?? NONE, after.networkAddresses ?? NONE) &&
      sameList(before.hostAddresses, after.hostAddresses) &&
      samePorts(before.hostPorts, after.hostPorts) &&
      before.hostPorts.every(({ hostAddress }, i) => hostAddress === after.hostPorts[i]?.hostAddress)
    );
  }
  if (before.kind === 'Service' && after.kind === 'Service') {
    return sameList(before.manualEndpoints, after.manualEndpoints) && sameButEndpoints(before, after);
  }
  return (
    before.kind === 'Node' &&
    after.kind === 'Node' &&
    sameList(before.addresses, after.addresses) &&
    sameList(before.podRanges, after.podRanges)
  );
}

function podClaims(pod: PodEntity, isFirstClaim: boolean): DerivedClaim[] {
  // Without an address in its status the pod has no sandbox, hence neither addresses nor ports.
  if (pod.terminal || pod.addresses.length === 0) return [];
  const claims: DerivedClaim[] = [];
  // Only the first address dates from the start of the sandbox; one that replaces another came when we saw it,
  // because kubelets do not always touch the condition when they make a new sandbox.
  const apiStart = isFirstClaim ? sandboxStart(pod) : undefined;
  if (!pod.hostNetwork) {
    for (const address of pod.addresses) {
      if (!isSpecialAddress(address)) claims.push({ role: 'POD_IP', place: address, apiStart });
    }
  }
  for (const address of pod.endpointAddresses ?? NONE) {
    if (!isSpecialAddress(address)) claims.push({ role: 'ENDPOINT', place: address, apiStart: undefined });
  }
  for (const address of pod.networkAddresses ?? NONE) {
    if (!isSpecialAddress(splitNetworkAddress(address).address)) {
      claims.push({ role: 'NETWORK_IP', place: address, apiStart });
    }
  }
  if (pod.nodeName === '') return claims;
  const { nodeName } = pod;
  const role = pod.hostNetwork ? 'HOST_NETWORK' : 'HOST_PORT';
  for (const { port, protocol, hostAddress } of pod.hostPorts) {
    claims.push({ role, place: { on: 'node-port', nodeName, port, protocol, address: hostAddress }, apiStart });
  }
  if (pod.hostNetwork) claims.push({ role: 'HOST_NETWORK', place: { on: 'node', nodeName }, apiStart });
  if (pod.hostNetwork || pod.hostPorts.length > 0) {
    for (const address of pod.hostAddresses) {
      if (!isSpecialAddress(address)) claims.push({ role: 'HOST_ADDRESS', place: address, apiStart });
    }
  }
  return claims;
}

function serviceClaims(service: ServiceEntity, { isFirstSight, isTaken }: Acquaintance): DerivedClaim[] {
  // An alias is followed by name, so its endpoints mean nothing: proxies and DNS skip them.
  if (service.externalName) return [];
  const claims: DerivedClaim[] = [];
  if (service.clusterAddresses.length > 0) {
    // Cluster addresses are given out with the creation of the service; all others come later, when we see them.
    const { creationTimeMs } = service;
    const created: ApiStart | undefined =
      isFirstSight && creationTimeMs !== undefined ? { ms: creationTimeMs, meaning: 'at' } : undefined;
    for (const address of service.clusterAddresses) {
      if (!isSpecialAddress(address)) claims.push({ role: 'CLUSTER_IP', place: address, apiStart: created });
    }
    const ports = new ServicePorts(service.ports);
    const onPorts = (role: DerivedClaim['role'], addresses: readonly string[]) => {
      for (const address of addresses) {
        if (isSpecialAddress(address)) continue;
        claims.push({ role, place: { on: 'services', address, ports }, apiStart: undefined });
      }
    };
    const { loadBalancerAddresses, proxiedAddresses = NONE } = service;
    onPorts('LOAD_BALANCER', withoutAny(loadBalancerAddresses, proxiedAddresses));
    onPorts(
      'LOAD_BALANCER',
      proxiedAddresses.filter((address) => !isTaken(address)),
    );
    // A proxy of one family serves the services of that family with their external addresses of that family.
    const families = new Set(service.clusterAddresses.map(familyOf));
    onPorts(
      'EXTERNAL_IP',
      service.externalAddresses.filter((address) => families.has(familyOf(address))),
    );
    for (const { port, protocol } of service.nodePorts) {
      claims.push({ role: 'NODE_PORT', place: { on: 'every-node-port', port, protocol }, apiStart: undefined });
    }
  }
  for (const address of service.manualEndpoints) {
    if (!isSpecialAddress(address)) claims.push(endpointClaim(address));
  }
  return claims;
}

function nodeClaims(node: NodeEntity): DerivedClaim[] {
  const claims: DerivedClaim[] = [];
  for (const address of node.addresses) {
    if (!isSpecialAddress(address)) claims.push({ role: 'NODE_ADDRESS', place: address, apiStart: undefined });
  }
  const own = node.podRanges.flatMap((text) => {
    const range = parseCidr(text);
    return range === undefined ? [] : firstAddresses(range);
  });
  for (const address of canonicalIps(own)) {
    if (isSpecialAddress(address) || node.addresses.includes(address)) continue;
    claims.push({ role: 'POD_RANGE', place: address, apiStart: undefined });
  }
  return claims;
}

function sandboxStart(pod: PodEntity): ApiStart | undefined {
  if (pod.sandboxReadyTimeMs !== undefined) return { ms: pod.sandboxReadyTimeMs, meaning: 'at' };
  // The kubelet sets it when it takes the pod, before the sandbox exists.
  if (pod.startTimeMs !== undefined) return { ms: pod.startTimeMs, meaning: 'after' };
  return undefined;
}

function sameList(a: readonly string[], b: readonly string[]): boolean {
  return a === b || (a.length === b.length && a.every((value, i) => value === b[i]));
}

function withoutAny(addresses: readonly string[], left: readonly string[]): readonly string[] {
  return left.length === 0 ? addresses : addresses.filter((address) => !left.includes(address));
}

const NONE: readonly string[] = Object.freeze([]);
