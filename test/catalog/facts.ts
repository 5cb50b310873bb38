// What an entity says of itself beside its message: facts that lookups by address go by, worked out from the message
// and the record, without the catalog's own code.

import assert from 'node:assert/strict';
import type { Entity, NodeEntity, ObjectReference, PodEntity, ServiceEntity } from '../../src/model/entities.ts';
import { canonicalIps } from '../../src/model/ip/ip.ts';
import type { KubernetesRecord, NodeRecord, PodRecord, ServiceRecord } from '../../src/model/kubernetes/records.ts';

type Plain = Readonly<Record<string, unknown>>;

/** Throws where the facts are others than those of the message and of the record. */
export function checkFacts(entity: Entity, message: Plain, record: KubernetesRecord | undefined): void {
  assert.deepEqual([entity.uid, entity.name], [message['uid'], message['name']]);
  assert.equal(entity.namespace, message['namespace'] ?? '');
  if (record !== undefined) assert.equal(entity.creationTimeMs, record.creationTimeMs);
  if (entity.kind === 'Pod' && record?.type === 'Pod') checkPod(entity, message, record);
  if (entity.kind === 'Service' && record?.type === 'Service') checkService(entity, message, record);
  if (entity.kind === 'Node' && record?.type === 'Node') checkNode(entity, record);
  if (entity.kind !== 'Workload') return;
  assert.deepEqual([entity.workloadKind, entity.apiVersion], [message['kind'], message['apiVersion']]);
  assert.deepEqual([entity.topLevel, entity.ownerChain], [true, []]);
}

function checkPod(pod: PodEntity, message: Plain, record: PodRecord): void {
  const { finishedTimeMs, sandboxReadyTimeMs, startTimeMs, deletionTimeMs, nodeName, hostNetwork, phase } = record;
  assert.deepEqual(
    [pod.finishedTimeMs, pod.sandboxReadyTimeMs, pod.startTimeMs, pod.deletionTimeMs],
    [finishedTimeMs, sandboxReadyTimeMs, startTimeMs, deletionTimeMs],
  );
  assert.deepEqual(
    [pod.nodeName, pod.hostNetwork, pod.terminal],
    [nodeName, hostNetwork, phase === 'Succeeded' || phase === 'Failed'],
  );
  assert.deepEqual(pod.addresses, message['addresses'] ?? []);
  assert.deepEqual(pod.endpointAddresses ?? [], message['endpointAddresses'] ?? []);
  assert.deepEqual(written(pod.workload), message['workload']);
  assert.deepEqual(pod.ownerChain.map(written), message['ownerChain'] ?? []);
}

function checkService(service: ServiceEntity, message: Plain, { ports, serviceType }: ServiceRecord): void {
  assert.equal(service.externalName, serviceType === 'ExternalName');
  for (const field of ['clusterAddresses', 'loadBalancerAddresses', 'externalAddresses'] as const) {
    assert.deepEqual(service[field], message[field] ?? []);
  }
  const manual = (message['manualEndpoints'] ?? []) as readonly { readonly address: string }[];
  assert.deepEqual(
    service.manualEndpoints,
    manual.map(({ address }) => address),
  );
  assert.deepEqual(service.workloads.map(written), message['workloads'] ?? []);
  const numbers = (of: 'port' | 'nodePort') => ports.map((port) => port[of]).filter((port) => port !== 0);
  assert.deepEqual(
    [service.ports.map(({ port }) => port), service.nodePorts.map(({ port }) => port)],
    [numbers('port'), numbers('nodePort')],
  );
}

function checkNode(node: NodeEntity, { addresses, annotations, podCidrs, deletionTimeMs }: NodeRecord): void {
  const reachable = addresses.map(({ address }) => address);
  const tunnel = annotations['projectcalico.org/IPv4VXLANTunnelAddr'] ?? [];
  assert.deepEqual(node.addresses, canonicalIps([reachable, tunnel].flat()));
  assert.deepEqual([node.podRanges, node.deletionTimeMs], [podCidrs, deletionTimeMs]);
}

/** As the message has it: without what is empty. */
function written(reference: ObjectReference): Plain {
  return Object.fromEntries(Object.entries(reference).filter(([, value]) => value !== '' && value !== false));
}
