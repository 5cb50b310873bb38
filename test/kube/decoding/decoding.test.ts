// Bytes to records: both encodings say the same, bytes may come in any pieces, and strange content harms nothing.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import { createListBody, type Encoding, type ListMeta } from '../../../src/kube/decoding/list-body.ts';
import { kubernetesType } from '../../../src/kube/decoding/kubernetes-schema.ts';
import {
  type Decoded,
  endpointsDecoder,
  endpointSliceDecoder,
  nodeDecoder,
  ownerDecoder,
  podDecoder,
  serviceCidrDecoder,
  type RecordDecoder,
  serviceDecoder,
} from '../../../src/kube/decoding/record-decoder.ts';
import { createWatchBody, type WatchEvent } from '../../../src/kube/decoding/watch-body.ts';
import { WireError } from '../../../src/kube/wire-error.ts';
import type { KubernetesRecord, PodRecord } from '../../../src/model/kubernetes/records.ts';

/** Its address on the cluster's network is not repeated. */
const NETWORKS = JSON.stringify([
  { name: 'cbr0', ips: ['10.1.0.1', 'fd00:10:128::42'], default: true },
  { name: 'shop/storage', interface: 'net1', ips: ['::ffff:10.7.0.1'] },
]);
const POD = {
  metadata: {
    name: 'cart-0',
    namespace: 'shop',
    uid: 'u1',
    resourceVersion: '41',
    creationTimestamp: '2026-01-02T03:04:05Z',
    deletionTimestamp: '2026-01-03T03:04:05Z',
    labels: { app: 'cart', grün: 'ja 🐳' },
    annotations: { note: '', 'k8s.v1.cni.cncf.io/network-status': NETWORKS },
    ownerReferences: [
      { apiVersion: 'v1', kind: 'Node', name: 'n', uid: 'x' },
      { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'cart', uid: 's1', controller: true },
    ],
  },
  spec: {
    nodeName: 'node-1',
    serviceAccountName: 'cart',
    hostNetwork: true,
    initContainers: [
      { name: 'setup', image: 'i' },
      { name: 'mesh', image: 'm', restartPolicy: 'Always', ports: [{ containerPort: 15001 }] },
    ],
    containers: [
      {
        name: 'app',
        image: 'a:1',
        ports: [{ name: 'http', containerPort: 80, hostPort: 8080, protocol: 'TCP', hostIP: '::' }],
      },
    ],
    ephemeralContainers: [{ name: 'debug', image: 'busybox' }],
  },
  status: {
    phase: 'Running',
    hostIP: '10.0.0.1',
    podIP: '10.1.0.1',
    podIPs: [{ ip: '10.1.0.1' }, { ip: 'fd00:10:128:0::42' }],
    startTime: '2026-01-02T03:04:06Z',
    conditions: [
      { type: 'Ready', status: 'True', lastTransitionTime: '2026-01-02T03:04:08Z' },
      { type: 'PodReadyToStartContainers', status: 'True', lastTransitionTime: '2026-01-02T03:04:07Z' },
    ],
    containerStatuses: [
      {
        name: 'app',
        containerID: 'containerd://1',
        imageID: 'docker.io/library/a@sha256:00ff',
        state: { terminated: { finishedAt: '2026-01-02T04:00:00Z' } },
        lastState: { terminated: { containerID: 'containerd://3', finishedAt: '2026-01-02T03:40:00Z' } },
      },
    ],
    ephemeralContainerStatuses: [{ name: 'debug', containerID: 'containerd://5', state: { running: {} } }],
    initContainerStatuses: [
      // Between two attempts.
      {
        name: 'setup',
        containerID: 'containerd://4',
        state: { terminated: { finishedAt: '2026-01-02T03:30:00Z' } },
        lastState: { terminated: { containerID: 'containerd://4' } },
      },
      // The id of a configuration, which names no image.
      {
        name: 'mesh',
        containerID: 'containerd://2',
        imageID: 'sha256:0011',
        state: { terminated: { finishedAt: '2026-01-02T05:00:00Z' } },
      },
    ],
  },
};
const META = {
  name: 'o',
  namespace: 'shop',
  uid: 'u',
  resourceVersion: '7',
  labels: { 'kubernetes.io/service-name': 'cart' },
};
const TARGET = { kind: 'Pod', namespace: 'shop', name: 'cart-0', uid: 'u1' };
const SERVICE = {
  metadata: META,
  spec: {
    type: 'LoadBalancer',
    clusterIP: 'None',
    externalIPs: ['192.0.2.1'],
    selector: { app: 'cart' },
    ports: [
      { name: 'http', port: 80, targetPort: 'http', nodePort: 30080, appProtocol: 'h2c' },
      { name: 'raw', port: 81, targetPort: 8081, protocol: 'UDP' },
    ],
  },
  status: { loadBalancer: { ingress: [{ ip: '192.0.2.2' }, { hostname: 'lb.example.com' }] } },
};
const SLICE = {
  metadata: META,
  endpoints: [
    { addresses: ['10.1.0.1'], conditions: {}, targetRef: TARGET },
    { addresses: ['10.1.0.2'], conditions: { ready: false } },
    { addresses: ['not an address'] },
  ],
};
const ENDPOINTS = {
  metadata: META,
  subsets: [{ addresses: [{ ip: '10.1.0.1', targetRef: TARGET }], notReadyAddresses: [{ ip: '10.1.0.2' }] }],
};
const NODE = {
  metadata: META,
  spec: { podCIDR: '10.1.0.0/24' },
  status: { addresses: [{ type: 'InternalIP', address: '10.0.0.1' }] },
};

const KINDS: readonly (readonly [string, RecordDecoder<KubernetesRecord>, object])[] = [
  ['Pod', podDecoder, POD],
  ['Service', serviceDecoder, SERVICE],
  ['EndpointSlice', endpointSliceDecoder, SLICE],
  ['Endpoints', endpointsDecoder, ENDPOINTS],
  ['Node', nodeDecoder, NODE],
  ['ServiceCIDR', serviceCidrDecoder, { metadata: META, spec: { cidrs: ['10.96.0.0/16', 'fd00:10:96::/112'] } }],
  ['PartialObjectMetadata', ownerDecoder('apps/v1', 'Deployment'), { metadata: META }],
];

/** An object as it is written in JSON, encoded as protobuf: times and IntOrString are messages there. */
function encode(kind: string, object: object): Uint8Array {
  const toMessage = (value: unknown, key: string): unknown => {
    if (/(Timestamp|Time|At)$/.test(key) && typeof value === 'string')
      return { seconds: Date.parse(value) / 1000, nanos: 0 };
    if (key === 'targetPort')
      return typeof value === 'number' ? { type: 0, intVal: value } : { type: 1, strVal: value };
    if (key === 'ephemeralContainers' && Array.isArray(value))
      return value.map((entry) => ({ ephemeralContainerCommon: toMessage(entry, '') }));
    if (Array.isArray(value)) return value.map((entry) => toMessage(entry, ''));
    if (typeof value === 'object' && value !== null) {
      return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, toMessage(entry, name)]));
    }
    return value;
  };
  const type = kubernetesType(kind);
  return type.encode(type.fromObject(toMessage(object, '') as Record<string, unknown>)).finish();
}

function field(number: number, bytes: Uint8Array): Uint8Array {
  return protobuf.Writer.create()
    .uint32((number << 3) | 2)
    .bytes(bytes)
    .finish();
}

function envelope(kind: string, raw: Uint8Array): Buffer {
  const typeMeta = kubernetesType('TypeMeta').encode({ apiVersion: 'v1', kind }).finish();
  return Buffer.concat([
    Buffer.from('k8s\0'),
    field(1, typeMeta),
    field(2, raw),
    field(3, Buffer.alloc(0)),
    field(4, Buffer.alloc(0)),
  ]);
}

function protobufList(kind: string, objects: readonly object[], more = ''): Buffer {
  const meta = kubernetesType('ListMeta').encode({ resourceVersion: '99', continue: more }).finish();
  const items = objects.map((object) => field(2, encode(kind, object)));
  return envelope(`${kind}List`, Buffer.concat([field(1, meta), ...items]));
}

function jsonList(kind: string, objects: readonly object[], more = ''): Buffer {
  const metadata = { resourceVersion: '99', continue: more };
  return Buffer.from(JSON.stringify({ kind: `${kind}List`, apiVersion: 'v1', metadata, items: objects }));
}

function frame(type: string, kind: string, object: object): Buffer {
  const body = kubernetesType('WatchEvent')
    .encode({ type, object: { raw: envelope(kind, encode(kind, object)) } })
    .finish();
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length);
  return Buffer.concat([length, body]);
}

/** `cuts` in [0, 1]: where to split. */
function split(bytes: Buffer, cuts: readonly number[]): readonly Buffer[] {
  const offsets = [0, ...cuts.map((cut) => Math.floor(cut * bytes.length)).sort((a, b) => a - b), bytes.length];
  return offsets.slice(1).map((end, index) => bytes.subarray(offsets[index], end));
}

function decodeList<R extends KubernetesRecord>(
  encoding: Encoding,
  decoder: RecordDecoder<R>,
  pieces: readonly Buffer[],
): { readonly items: readonly Decoded<R>[]; readonly meta: ListMeta } {
  const items: Decoded<R>[] = [];
  const body = createListBody(encoding, decoder, (item) => items.push(item));
  for (const piece of pieces) body.push(piece);
  return { items, meta: body.end() };
}

const anyCuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 40 });

test('a pod becomes the record that says what the API said', () => {
  const { record, resourceVersion } = podDecoder.fromJson(POD);
  assert.equal(resourceVersion, '41');
  const expected: PodRecord = {
    type: 'Pod',
    namespace: 'shop',
    name: 'cart-0',
    uid: 'u1',
    labels: { app: 'cart', grün: 'ja 🐳' },
    annotations: { note: '', 'k8s.v1.cni.cncf.io/network-status': NETWORKS },
    creationTimeMs: Date.UTC(2026, 0, 2, 3, 4, 5),
    deletionTimeMs: Date.UTC(2026, 0, 3, 3, 4, 5),
    controller: { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'cart', uid: 's1' },
    nodeName: 'node-1',
    serviceAccount: 'cart',
    ready: true,
    hostNetwork: true,
    phase: 'Running',
    podIps: ['10.1.0.1', 'fd00:10:128:0::42'],
    hostIps: ['10.0.0.1'],
    startTimeMs: Date.UTC(2026, 0, 2, 3, 4, 6),
    sandboxReadyTimeMs: Date.UTC(2026, 0, 2, 3, 4, 7),
    finishedTimeMs: Date.UTC(2026, 0, 2, 5),
    containers: [
      {
        type: 'sidecar',
        name: 'mesh',
        image: 'm',
        containerId: 'containerd://2',
        previousContainerId: '',
        ended: true,
        imageDigest: '',
        ports: [{ name: '', containerPort: 15001, hostPort: 0, hostIp: '', protocol: '' }],
      },
      {
        type: 'ordinary',
        name: 'app',
        image: 'a:1',
        containerId: 'containerd://1',
        previousContainerId: 'containerd://3',
        ended: true,
        imageDigest: 'sha256:00ff',
        ports: [{ name: 'http', containerPort: 80, hostPort: 8080, hostIp: '::', protocol: 'TCP' }],
      },
    ],
    otherContainers: [
      {
        ...{ type: 'init', name: 'setup', image: 'i', imageDigest: '', ports: [] },
        ...{ containerId: 'containerd://4', previousContainerId: '', ended: true },
      },
      {
        ...{ type: 'ephemeral', name: 'debug', image: 'busybox', imageDigest: '', ports: [] },
        ...{ containerId: 'containerd://5', previousContainerId: '', ended: false },
      },
    ],
    networks: [{ name: 'shop/storage', interface: 'net1', addresses: ['10.7.0.1'] }],
  };
  assert.deepEqual(record, expected);
});

for (const [kind, decoder, object] of KINDS) {
  test(`${kind}: protobuf and JSON give equal records, listed in whatever pieces the bytes come`, () => {
    const expected = [decoder.fromJson(object), decoder.fromJson({ metadata: META })];
    const objects = [object, { metadata: META }];
    const bodies = { protobuf: protobufList(kind, objects, 'more'), json: jsonList(kind, objects, 'more') };
    fc.assert(
      fc.property(fc.constantFrom<Encoding>('protobuf', 'json'), anyCuts, (encoding, cuts) => {
        const { items, meta } = decodeList(encoding, decoder, split(bodies[encoding], cuts));
        assert.deepEqual(items, expected);
        assert.deepEqual(meta, { resourceVersion: '99', continueToken: 'more' });
      }),
    );
  });
}

test('an endpoint without a condition is ready, and Endpoints look like slices', () => {
  assert.deepEqual(
    endpointSliceDecoder.fromProtobuf(encode('EndpointSlice', SLICE)).record.endpoints.map(({ ready }) => ready),
    [true, false, true],
  );
  const { record } = endpointsDecoder.fromProtobuf(encode('Endpoints', ENDPOINTS));
  assert.equal(record.serviceName, 'o');
  assert.deepEqual(
    record.endpoints.map(({ addresses, ready }) => [addresses[0], ready]),
    [
      ['10.1.0.1', true],
      ['10.1.0.2', false],
    ],
  );
});

test('watch frames may be split anywhere', () => {
  const frames = Buffer.concat([
    frame('ADDED', 'Pod', POD),
    frame('DELETED', 'Pod', { metadata: POD.metadata }),
    frame('BOOKMARK', 'Pod', { metadata: { resourceVersion: '50' } }),
  ]);
  fc.assert(
    fc.property(anyCuts, (cuts) => {
      const body = createWatchBody('protobuf', podDecoder);
      const events: WatchEvent<PodRecord>[] = split(frames, cuts).flatMap((piece) => [...body.push(piece)]);
      body.end();
      assert.deepEqual(
        events.map((event) => [event.type, event.type === 'ERROR' ? '' : event.resourceVersion]),
        [
          ['ADDED', '41'],
          ['DELETED', '41'],
          ['BOOKMARK', '50'],
        ],
      );
      assert.deepEqual(events[0]?.type === 'ADDED' && events[0].record, podDecoder.fromJson(POD).record);
    }),
  );
});

test('whatever part of a list is missing at the end, it is refused', () => {
  for (const [encoding, bytes] of [
    ['protobuf', protobufList('Pod', [POD])],
    ['json', jsonList('Pod', [POD])],
  ] as const) {
    // Behind the list itself the envelope has two empty fields, without which it is still whole.
    const whole = encoding === 'protobuf' ? bytes.length - 4 : bytes.length;
    for (let length = 0; length < whole; length += 1) {
      assert.throws(
        () => decodeList(encoding, podDecoder, [bytes.subarray(0, length)]),
        WireError,
        `${encoding} ${length}`,
      );
    }
  }
});

test('damaged bytes are refused or read as something, but never crash or hang', () => {
  const bodies = [protobufList('Pod', [POD, POD]), jsonList('Pod', [POD, POD])] as const;
  fc.assert(
    fc.property(fc.constantFrom(0, 1), fc.nat(), fc.integer({ min: 0, max: 255 }), (which, position, value) => {
      const bytes = Buffer.from(bodies[which] ?? []);
      bytes[position % bytes.length] = value;
      try {
        decodeList(which === 0 ? 'protobuf' : 'json', podDecoder, [bytes]);
      } catch (error) {
        assert.ok(error instanceof WireError, String(error));
      }
    }),
    { numRuns: 1_000 },
  );
});

test('strange values in JSON become empty ones', () => {
  const strange = fc.object({
    key: fc.constantFrom(
      ...'metadata spec status labels ownerReferences containers ports podIPs conditions state addresses endpoints subsets targetRef targetPort creationTimestamp seconds type __proto__'.split(
        ' ',
      ),
    ),
  });
  fc.assert(
    fc.property(strange, (object) => {
      for (const [, decoder] of KINDS) {
        const { record } = decoder.fromJson(object);
        assert.equal(typeof record.name, 'string');
        assert.equal(Object.getPrototypeOf(record.labels), Object.prototype);
      }
    }),
    { numRuns: 5_000 },
  );
});

test('no time, year 1 and nonsense are no time', () => {
  const at = (creationTimestamp: unknown) =>
    podDecoder.fromJson({ metadata: { creationTimestamp } }).record.creationTimeMs;
  assert.deepEqual([at(null), at('0001-01-01T00:00:00Z'), at('yesterday'), at(undefined)], Array(4).fill(undefined));
  assert.equal(at('1970-01-01T00:00:00Z'), 0);
  const { record } = podDecoder.fromProtobuf(field(1, field(8, Buffer.alloc(0))));
  assert.equal(record.creationTimeMs, undefined);
});

test('a pod that was failed from afar, with containers that still run according to their status, has no time of its end', () => {
  const ended = { state: { terminated: { finishedAt: '2026-01-02T03:04:05Z' } } };
  const finishedTime = (status: object) => podDecoder.fromJson({ metadata: META, status }).record.finishedTimeMs;
  const running = { state: { running: {} } };
  assert.equal(finishedTime({ initContainerStatuses: [ended], containerStatuses: [running] }), undefined);
  assert.equal(finishedTime({ initContainerStatuses: [ended], containerStatuses: [ended, running] }), undefined);
  assert.equal(finishedTime({ initContainerStatuses: [running], containerStatuses: [ended] }), undefined);
  assert.equal(finishedTime({ initContainerStatuses: [ended] }), undefined);
  assert.equal(finishedTime({ containerStatuses: [ended], ephemeralContainerStatuses: [running] }), 1_767_323_045_000);
});
