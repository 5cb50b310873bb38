// Which claims an entity makes, from its facts alone.
//
// A finished pod claims nothing, whatever its status still shows. A pod that is being deleted claims what its status
// shows: the deletion timestamp is a request, not an end. A headless service claims nothing of its own; its pods do.

import type { NodeEntity, PodEntity, ServiceEntity } from '../model/entities.ts';
import type { ApiStart, ClaimPlace, DerivedClaim, HolderEntity } from './claim.ts';

/** The claims that `entity` makes at present. `isNew`: it was never seen before, so its creation time counts. */
export function deriveClaims(entity: HolderEntity, isNew: boolean): DerivedClaim[] {
  switch (entity.kind) {
    case 'Pod':
      return podClaims(entity, isNew);
    case 'Service':
      return serviceClaims(entity, isNew);
    case 'Node':
      return nodeClaims(entity);
  }
}

/**
 * The API's own time of the end of a claim, given the state of the entity that ended it: a finished pod has one. Only for an
 * address that its status still shows, because another one was lost earlier, at a time that nobody wrote down.
 */
export function apiEndOf(place: ClaimPlace, entity: HolderEntity): number | undefined {
  if (entity.kind !== 'Pod' || !entity.terminal) return undefined;
  if (typeof place === 'string' && entity.addresses.length > 0 && !entity.addresses.includes(place)) {
    return undefined;
  }
  return entity.finishedTimeMs;
}

/** Whether two states of an entity make the same claims, so that nothing but the entity has to be exchanged. */
export function sameClaims(before: HolderEntity, after: HolderEntity): boolean {
  if (before.kind === 'Pod' && after.kind === 'Pod') {
    return (
      before.terminal === after.terminal &&
      before.nodeName === after.nodeName &&
      before.hostNetwork === after.hostNetwork &&
      sameList(before.addresses, after.addresses) &&
      sameList(before.hostAddresses, after.hostAddresses) &&
      before.hostPorts.length === after.hostPorts.length &&
      before.hostPorts.every((port, i) => {
        const other = after.hostPorts[i];
        return port.port === other?.port && port.protocol === other.protocol && port.hostAddress === other.hostAddress;
      })
    );
  }
  if (before.kind === 'Service' && after.kind === 'Service') {
    return (
      sameList(before.clusterAddresses, after.clusterAddresses) &&
      sameList(before.loadBalancerAddresses, after.loadBalancerAddresses) &&
      sameList(before.externalAddresses, after.externalAddresses) &&
      sameList(before.manualEndpoints, after.manualEndpoints) &&
      before.nodePorts.length === after.nodePorts.length &&
      before.nodePorts.every(
        (port, i) => port.port === after.nodePorts[i]?.port && port.protocol === after.nodePorts[i].protocol,
      )
    );
  }
  return before.kind === 'Node' && after.kind === 'Node' && sameList(before.addresses, after.addresses);
}

function podClaims(pod: PodEntity, isNew: boolean): DerivedClaim[] {
  // Without an address in its status the pod has no sandbox, hence neither addresses nor ports.
  if (pod.terminal || pod.addresses.length === 0) return [];
  const claims: DerivedClaim[] = [];
  // Only the first address dates from the start of the sandbox; one that replaces another came when we saw it,
  // because kubelets do not always touch the condition when they make a new sandbox.
  const apiStart = isNew ? sandboxStart(pod) : undefined;
  if (!pod.hostNetwork) {
    for (const address of pod.addresses) {
      claims.push({ role: 'POD_IP', place: address, apiStart });
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
      claims.push({ role: 'HOST_ADDRESS', place: address, apiStart });
    }
  }
  return claims;
}

function serviceClaims(service: ServiceEntity, isNew: boolean): DerivedClaim[] {
  const claims: DerivedClaim[] = [];
  const onAddress = (role: DerivedClaim['role'], addresses: readonly string[], apiStart?: ApiStart) => {
    for (const address of addresses) claims.push({ role, place: address, apiStart });
  };
  // Cluster addresses are given out with the creation of the service; all others come later, when we see them.
  const { creationTimeMs } = service;
  const created: ApiStart | undefined =
    isNew && creationTimeMs !== undefined ? { ms: creationTimeMs, meaning: 'at' } : undefined;
  onAddress('CLUSTER_IP', service.clusterAddresses, created);
  onAddress('LOAD_BALANCER', service.loadBalancerAddresses);
  onAddress('EXTERNAL_IP', service.externalAddresses);
  onAddress('ENDPOINT', service.manualEndpoints);
  for (const { port, protocol } of service.nodePorts) {
    claims.push({ role: 'NODE_PORT', place: { on: 'every-node-port', port, protocol }, apiStart: undefined });
  }
  return claims;
}

function nodeClaims(node: NodeEntity): DerivedClaim[] {
  return node.addresses.map((address) => ({
    role: 'NODE_ADDRESS',
    place: address,
    apiStart: undefined,
  }));
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
