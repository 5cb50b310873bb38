// Objects with strange values in them do no harm: they become records, entities and claims like any others.
//
// A field may hold what no validation would let through (another version's, an aggregated server's, a broken
// controller's): addresses that are none, times of the year 1 or 300,000, negative ports, numbers beyond every type, a
// list for a text. And a newer server writes fields that the subset in proto/kubernetes does not know, at any depth.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from '@prometheus-io/client';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import { AddressBook } from '../../../src/addresses/address-book.ts';
import { Catalog } from '../../../src/catalog/catalog.ts';
import { kubernetesType } from '../../../src/kube/decoding/kubernetes-schema.ts';
import {
  endpointsDecoder,
  endpointSliceDecoder,
  nodeDecoder,
  ownerDecoder,
  plainOwnerDecoder,
  plainPodDecoder,
  podDecoder,
  type RecordDecoder,
  serviceCidrDecoder,
  serviceDecoder,
} from '../../../src/kube/decoding/record-decoder.ts';
import { decode } from '../../catalog/harness.ts';
import type { ReflectorStore } from '../../../src/kube/reflector/store.ts';
import { WireError } from '../../../src/kube/wire-error.ts';
import type { KubernetesRecord } from '../../../src/model/kubernetes/records.ts';

type Store = Pick<ReflectorStore<KubernetesRecord>, 'upsert' | 'remove'>;

const NOW_MS = Date.UTC(2026, 10, 23);
const YEAR_1_MS = Date.parse('0001-01-01T00:00:00Z');
const YEAR_10000_MS = Date.parse('+010000-01-01T00:00:00Z');
const SEEN = { atMs: NOW_MS };

const KINDS: readonly (readonly [string, RecordDecoder<KubernetesRecord>])[] = [
  ['Pod', podDecoder],
  ['Service', serviceDecoder],
  ['EndpointSlice', endpointSliceDecoder],
  ['Endpoints', endpointsDecoder],
  ['Node', nodeDecoder],
  ['ServiceCIDR', serviceCidrDecoder],
  ['PartialObjectMetadata', ownerDecoder('apps/v1', 'Deployment')],
];

const texts = [
  ...[
    '',
    'x',
    'not an address',
    '999.1.1.1',
    '10.0.0.1',
    '10.0.0.1/33',
    'fd00::1%eth0',
    '::ffff:10.0.0.1',
    '10.0.0.0/8',
  ],
  ...['Running', 'Failed', 'Always', 'True', 'TCP', 'PodReadyToStartContainers', 'None', 'NodePort', '__proto__'],
  ...[
    '0001-01-01T00:00:00Z',
    '9999-12-31T23:59:59Z',
    '-271821-04-20T00:00:00Z',
    '+275760-09-13T00:00:00Z',
    '2026-11-23T00:00:00.999999999Z',
  ],
  'ä\u0000\ud800🐳'.repeat(50),
];
const numbers = [0, -1, 1, 80, 65_536, 2 ** 31 - 1, -(2 ** 31), 2 ** 32, 2 ** 53, -(2 ** 63), 1e300, -1e-300, 0.5];
const anyText = fc.oneof(fc.constantFrom(...texts), fc.string());
/** Few, so that the statuses are often those of the containers, and an id often that of the one before. */
const FEW_TEXTS: Readonly<Record<string, readonly string[]>> = {
  name: ['a', 'b'],
  containerID: ['', 'containerd://a', 'containerd://b'],
  restartPolicy: ['', 'Always'],
};
const networkNotes = fc.dictionary(
  fc.constantFrom(
    'k8s.v1.cni.cncf.io/network-status',
    'k8s.v1.cni.cncf.io/networks-status',
    'k8s.ovn.org/pod-networks',
  ),
  fc.constantFrom(
    '[{"name": "blue/net", "interface": "net1", "ips": ["10.0.0.5", "10.0.0.1"]}]',
    '{"blue/net": {"ip_addresses": ["10.0.0.5/24"]}, "default": {}}',
    '[',
  ),
);
/** What may stand anywhere in JSON. */
const anything = fc.oneof(
  anyText,
  fc.constantFrom(...numbers),
  fc.constantFrom(null, true, false, [], {}, [null], [[]], [{}], { seconds: -1 }, { toNumber: 1 }),
);

/** An object of the type as JSON writes it: each field as it should be, or strange, or missing. */
function strangeJson(type: protobuf.Type, depth = 0): fc.Arbitrary<unknown> {
  if (type.name === 'Time') return fc.oneof(anyText, anything);
  if (type.name === 'IntOrString') return anything;
  const model: Record<string, fc.Arbitrary<unknown>> = {};
  for (const field of type.fieldsArray) {
    const { resolvedType } = field;
    const one = field.map
      ? fc.dictionary(fc.constantFrom('app', 'kubernetes.io/service-name', '__proto__', ''), anything, { maxKeys: 3 })
      : resolvedType instanceof protobuf.Type
        ? strangeJson(resolvedType, depth + 1)
        : field.type === 'string'
          ? anyText
          : field.type === 'bool'
            ? fc.boolean()
            : fc.constantFrom(...numbers);
    const whole = field.repeated ? fc.array(one, { maxLength: 3 }) : one;
    model[field.name] = fc.oneof({ weight: 9, arbitrary: whole }, { weight: 1, arbitrary: anything });
  }
  return fc.record(model, { requiredKeys: depth === 0 ? type.fieldsArray.map(({ name }) => name) : [] });
}

/** A message of the type with values that protobuf can carry. */
function strangeMessage(type: protobuf.Type, depth = 0): fc.Arbitrary<object> {
  const model: Record<string, fc.Arbitrary<unknown>> = {};
  for (const field of type.fieldsArray) {
    const { resolvedType } = field;
    const few = FEW_TEXTS[field.name];
    const strings = fc.dictionary(fc.constantFrom('app', 'kubernetes.io/service-name', ''), anyText, { maxKeys: 3 });
    const one: fc.Arbitrary<unknown> = field.map
      ? field.name === 'annotations'
        ? fc.oneof(strings, networkNotes)
        : strings
      : resolvedType instanceof protobuf.Type
        ? strangeMessage(resolvedType, depth + 1)
        : field.type === 'string'
          ? few === undefined
            ? anyText
            : fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...few) }, anyText)
          : field.type === 'bool'
            ? fc.boolean()
            : field.type === 'int64'
              ? fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((value) => toLong(value))
              : fc.integer();
    model[field.name] = field.repeated ? fc.array(one, { maxLength: 3 }) : one;
  }
  return fc.record(model, { requiredKeys: depth === 0 ? type.fieldsArray.map(({ name }) => name) : [] });
}

test('strange values become records, entities and claims, and break nothing on the way', async () => {
  const kinds = KINDS.map(([kind, decoder]) => {
    const type = kubernetesType(kind);
    const asJson = strangeJson(type).map((object) => decoder.fromJson(object).record);
    const asProtobuf = strangeMessage(type).map((object) => decoder.fromProtobuf(type.encode(object).finish()).record);
    return fc.oneof(asJson, asProtobuf);
  });
  let entities = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(...kinds), { maxLength: 12, size: 'max' }), async (records) => {
      const { catalog, book, stores } = createPicture();
      await catalog.open();
      book.open();
      for (const [life, version] of [
        ['first', '1'],
        ['second', '2'],
      ] as const) {
        for (const [index, record] of records.entries()) {
          assertPlain(record);
          stores(record).upsert(identified(record, `${life}-${index}`), version, SEEN);
        }
      }
      entities += catalog.objects('pods') + catalog.objects('services') + catalog.objects('nodes');
      for (const [index, record] of records.entries()) {
        stores(record).remove(identified(record, `second-${index}`), '3', SEEN);
      }
      assert.deepEqual([catalog.objects('pods'), catalog.objects('services'), catalog.objects('nodes')], [0, 0, 0]);
    }),
    { numRuns: 300 },
  );
  assert.ok(entities > 300, `${entities} entities`);
});

test('fields that the subset does not know are skipped, wherever they stand', () => {
  const wireType = fc.constantFrom(...([0, 1, 2, 3, 5] as const));
  const one = fc
    .tuple(fc.integer({ min: 900, max: 536_870_911 }), wireType)
    .map(([number, type]) => stranger(number, type));
  const strangers = fc.array(one, { minLength: 1, maxLength: 4 }).map((fields) => Buffer.concat(fields));
  for (const [kind, decoder] of KINDS) {
    const type = kubernetesType(kind);
    fc.assert(
      fc.property(strangeMessage(type), strangers, (object, unknown) => {
        const known = type.encode(object).finish();
        const more = withStrangers(type, known, unknown);
        assert.ok(more.length > known.length);
        assert.deepEqual(decoder.fromProtobuf(more), decoder.fromProtobuf(known));
      }),
    );
  }
});

for (const [name, ours, plain] of [
  ['Pod', podDecoder, plainPodDecoder],
  ['PartialObjectMetadata', ownerDecoder('apps/v1', 'Deployment'), plainOwnerDecoder('apps/v1', 'Deployment')],
] as const satisfies readonly (readonly [string, RecordDecoder<KubernetesRecord>, RecordDecoder<KubernetesRecord>])[]) {
  test(`${name}: read without objects in between it is the same record as by protobufjs, whatever it says`, () => {
    const type = kubernetesType(name);
    const strangers = fc.constantFrom<(0 | 1 | 2 | 3 | 5)[]>([], [0, 2], [1, 3, 5]).map((types) => {
      return Buffer.concat(types.map((wireType, index) => stranger(900 + index, wireType)));
    });
    const anyCut = fc.double({ min: 0, max: 1, noNaN: true });
    const said = new Set<string>();
    fc.assert(
      fc.property(strangeMessage(type), strangers, anyCut, (object, unknown, cut) => {
        const bytes = withStrangers(type, type.encode(object).finish(), unknown);
        const expected = plain.fromProtobuf(bytes);
        assert.deepEqual(ours.fromProtobuf(bytes), expected);
        noteWhatIsSaid(expected.record, said);
        // What was cut off is refused, or stood between two fields: then it is an object that says less.
        const part = bytes.subarray(0, Math.floor(cut * bytes.length));
        assert.deepEqual(outcome(ours, part), outcome(plain, part));
      }),
      { numRuns: 1_000 },
    );
    // Fields that follow from several others, of which chance alone would seldom make them.
    if (name === 'Pod') {
      const rare = ['networks', 'networkProblem', 'previousContainerId'];
      for (const each of [...rare, 'ended sidecar', 'ended init', 'ended ordinary', 'ended ephemeral']) {
        assert.ok(said.has(each), `no pod with ${each}`);
      }
    }
  });
}

function noteWhatIsSaid(record: KubernetesRecord, said: Set<string>): void {
  if (record.type !== 'Pod') return;
  if (record.networks.length > 0) said.add('networks');
  if (record.networkProblem !== undefined) said.add('networkProblem');
  for (const { type, previousContainerId, ended } of [...record.containers, ...record.otherContainers]) {
    if (previousContainerId !== '') said.add('previousContainerId');
    if (ended) said.add(`ended ${type}`);
  }
}

test('of a pod any field may stand twice and anywhere: what it says is what protobufjs reads', () => {
  const type = kubernetesType('Pod');
  const tops = fc.array(inPieces(type, 0), { minLength: 1, maxLength: 3 }).map((parts) => Buffer.concat(parts));
  fc.assert(
    fc.property(tops, (bytes) => {
      assert.deepEqual(podDecoder.fromProtobuf(bytes), plainPodDecoder.fromProtobuf(bytes));
    }),
    { numRuns: 500 },
  );
});

/** A message whose fields come in any order, those that are not repeated among them more than once. */
function inPieces(type: protobuf.Type, depth: number): fc.Arbitrary<Buffer> {
  const pieces = type.fieldsArray.map((field): fc.Arbitrary<Uint8Array> => {
    const { resolvedType, name, repeated } = field;
    if (resolvedType instanceof protobuf.Type && !field.map) {
      const tag = (field.id << 3) | 2;
      return inPieces(resolvedType, depth + 1).map((inner) =>
        protobuf.Writer.create().uint32(tag).bytes(inner).finish(),
      );
    }
    const few = FEW_TEXTS[name];
    const one = field.map
      ? networkNotes
      : field.type === 'string'
        ? fc.constantFrom(...(few ?? texts))
        : field.type === 'bool'
          ? fc.boolean()
          : fc.integer();
    return one.map((value) => type.encode({ [name]: repeated ? [value] : value }).finish());
  });
  return fc
    .array(fc.oneof(...pieces), { maxLength: depth === 0 ? 4 : 8, size: 'max' })
    .map((parts) => Buffer.concat(parts));
}

test('a pod with a field twice says what it says last, as protobufjs reads it', () => {
  const type = kubernetesType('Pod');
  const twice = Buffer.concat(
    [
      { metadata: { name: 'a', labels: { x: '1', y: '2' } }, spec: { nodeName: 'n' } },
      { metadata: { name: 'b', uid: 'u' }, spec: { hostNetwork: true }, status: { phase: 'Running' } },
    ].map((object) => Buffer.from(type.encode(object).finish())),
  );
  assert.deepEqual(podDecoder.fromProtobuf(twice), plainPodDecoder.fromProtobuf(twice));
});

test('the state of a container that stands twice is the last one, as protobufjs reads it', () => {
  const statusType = kubernetesType('ContainerStatus');
  const ended = { state: { terminated: { finishedAt: { seconds: 1_800_000_000 } } } };
  const status = Buffer.concat(
    [
      { name: 'a', ...ended, lastState: { terminated: { containerID: 'x' } } },
      { state: {}, lastState: {} },
    ].map((object) => Buffer.from(statusType.encode(object).finish())),
  );
  const bytes = Buffer.concat([
    kubernetesType('Pod')
      .encode({ spec: { containers: [{ name: 'a' }] } })
      .finish(),
    protobuf.Writer.create()
      .uint32((3 << 3) | 2)
      .bytes(
        protobuf.Writer.create()
          .uint32((8 << 3) | 2)
          .bytes(status)
          .finish(),
      )
      .finish(),
  ]);
  const { record } = podDecoder.fromProtobuf(bytes);
  assert.deepEqual(record, plainPodDecoder.fromProtobuf(bytes).record);
  assert.deepEqual([record.containers[0]?.ended, record.containers[0]?.previousContainerId], [false, '']);
});

test('damaged pods are refused: numbers without end, groups without end, values beyond their message', () => {
  const endless = Buffer.alloc(12, 0xff);
  const groups = Buffer.alloc(300, (1 << 3) | 3);
  for (const bytes of [
    endless,
    groups,
    Buffer.from([0x0a, 5, 0]),
    Buffer.from([0x0a, 2, 0x0a, 7, 1, 1, 1, 1, 1, 1, 1]),
  ]) {
    assert.throws(() => podDecoder.fromProtobuf(bytes), WireError, bytes.toString('hex'));
  }
});

function outcome(decoder: RecordDecoder<KubernetesRecord>, bytes: Uint8Array): object {
  try {
    return decoder.fromProtobuf(bytes);
  } catch {
    return { refused: true };
  }
}

function toLong(value: bigint): object {
  return { low: Number(BigInt.asIntN(32, value)), high: Number(BigInt.asIntN(32, value >> 32n)), unsigned: false };
}

function createPicture() {
  const catalog = new Catalog({ registry: new Registry() });
  const book = new AddressBook({
    now: () => NOW_MS,
    ...{ slackMs: 500, retentionMs: 600_000, maxClaims: 1_000, maxBytes: 1_000_000, maxWaiters: 10 },
    clusterRanges: [],
    blindSinceMs: () => undefined,
  });
  catalog.onBatch((batch) => {
    for (const { after } of batch.changes) if (after !== undefined) decode(after);
    book.apply(batch);
  });
  const byType = {
    Pod: catalog.store('Pod', 'pods'),
    Service: catalog.store('Service', 'services'),
    EndpointSlice: catalog.store('EndpointSlice', 'endpointslices.discovery.k8s.io'),
    Node: catalog.store('Node', 'nodes'),
    Namespace: catalog.store('Namespace', 'namespaces'),
    Owner: catalog.store('Owner', 'deployments.apps'),
    ServiceCidr: book.serviceRanges,
  };
  return { catalog, book, stores: (record: KubernetesRecord) => byType[record.type] as Store };
}

/** Names may be strange and the same; but no server gives a uid twice, or a namespace to what lives in none. */
function identified(record: KubernetesRecord, uid: string): KubernetesRecord {
  const isClusterScoped = ['Node', 'Namespace', 'ServiceCidr'].includes(record.type);
  return { ...record, uid, namespace: isClusterScoped ? '' : record.namespace };
}

/**
 * A record holds texts, numbers, booleans, lists of them and nothing else: nothing of what came is passed on unread.
 */
function assertPlain(record: object): void {
  for (const [key, value] of Object.entries(record)) {
    if (value === undefined) continue;
    if (typeof value === 'object') assertPlain(value as object);
    else assert.match(typeof value, /^(string|number|boolean)$/, key);
    if (typeof value === 'number') assert.ok(!Number.isNaN(value), key);
    // What a Timestamp may say (RFC 3339): outside of it, clients cannot print the answer that holds it.
    if (key.endsWith('TimeMs')) assert.ok(value > YEAR_1_MS && value < YEAR_10000_MS, `${key}: ${value}`);
  }
}

/** The same message with unknown fields in it and in every message inside of it, before what is known and behind. */
function withStrangers(type: protobuf.Type, bytes: Uint8Array, strangers: Uint8Array): Uint8Array {
  const reader = protobuf.Reader.create(bytes);
  const parts: Uint8Array[] = [strangers];
  while (reader.pos < reader.len) {
    const start = reader.pos;
    const tag = reader.uint32();
    const field = type.fieldsById[tag >>> 3];
    if (field?.resolvedType instanceof protobuf.Type && !field.map) {
      const inner = withStrangers(field.resolvedType, reader.bytes(), strangers);
      parts.push(protobuf.Writer.create().uint32(tag).bytes(inner).finish());
    } else {
      reader.skipType(tag & 7);
      parts.push(bytes.subarray(start, reader.pos));
    }
  }
  return Buffer.concat([...parts, strangers]);
}

/** A field of each wire type but the end of a group, which comes with its beginning. */
function stranger(number: number, wireType: 0 | 1 | 2 | 3 | 5): Uint8Array {
  const writer = protobuf.Writer.create();
  const tag = (type: number) => writer.uint32(((number << 3) | type) >>> 0);
  tag(wireType);
  switch (wireType) {
    case 0:
      return writer.uint32(300).finish();
    case 1:
      return writer.fixed64(1).finish();
    case 2:
      return writer.string('unheard of').finish();
    case 3:
      writer.uint32(1 << 3).uint32(1);
      return tag(4).finish();
    case 5:
      return writer.fixed32(1).finish();
    default:
      return wireType satisfies never;
  }
}
