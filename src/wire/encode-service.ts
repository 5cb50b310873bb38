// `digger.v1.Service`: the part that the service's own record says, and the part that its endpoints add.

import type { ObjectReference } from '../model/entities.ts';
import { canonicalIps } from '../model/ip.ts';
import type { ServiceRecord } from '../model/records.ts';
import {
  type EncodedRecord,
  FieldTags,
  newWriter,
  writeMap,
  writeReference,
  writeString,
  writeStrings,
  writeUint,
} from './encode-entity.ts';
import { enumValues } from './schema.ts';
import { type ValuePolicy, writeValues } from './value-policy.ts';

/** Everything but workloads and manual endpoints. The bytes are not sealed. */
export function encodeServiceRecord(record: ServiceRecord, policy: ValuePolicy): EncodedRecord {
  const writer = newWriter();
  writeString(writer, SERVICE.uid, record.uid);
  writeString(writer, SERVICE.namespace, record.namespace);
  writeString(writer, SERVICE.name, record.name);
  writeUint(writer, SERVICE.type, SERVICE_TYPES.get(record.serviceType) ?? 0);
  writeStrings(writer, SERVICE.clusterAddresses, canonicalIps(record.clusterIps));
  writeStrings(writer, SERVICE.loadBalancerAddresses, canonicalIps(record.loadBalancerIps));
  writeStrings(writer, SERVICE.loadBalancerHostnames, record.loadBalancerHostnames);
  writeStrings(writer, SERVICE.externalAddresses, canonicalIps(record.externalIps));
  for (const port of record.ports) {
    writer.uint32(SERVICE.ports).fork();
    writeString(writer, PORT.name, port.name);
    writeUint(writer, PORT.protocol, protocolNumber(port.protocol));
    writeUint(writer, PORT.port, port.port);
    writeString(writer, PORT.targetPort, port.targetPort);
    writeUint(writer, PORT.nodePort, port.nodePort);
    writeString(writer, PORT.appProtocol, port.appProtocol);
    writer.ldelim();
  }
  const selector = Object.keys(record.selector).sort();
  writeMap(
    writer,
    SERVICE.selector,
    selector.map((key) => [key, record.selector[key] ?? '']),
  );
  const ownLength = writer.len;
  writeValues(writer, SERVICE, record.labels, record.annotations, policy);
  return { bytes: writer.finish(), ownLength };
}

/** The fields `workloads` and `manual_endpoints`; both sorted by the caller. */
export function encodeServiceBackends(
  service: ObjectReference,
  workloads: readonly ObjectReference[],
  manualEndpoints: readonly string[],
): Uint8Array {
  const writer = newWriter();
  for (const workload of workloads) writeReference(writer, SERVICE.workloads, workload);
  for (const address of manualEndpoints) {
    writer.uint32(SERVICE.manualEndpoints).fork();
    writeString(writer, ENDPOINT.address, address);
    writeReference(writer, ENDPOINT.service, service);
    writer.ldelim();
  }
  return writer.finish();
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
  ports: service.delimited('ports'),
  selector: service.delimited('selector'),
  workloads: service.delimited('workloads'),
  manualEndpoints: service.delimited('manualEndpoints'),
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
