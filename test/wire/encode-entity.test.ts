// What goes out is what the record says, field by field, read back by protobufjs from the contract alone.

import { type ByteString, NO_BYTES, toByteString } from '../../src/model/byte-string.ts';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { canonicalIps, parseIp } from '../../src/model/ip/ip.ts';
import type {
  ContainerRecord,
  NodeRecord,
  OwnerRecord,
  PodRecord,
  ServiceRecord,
  StringMap,
} from '../../src/model/kubernetes/records.ts';
import { encodeNodeRecord } from '../../src/wire/encode-node.ts';
import type { EncodedRecord } from '../../src/wire/encoded-entity.ts';
import { concatBytes, encodedBytes, type View } from '../../src/wire/encoded-entity.ts';
import { encodePodOwners, encodePodRecord, encodePodService } from '../../src/wire/encode-pod.ts';
import { toSecondsAndNanos } from '../../src/wire/seconds-and-nanos.ts';
import { encodeServiceBackends, encodeServiceRecord } from '../../src/wire/encode-service.ts';
import { encodeOwnerRecord, encodeWorkloadOwners } from '../../src/wire/encode-workload.ts';
import { messageType } from '../../src/wire/schema.ts';
import { DEFAULT_VALUE_POLICY, KeyList, type ValuePolicy } from '../../src/wire/value-policy.ts';

/** Plain objects, as decoders make them. */
const record = <T>(of: { [K in keyof T]: fc.Arbitrary<T[K]> }) => fc.record<T>(of, { noNullPrototype: true });

const text = fc.string({ unit: 'grapheme', maxLength: 12 });
const map: fc.Arbitrary<StringMap> = fc.dictionary(text, text, { maxKeys: 5, noNullPrototype: true });
const ips = fc.array(fc.oneof(fc.ipV4(), fc.ipV6(), fc.constantFrom('None', '', '::ffff:10.0.0.1')), { maxLength: 3 });
const timeMs = fc.option(fc.integer({ min: -1e12, max: 4e12 }), { nil: undefined });
const port = fc.integer({ min: 0, max: 65_535 });
const protocol = fc.constantFrom('', 'TCP', 'UDP', 'SCTP', 'QUIC');
const meta = {
  namespace: text,
  name: text,
  uid: text,
  labels: map,
  annotations: map,
  creationTimeMs: timeMs,
  deletionTimeMs: timeMs,
  controller: fc.constant(undefined),
};
const reference = record({
  apiVersion: text,
  kind: text,
  namespace: text,
  name: text,
  uid: text,
  incomplete: fc.boolean(),
  // As decoders see a field that is not written.
  hidden: fc.constant(false),
});

const containers: fc.Arbitrary<ContainerRecord> = record({
  type: fc.constantFrom('ordinary', 'sidecar', 'init', 'ephemeral'),
  name: text,
  image: text,
  containerId: text,
  previousContainerId: text,
  ended: fc.boolean(),
  imageDigest: fc.constantFrom('', 'sha256:00ff'),
  ports: fc.array(
    record({
      name: text,
      containerPort: port,
      hostPort: port,
      hostIp: fc.constantFrom('', '0.0.0.0', '10.0.0.1', '::'),
      protocol,
    }),
    { maxLength: 2 },
  ),
});

const pods: fc.Arbitrary<PodRecord> = record({
  type: fc.constant('Pod'),
  ...meta,
  nodeName: text,
  serviceAccount: text,
  ready: fc.boolean(),
  hostNetwork: fc.boolean(),
  phase: fc.constantFrom('Pending', 'Running', 'Succeeded', 'Failed', 'Unknown', '', 'Dreaming'),
  podIps: ips,
  hostIps: ips,
  startTimeMs: timeMs,
  sandboxReadyTimeMs: timeMs,
  finishedTimeMs: timeMs,
  containers: fc.array(containers, { maxLength: 2 }),
  otherContainers: fc.array(containers, { maxLength: 2 }),
  networks: fc.array(record({ name: text, interface: text, addresses: fc.array(fc.ipV4(), { maxLength: 2 }) }), {
    maxLength: 2,
  }),
});

const services: fc.Arbitrary<ServiceRecord> = record({
  type: fc.constant('Service'),
  ...meta,
  serviceType: fc.constantFrom('ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName', '', 'constructor'),
  clusterIps: ips,
  externalIps: ips,
  loadBalancerIps: ips,
  proxiedIps: ips,
  externalName: text,
  loadBalancerHostnames: fc.array(text, { maxLength: 2 }),
  ports: fc.array(record({ name: text, protocol, port, targetPort: text, nodePort: port, appProtocol: text }), {
    maxLength: 2,
  }),
  selector: map,
});

function encodePod(pod: PodRecord): EncodedRecord {
  const [addresses, hostAddresses] = [canonicalIps(pod.podIps), canonicalIps(pod.hostIps)];
  return encodePodRecord(pod, { addresses, hostAddresses, networks: pod.networks }, DEFAULT_VALUE_POLICY);
}

/** The message that goes out. */
function whole(record: EncodedRecord, joined: ByteString = NO_BYTES, view: View = 'FULL'): Uint8Array {
  return encodedBytes({ ...record, joined }, view);
}

function decode(name: string, bytes: Uint8Array): Record<string, unknown> {
  const type = messageType(`digger.v1.${name}`);
  return type.toObject(type.decode(bytes), { longs: Number, defaults: true, enums: String });
}

const protocolName = (name: string) =>
  name === '' ? 'PROTOCOL_TCP' : name === 'QUIC' ? 'PROTOCOL_UNSPECIFIED' : `PROTOCOL_${name}`;

const timestamp = (ms: number | undefined) =>
  ms === undefined ? null : { seconds: Math.floor(ms / 1000), nanos: (ms - Math.floor(ms / 1000) * 1000) * 1e6 };

const NODE: NodeRecord = {
  ...{ type: 'Node', namespace: '', name: 'n', uid: 'u', labels: {}, annotations: {}, addresses: [], podCidrs: [] },
  ...{ creationTimeMs: undefined, deletionTimeMs: undefined, controller: undefined },
};

describe('an encoded entity', () => {
  it('is its pod, field by field, and without its detail the basic view', () => {
    fc.assert(
      fc.property(
        pods,
        reference,
        fc.array(reference, { maxLength: 3 }),
        fc.array(reference, { maxLength: 2 }),
        (pod, workload, chain, in_) => {
          const record = encodePod(pod);
          const joined = concatBytes(encodePodOwners(workload, chain), ...in_.map(encodePodService));
          const basic = {
            uid: pod.uid,
            namespace: pod.namespace,
            name: pod.name,
            addresses: canonicalIps(pod.podIps),
            hostNetwork: pod.hostNetwork,
            nodeName: pod.nodeName,
            hostAddresses: canonicalIps(pod.hostIps),
            phase: ['', 'Dreaming'].includes(pod.phase)
              ? 'POD_PHASE_UNSPECIFIED'
              : `POD_PHASE_${pod.phase.toUpperCase()}`,
            workload,
            ownerChain: chain,
            services: in_,
            zone: '',
            region: '',
            serviceAccount: pod.serviceAccount,
            ready: pod.ready,
            serviceCount: 0,
            endpointAddresses: [],
            networks: pod.networks,
            startTime: timestamp(pod.startTimeMs),
            deletionTime: timestamp(pod.deletionTimeMs),
          };
          const told = ({ type, ports, name, image, containerId, previousContainerId, ended }: ContainerRecord) => ({
            ...{ name, image, containerId, previousContainerId, ended },
            type: `CONTAINER_TYPE_${type === 'ordinary' ? 'UNSPECIFIED' : type.toUpperCase()}`,
            ports: ports.map((each) => ({
              ...each,
              hostIp: each.hostIp === '10.0.0.1' ? each.hostIp : '',
              protocol: protocolName(each.protocol),
            })),
          });
          const { labels, annotations } = pod;
          assert.deepEqual(decode('Pod', whole(record, joined)), {
            ...basic,
            labels,
            annotations,
            imageDigests: Object.fromEntries(
              pod.containers.flatMap(({ name, imageDigest }) => (imageDigest === '' ? [] : [[name, imageDigest]])),
            ),
            containers: pod.containers.map(told),
            otherContainers: pod.otherContainers.map(told),
            omitted: [],
          });
          const nothing = {
            ...{ labels: {}, annotations: {}, imageDigests: {}, containers: [], otherContainers: [], omitted: [] },
          };
          assert.deepEqual(decode('Pod', whole(record, joined, 'BASIC')), { ...basic, ...nothing });
        },
      ),
    );
  });

  it('is its service, field by field', () => {
    fc.assert(
      fc.property(
        services,
        reference,
        fc.array(reference, { maxLength: 2 }),
        fc.array(fc.ipV4(), { maxLength: 2 }),
        (service, self, workloads, manual) => {
          const record = encodeServiceRecord(service, DEFAULT_VALUE_POLICY);
          const joined = encodeServiceBackends(self, {
            workloads,
            workloadCount: 7,
            manualEndpoints: manual,
            manualEndpointCount: 0,
          });
          const types: Record<string, string> = {
            ClusterIP: 'CLUSTER_IP',
            NodePort: 'NODE_PORT',
            LoadBalancer: 'LOAD_BALANCER',
            ExternalName: 'EXTERNAL_NAME',
          };
          const { uid, namespace, name, selector, labels, annotations, loadBalancerHostnames, externalName } = service;
          assert.deepEqual(decode('Service', whole(record, joined)), {
            ...{ uid, namespace, name, selector, labels, annotations, loadBalancerHostnames, workloads, omitted: [] },
            type: `SERVICE_TYPE_${Object.hasOwn(types, service.serviceType) ? types[service.serviceType] : 'UNSPECIFIED'}`,
            clusterAddresses: canonicalIps(service.clusterIps),
            loadBalancerAddresses: canonicalIps(service.loadBalancerIps),
            externalAddresses: canonicalIps(service.externalIps),
            ports: service.ports.map((each) => ({ ...each, protocol: protocolName(each.protocol) })),
            workloadCount: 7,
            manualEndpoints: manual.map((address) => ({ address, service: self })),
            manualEndpointCount: 0,
            externalName,
            proxiedLoadBalancerAddresses: canonicalIps(service.proxiedIps),
          });
        },
      ),
    );
  });

  it('is its node or its owner, field by field', () => {
    const nodes: fc.Arbitrary<NodeRecord> = record({
      type: fc.constant('Node'),
      ...meta,
      addresses: fc.array(record({ type: text, address: fc.oneof(fc.ipV6(), text) }), { maxLength: 3 }),
      podCidrs: fc.array(text, { maxLength: 2 }),
    });
    const zoned = fc.tuple(nodes, text, text).map(([node, zone, region]) => ({
      ...node,
      labels: { ...node.labels, 'topology.kubernetes.io/zone': zone, 'topology.kubernetes.io/region': region },
    }));
    fc.assert(
      fc.property(zoned, (node) => {
        const { name, uid, labels, podCidrs } = node;
        assert.deepEqual(
          decode('Node', whole(encodeNodeRecord(node, { addresses: [], podRanges: podCidrs }, DEFAULT_VALUE_POLICY))),
          {
            ...{ name, uid, labels, podRanges: podCidrs, omitted: [] },
            addresses: node.addresses.map(({ type, address }) => ({ type, address: parseIp(address) ?? address })),
            zone: labels['topology.kubernetes.io/zone'],
            region: labels['topology.kubernetes.io/region'],
            deletionTime: timestamp(node.deletionTimeMs),
          },
        );
      }),
    );
    const owners: fc.Arbitrary<OwnerRecord> = record({
      type: fc.constant('Owner'),
      ...meta,
      apiVersion: text,
      kind: text,
    });
    fc.assert(
      fc.property(owners, fc.array(reference, { maxLength: 2 }), (owner, ownerChain) => {
        const entity = whole(encodeOwnerRecord(owner, DEFAULT_VALUE_POLICY), encodeWorkloadOwners(ownerChain));
        const { apiVersion, kind, namespace, name, uid, labels, annotations } = owner;
        const facts = { apiVersion, kind, namespace, name, uid, labels, annotations, ownerChain };
        assert.deepEqual(decode('Workload', entity), { ...facts, incomplete: false, omitted: [] });
      }),
    );
  });

  it('does not depend on the order in which a map was written', () => {
    fc.assert(
      fc.property(pods, (pod) => {
        const reversed = { ...pod, labels: Object.fromEntries(Object.entries(pod.labels).toReversed()) };
        assert.deepEqual(encodePod(reversed), encodePod(pod));
      }),
    );
  });

  it('leaves out values that the policy denies or that are too large, and names their keys', () => {
    const policy: ValuePolicy = { ...DEFAULT_VALUE_POLICY, deniedLabels: new Set(['secret']) };
    const owner: OwnerRecord = {
      ...{ type: 'Owner', apiVersion: 'v1', kind: 'X', namespace: 'n', name: 'x', uid: 'u' },
      ...{ creationTimeMs: undefined, deletionTimeMs: undefined, controller: undefined },
      labels: { secret: 's', open: 'o' },
      annotations: {
        'kubectl.kubernetes.io/last-applied-configuration': '{}',
        // 1,024 bytes stay, 1,025 go; the same in characters of three bytes.
        fits: 'x'.repeat(1024),
        large: 'x'.repeat(1025),
        wide: '€'.repeat(342),
      },
    };
    const decoded = decode('Workload', whole(encodeOwnerRecord(owner, policy)));
    assert.deepEqual(Object.keys(decoded['annotations'] as object), ['fits']);
    assert.deepEqual(decoded['labels'], { open: 'o' });
    assert.deepEqual(decoded['omitted'], [
      'annotations/kubectl.kubernetes.io/last-applied-configuration',
      'annotations/large',
      'annotations/wide',
      'labels/secret',
    ]);
  });

  it('14.11: leaves zone and region of a node out when the policy denies their labels, or does not list them', () => {
    const labels = { 'topology.kubernetes.io/zone': 'z', 'topology.kubernetes.io/region': 'r' };
    const zonesWith = (policy: Partial<ValuePolicy>) => {
      const record = encodeNodeRecord(
        { ...NODE, labels },
        { addresses: [], podRanges: [] },
        { ...DEFAULT_VALUE_POLICY, ...policy },
      );
      const { zone, region } = decode('Node', whole(record));
      return [zone, region];
    };
    assert.deepEqual(zonesWith({}), ['z', 'r']);
    assert.deepEqual(zonesWith({ deniedLabels: new KeyList(['topology.kubernetes.io/*']) }), ['', '']);
    assert.deepEqual(zonesWith({ deniedLabels: new Set(['topology.kubernetes.io/zone']) }), ['', 'r']);
    assert.deepEqual(zonesWith({ allowedLabels: new Set(['app']) }), ['', '']);
  });

  it('publishes only what is on the list where there is one, of labels in selectors too; what is denied wins', () => {
    const policy: ValuePolicy = {
      deniedAnnotations: new KeyList(['example.com/secret']),
      allowedAnnotations: new KeyList(['example.com/*', 'team']),
      deniedLabels: new KeyList([]),
      allowedLabels: new KeyList(['app']),
      maxValueBytes: 1024,
    };
    const values = {
      app: 'a',
      team: 't',
      'example.com/open': 'o',
      'example.com/secret': 's',
      'sub.example.com/open': 'x',
    };
    const service: ServiceRecord = {
      ...{ type: 'Service', namespace: 'n', name: 's', uid: 'u', serviceType: 'ClusterIP' },
      ...{ creationTimeMs: undefined, deletionTimeMs: undefined, controller: undefined },
      ...{
        clusterIps: [],
        externalIps: [],
        proxiedIps: [],
        externalName: '',
        loadBalancerIps: [],
        loadBalancerHostnames: [],
        ports: [],
      },
      ...{ labels: values, annotations: values, selector: { app: 'a', team: 't' } },
    };
    const decoded = decode('Service', whole(encodeServiceRecord(service, policy)));
    assert.deepEqual(decoded['labels'], { app: 'a' });
    assert.deepEqual(decoded['selector'], { app: 'a' });
    assert.deepEqual(decoded['annotations'], { team: 't', 'example.com/open': 'o' });
    assert.deepEqual(decoded['omitted'], [
      'selector/team',
      'annotations/app',
      'annotations/example.com/secret',
      'annotations/sub.example.com/open',
      ...['example.com/open', 'example.com/secret', 'sub.example.com/open', 'team'].map((key) => `labels/${key}`),
    ]);
  });

  it('14.11: has moments whose nanoseconds end below a second, also where a moment rounds up to it', () => {
    assert.deepEqual(toSecondsAndNanos(-1e-20), { seconds: 0, nanos: 0 });
    fc.assert(
      fc.property(fc.double({ min: -1e12, max: 4e12, noNaN: true }), (ms) => {
        const { seconds, nanos } = toSecondsAndNanos(ms);
        assert.ok(Number.isInteger(seconds) && Number.isInteger(nanos) && nanos >= 0 && nanos < 1e9, `${ms}`);
        assert.ok(Math.abs(seconds * 1000 + nanos / 1e6 - ms) < 0.001, `${ms}`);
      }),
    );
  });

  it('is kept as text of one character a byte, whatever the bytes are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.uint8Array({ maxLength: 300 }), (a, b) => {
        const text = concatBytes(toByteString(Buffer.from(a)), toByteString(Buffer.from(b)));
        assert.equal(text.length, a.length + b.length);
        assert.deepEqual(new Uint8Array(Buffer.from(text, 'latin1')), Uint8Array.of(...a, ...b));
      }),
    );
  });
});
