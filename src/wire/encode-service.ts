// `digger.v1.Service`: the part that the service's own record says, and the part that its endpoints add.

import { type ByteString, NO_BYTES } from '../model/byte-string.ts';
import type { ObjectReference } from '../model/entities.ts';
import { canonicalIps } from '../model/ip/ip.ts';
import type { ServiceRecord } from '../model/kubernetes/records.ts';
import type { EncodedRecord } from './encoded-entity.ts';
import { FieldTags } from './field-tags.ts';
import { writeMap, writeReference, writeText, writeTexts, writeUint } from './fields.ts';
import { startEntity } from './message-writer.ts';
import { enumValues } from './schema.ts';
import { keptSelector, type ValuePolicy, writeValues } from './value-policy.ts';

/** Everything but workloads and manual endpoints. */
export function encodeServiceRecord(record: ServiceRecord, policy: ValuePolicy): EncodedRecord {
  const writer = startEntity();
  writeText(writer, SERVICE.uid, record.uid);
  writeText(writer, SERVICE.namespace, record.namespace);
  writeText(writer, SERVICE.name, record.name);
  writeUint(writer, SERVICE.type, SERVICE_TYPES.get(record.serviceType) ?? 0);
  writeTexts(writer, SERVICE.clusterAddresses, canonicalIps(record.clusterIps));
  writeTexts(writer, SERVICE.loadBalancerAddresses, canonicalIps(record.loadBalancerIps));
  writeTexts(writer, SERVICE.loadBalancerHostnames, record.loadBalancerHostnames);
  writeTexts(writer, SERVICE.externalAddresses, canonicalIps(record.externalIps));
  writeText(writer, SERVICE.externalName, record.externalName);
  writeTexts(writer, SERVICE.proxiedLoadBalancerAddresses, canonicalIps(record.proxiedIps));
  for (const port of record.ports) {
    const begun = writer.uint32(SERVICE.ports).begin();
    writeText(writer, PORT.name, port.name);
    writeUint(writer, PORT.protocol, protocolNumber(port.protocol));
    writeUint(writer, PORT.port, port.port);
    writeText(writer, PORT.targetPort, port.targetPort);
    writeUint(writer, PORT.nodePort, port.nodePort);
    writeText(writer, PORT.appProtocol, port.appProtocol);
    writer.end(begun);
  }
  const omitted: string[] = [];
  writeMap(writer, SERVICE.selector, keptSelector(record.selector, policy, omitted));
  const own = writer.cut();
  writeValues(writer, SERVICE, record.labels, record.annotations, policy, omitted);
  return { own, values: writer.cut(), rest: NO_BYTES };
}

/** What the endpoints of a service come to, cut and sorted by the caller. */
export interface ServiceBackends {
  readonly workloads: readonly ObjectReference[];
  /** 0: not cut. */
  readonly workloadCount: number;
  readonly manualEndpoints: readonly string[];
  /** 0: not cut. */
  readonly manualEndpointCount: number;
}

/** The fields `workloads` and `manual_endpoints`, and their counts. */
export function encodeServiceBackends(service: ObjectReference, backends: ServiceBackends): ByteString {
  const writer = startEntity();
  for (const workload of backends.workloads) writeReference(writer, SERVICE.workloads, workload);
  for (const address of backends.manualEndpoints) {
    const begun = writer.uint32(SERVICE.manualEndpoints).begin();
    writeText(writer, ENDPOINT.address, address);
    writeReference(writer, ENDPOINT.service, service);
    writer.end(begun);
  }
  writeUint(writer, SERVICE.workloadCount, backends.workloadCount);
  writeUint(writer, SERVICE.manualEndpointCount, backends.manualEndpointCount);
  return writer.cut();
}

/** A `digger.v1.Protocol`; what Kubernetes leaves empty is TCP, what we do not know is PROTOCOL_UNSPECIFIED. */
export function protocolNumber(protocol: string): number {
  return PROTOCOLS[protocol === '' ? 'PROTOCOL_TCP' : `PROTOCOL_${protocol}`] ?? 0;
}

const PROTOCOLS = enumValues('digger.v1.Protocol');

const types = enumValues('digger.v1.ServiceType');
/** `spec.type` as Kubernetes writes it. */
const SERVICE_TYPES: ReadonlyMap<string, number | undefined> = new Map([
  ['ClusterIP', types['SERVICE_TYPE_CLUSTER_IP']],
  ['NodePort', types['SERVICE_TYPE_NODE_PORT']],
  ['LoadBalancer', types['SERVICE_TYPE_LOAD_BALANCER']],
  ['ExternalName', types['SERVICE_TYPE_EXTERNAL_NAME']],
]);

const service = new FieldTags('digger.v1.Service');
const SERVICE = {
  uid: service.delimited('uid'),
  namespace: service.delimited('namespace'),
  name: service.delimited('name'),
  type: service.varint('type'),
  clusterAddresses: service.delimited('clusterAddresses'),
  loadBalancerAddresses: service.delimited('loadBalancerAddresses'),
  loadBalancerHostnames: service.delimited('loadBalancerHostnames'),
  externalAddresses: service.delimited('externalAddresses'),
  externalName: service.delimited('externalName'),
  proxiedLoadBalancerAddresses: service.delimited('proxiedLoadBalancerAddresses'),
  ports: service.delimited('ports'),
  selector: service.delimited('selector'),
  workloads: service.delimited('workloads'),
  manualEndpoints: service.delimited('manualEndpoints'),
  workloadCount: service.varint('workloadCount'),
  manualEndpointCount: service.varint('manualEndpointCount'),
  labels: service.delimited('labels'),
  annotations: service.delimited('annotations'),
  omitted: service.delimited('omitted'),
};

const port = new FieldTags('digger.v1.ServicePort');
const PORT = {
  name: port.delimited('name'),
  protocol: port.varint('protocol'),
  port: port.varint('port'),
  targetPort: port.delimited('targetPort'),
  nodePort: port.varint('nodePort'),
  appProtocol: port.delimited('appProtocol'),
};

const endpoint = new FieldTags('digger.v1.ExternalEndpoint');
const ENDPOINT = { address: endpoint.delimited('address'), service: endpoint.delimited('service') };
