// Trims a decoded Kubernetes object to the record that the rest of digger sees; for pods see pod-from-object.ts.
//
// Reads objects of both encodings and yields equal records for equal objects. Never throws on strange content: what
// is missing or of the wrong type becomes `''`, `0`, `undefined` or an empty list, because one odd object must not
// stop a watch. Nothing of the object or of the page it came from is kept alive: records hold fresh or interned
// strings, numbers and new arrays only.

import type {
  EndpointRecord,
  EndpointSliceRecord,
  EndpointTarget,
  NamespaceRecord,
  NodeRecord,
  OwnerRecord,
  ServiceCidrRecord,
  ServicePortRecord,
  ServiceRecord,
} from '../../model/kubernetes/records.ts';
import type {
  EndpointAddressObject,
  EndpointSliceObject,
  EndpointsObject,
  KubernetesObject,
  NodeObject,
  ServiceCidrObject,
  ServiceObject,
  TargetReferenceObject,
} from './decoded-objects.ts';
import {
  isSet,
  list,
  NO_TEXTS,
  NOTHING,
  shared,
  text,
  toPort,
  toStringMap,
  toTargetPort,
  toTexts,
} from './lenient-fields.ts';
import { toMeta } from './object-meta.ts';

/** `discovery.k8s.io/v1` EndpointSlice: the label that names its service. */
const SERVICE_NAME_LABEL = 'kubernetes.io/service-name';

export function toServiceRecord(service: ServiceObject): ServiceRecord {
  const spec = service.spec ?? NOTHING;
  const ingress = list(service.status?.loadBalancer?.ingress);
  return {
    type: 'Service',
    ...toMeta(service),
    serviceType: shared(spec.type),
    clusterIps: toTexts(spec.clusterIPs, spec.clusterIP),
    externalIps: toTexts(spec.externalIPs, undefined),
    loadBalancerIps: ingress.map((entry) => text(entry?.ip)).filter(isSet),
    proxiedIps: ingress.map((entry) => (entry?.ipMode === 'Proxy' ? text(entry.ip) : '')).filter(isSet),
    loadBalancerHostnames: ingress.map((entry) => text(entry?.hostname)).filter(isSet),
    ports: list(spec.ports).map(
      (port): ServicePortRecord => ({
        name: shared(port?.name),
        protocol: shared(port?.protocol),
        port: toPort(port?.port),
        targetPort: toTargetPort(port?.targetPort),
        nodePort: toPort(port?.nodePort),
        appProtocol: shared(port?.appProtocol),
      }),
    ),
    selector: toStringMap(spec.selector),
    externalName: text(spec.externalName),
  };
}

export function toEndpointSliceRecord(slice: EndpointSliceObject): EndpointSliceRecord {
  const meta = toMeta(slice);
  return {
    type: 'EndpointSlice',
    ...meta,
    serviceName: meta.labels[SERVICE_NAME_LABEL] ?? '',
    endpoints: list(slice.endpoints).map(
      (endpoint): EndpointRecord => ({
        addresses: toTexts(endpoint?.addresses, undefined),
        ready: toReady(endpoint?.conditions),
        target: toTarget(endpoint?.targetRef),
      }),
    ),
  };
}

/** Endpoints in the shape of a slice, for clusters that serve no slices. */
export function endpointsToSliceRecord(endpoints: EndpointsObject): EndpointSliceRecord {
  const meta = toMeta(endpoints);
  const found: EndpointRecord[] = [];
  for (const subset of list(endpoints.subsets)) {
    for (const address of list(subset?.addresses)) found.push(toEndpoint(address, true));
    for (const address of list(subset?.notReadyAddresses)) found.push(toEndpoint(address, false));
  }
  return { type: 'EndpointSlice', ...meta, serviceName: meta.name, endpoints: found };
}

export function toNodeRecord(node: NodeObject): NodeRecord {
  return {
    type: 'Node',
    ...toMeta(node),
    addresses: list(node.status?.addresses).map((entry) => ({
      type: shared(entry?.type),
      address: text(entry?.address),
    })),
    podCidrs: toTexts(node.spec?.podCIDRs, node.spec?.podCIDR),
  };
}

export function toServiceCidrRecord(range: ServiceCidrObject): ServiceCidrRecord {
  return { type: 'ServiceCidr', ...toMeta(range), cidrs: toTexts(range.spec?.cidrs, undefined) };
}

export function toNamespaceRecord(namespace: KubernetesObject): NamespaceRecord {
  return { type: 'Namespace', ...toMeta(namespace) };
}

/** `apiVersion` and `kind` come from what was asked for: PartialObjectMetadata does not say what it is metadata of. */
export function toOwnerRecord(object: KubernetesObject, apiVersion: string, kind: string): OwnerRecord {
  return { type: 'Owner', ...toMeta(object), apiVersion, kind };
}

function toEndpoint(address: EndpointAddressObject, ready: boolean): EndpointRecord {
  const ip = text(address?.ip);
  return { addresses: ip === '' ? NO_TEXTS : [ip], ready, target: toTarget(address?.targetRef) };
}

/**
 * Unset means ready (API reference of EndpointConditions); protobufjs shows an unset bool as false on the prototype.
 */
function toReady(conditions: { readonly ready?: boolean | null | undefined } | null | undefined): boolean {
  if (conditions === null || conditions === undefined || !Object.hasOwn(conditions, 'ready')) return true;
  return conditions.ready !== false;
}

function toTarget(reference: TargetReferenceObject | null | undefined): EndpointTarget | undefined {
  if (reference === null || reference === undefined) return undefined;
  return {
    kind: shared(reference.kind),
    namespace: shared(reference.namespace),
    name: text(reference.name),
    uid: text(reference.uid),
  };
}
