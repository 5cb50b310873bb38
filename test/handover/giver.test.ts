// To whom a replica hands its history, and what it says to all others.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import protobuf from 'protobufjs';
import { Giver, type GiverOptions, type Taker } from '../../src/handover/giver.ts';
import { readFirstPart, readPart } from '../../src/handover/parts.ts';
import { Positions } from '../../src/handover/positions.ts';
import { toSettings } from '../../src/handover/settings.ts';
import { readState, stateFields } from '../../src/handover/state-message.ts';
import type { HolderEntity } from '../../src/addresses/claims/claim.ts';
import { toByteString } from '../../src/model/byte-string.ts';
import {
  HIDDEN_REFERENCE,
  hiddenName,
  hiddenNamespace,
  isHidden,
} from '../../src/model/namespaces/published-namespaces.ts';
import type { HandedState__Output } from '../../src/wire/generated/digger/v1/HandedState.ts';
import type { Entity } from '../../src/model/entities.ts';
import { messageType } from '../../src/wire/schema.ts';
import type { FormerOwner } from '../../src/model/kubernetes/records.ts';
import type { ChangeBatch } from '../../src/model/changes.ts';
import { node, pod, service, T0, withBytes, World } from '../addresses/world.ts';

const HandedState = messageType('digger.v1.HandedState');

/** As readers of parts decode it. */
function decodeState(bytes: Uint8Array): HandedState__Output {
  const form = { enums: String, longs: Number, defaults: true, arrays: true };
  return HandedState.toObject(HandedState.decode(bytes), form) as HandedState__Output;
}

const SETTINGS = toSettings({ '--namespace': [], '--deny-label': ['team'] });
const TAKER: Taker = { epoch: Buffer.alloc(16, 2), clusterUid: 'uid', settings: SETTINGS, positions: [] };

describe('15.8: a replica hands its history over', () => {
  it('to a replica of its cluster with its options, and to no other, whom it tells why', () => {
    const reasonOf = (options: Partial<GiverOptions>, taker: Partial<Taker> = {}): string => {
      const opened = createGiver(options).open({ ...TAKER, ...taker });
      return 'reason' in opened ? `${opened.reason}: ${opened.message}` : 'handed over';
    };
    assert.equal(reasonOf({}), 'handed over');
    assert.match(reasonOf({}, { epoch: Buffer.alloc(16, 1) }), /^SAME_REPLICA/);
    assert.match(reasonOf({}, { clusterUid: 'other' }), /^OTHER_CLUSTER: .*of cluster uid, .*of cluster other$/);
    assert.match(reasonOf({}, { clusterUid: '' }), /^OTHER_CLUSTER: .*a cluster whose uid is not known$/);
    assert.match(reasonOf({ clusterUid: () => '' }, { clusterUid: '' }), /^OTHER_CLUSTER/);
    const settings = toSettings({ '--namespace': ['shop'], '--deny-label': ['team'], '--new': 1 });
    assert.equal(
      reasonOf({}, { settings }),
      'OTHER_CONFIGURATION: this replica has other values of --namespace, --new',
    );
    assert.match(reasonOf({ isSettled: () => false }), /^NO_HISTORY/);
    assert.match(reasonOf({ positions: { compare: () => 'behind' } }), /^REPLICA_BEHIND/);
    assert.match(reasonOf({ positions: { compare: () => 'other-resources' } }), /^OTHER_CONFIGURATION/);
    assert.match(reasonOf({ positions: { compare: () => 'other-history' } }), /^OTHER_CONFIGURATION/);
  });

  it('to four at once, and to the next when one of them is done', () => {
    const giver = createGiver();
    const open = () => giver.open(TAKER);
    const opened = Array.from({ length: 4 }, open);
    const fifth = open();
    assert.ok('reason' in fifth && fifth.reason === 'TOO_MANY_TAKERS');
    const [first] = opened;
    assert.ok(first !== undefined && 'parts' in first);
    first[Symbol.dispose]();
    first[Symbol.dispose]();
    assert.ok('parts' in open());
    assert.ok('reason' in open(), 'one place was given back, not two');
  });

  it('in parts, with everything that answers and the judge need', () => {
    const world = new World();
    const entities: Entity[] = [
      node('n1', { addresses: ['10.0.0.1'], podRanges: ['10.1.0.0/24'] }),
      service('many', {
        clusterAddresses: ['10.96.0.1'],
        loadBalancerAddresses: ['192.0.2.1'],
        nodePorts: [{ port: 30_000, protocol: 'UDP' }],
        ports: Array.from({ length: 40 }, (_, index) => ({ port: 1_000 + index, protocol: 'TCP' as const })),
        manualEndpoints: ['192.0.2.9'],
      }),
      service('none', { clusterAddresses: ['10.96.0.2'], externalAddresses: ['192.0.2.2'] }),
      pod('web', {
        addresses: ['10.1.0.7'],
        networkAddresses: ['10.56.0.7@shop/macvlan'],
        sandboxReadyTimeMs: T0,
      }),
      pod('host', {
        addresses: ['10.0.0.1'],
        hostNetwork: true,
        nodeName: 'n1',
        hostAddresses: ['10.0.0.1'],
        hostPorts: [{ port: 80, protocol: 'TCP', hostAddress: '10.0.0.1' }],
      }),
    ];
    world.at(1_000).put(entities.map(withBytes));
    world.at(9_000);
    for (const name of ['web', 'host', 'many', 'none', 'n1']) world.remove(name);
    world.put(
      Array.from({ length: 450 }, (_, index) => withBytes(pod(`p${index}`, { addresses: [`10.2.1.${index % 250}`] }))),
    );
    const opened = createGiver({ past: pastOf(world), now: () => world.nowMs }).open(TAKER);
    assert.ok('parts' in opened);
    const [first, ...rest] = [...opened.parts].map((part) => Buffer.from(part));
    assert.ok(first !== undefined && rest.length > 2, 'several parts');
    assert.deepEqual(readFirstPart(first).facts, world.book.heritage.facts());
    const read = rest.flatMap((part) => readPart(part, () => true).claims);
    const plain = (claims: Iterable<unknown>): unknown =>
      JSON.parse(
        JSON.stringify([...claims], (key, value: unknown) =>
          key === 'entity' ? (value as { uid: string }).uid : value,
        ),
      );
    assert.deepEqual(plain(read), plain(world.book.heritage.claims()));
    assert.ok(new Set(read.map(({ role }) => role)).size >= 10, 'of nearly all roles');
  });
});

describe('15.8: the last state of an object', () => {
  it('in a hidden namespace is told to be hidden, without the hashes that stand for its names', () => {
    const hidden = { namespace: hiddenNamespace('zanzibar'), name: hiddenName('zanzibar', 'a') };
    const bytes = { own: toByteString(Buffer.from('own')), values: toByteString(Buffer.from('values')) };
    for (const entity of [
      pod('a', { ...hidden, ...bytes, uid: 'stands-for-it', nodeName: 'n1', terminal: true, deletionTimeMs: 7 }),
      service('a', { ...hidden, ...bytes, uid: 'stands-for-it' }),
    ] as HolderEntity[]) {
      const message = HandedState.encode(stateFields(entity)).finish();
      const text = Buffer.from(message).toString('latin1');
      for (const said of [hidden.namespace, hidden.namespace.slice(1), hidden.name, 'own', 'values'])
        assert.ok(!text.includes(said), `${said} in ${text}`);
      const read = readState(decodeState(message), 'stands-for-it');
      assert.ok(isHidden(read.namespace));
      assert.deepEqual([read.kind, read.name, read.own, read.values], [entity.kind, '', '', '']);
      assert.equal(read.creationTimeMs, entity.creationTimeMs);
      if (read.kind !== 'Pod') continue;
      assert.deepEqual([read.nodeName, read.terminal, read.deletionTimeMs], ['n1', true, 7]);
      assert.equal(read.workload, HIDDEN_REFERENCE);
    }
  });

  it('of a published object has what is hidden of its owners and backends, and nothing stands for a hidden one by itself', () => {
    const shown = {
      kind: 'Deployment',
      apiVersion: 'apps/v1',
      namespace: 'shop',
      name: 'web',
      uid: 'u',
      incomplete: false,
    };
    const front = withBytes(service('front', { workloads: [shown, HIDDEN_REFERENCE] })) as HolderEntity;
    const read = readState(decodeState(HandedState.encode(stateFields(front)).finish()), front.uid);
    assert.ok(read.kind === 'Service');
    assert.deepEqual(read.workloads, [shown, HIDDEN_REFERENCE]);
    const forged = { kind: 1, namespace: hiddenNamespace('shop'), name: 'a', workloads: [shown] };
    assert.throws(() => readState(decodeState(HandedState.encode(forged).finish()), 'a'), /no name in Kubernetes/);
    const owned = { kind: 1, namespace: 'shop', name: 'a', workloads: [{ ...shown, namespace: '\u0001' }] };
    assert.throws(() => readState(decodeState(HandedState.encode(owned).finish()), 'a'), /no name in Kubernetes/);
    const node = { kind: 3, hidden: true };
    assert.throws(() => readState(decodeState(HandedState.encode(node).finish()), 'a'), /has no namespace/);
  });

  it('is read when each of its parts is one by itself, of fields that are read where they lie', () => {
    const response = messageType('digger.v1.HandOverResponse');
    const text = (field: number, ...bytes: number[]): Buffer =>
      Buffer.from(
        protobuf.Writer.create()
          .uint32((field << 3) | 2)
          .bytes(Buffer.from(bytes))
          .finish(),
      );
    const labels = messageType('digger.v1.Pod').fields['labels']?.id ?? 0;
    const containers = messageType('digger.v1.Pod').fields['containers']?.id ?? 0;
    const self = { apiVersion: 'v1', kind: 'Pod', namespace: 'shop', name: 'a', uid: 'uid-a' };
    const read = (parts: object) => () =>
      readPart(
        Buffer.from(
          response.encode({ objects: [{ uid: 'uid-a', state: { kind: 1, workloads: [self], ...parts } }] }).finish(),
        ),
        () => true,
      );
    const entry = [0x0a, 1, 0x61, 0x12, 1, 0x62];
    read({ own: text(1, 0x78), values: text(labels, ...entry), rest: text(containers, 0x0a, 1, 0x63) })();
    const whole = text(labels, ...entry);
    for (const parts of [
      { own: Buffer.concat([text(1, 0x78), whole.subarray(0, 3)]), values: whole.subarray(3) },
      { values: Buffer.from([(120 << 3) & 0x7f, 0x80, 0x01, 0x05]) },
      { values: Buffer.from([0xf8, 0x7f, 0x05]) },
      { rest: Buffer.from([0xf8, 0x7f, 0x05]) },
      { rest: text(containers, 0xfd, 0x7f, 1, 2, 3, 4) },
      { values: Buffer.from([0x80]) },
    ]) {
      assert.throws(read(parts), Error, JSON.stringify(parts));
    }
  });
});

describe('15.8: a part of a history', () => {
  it('is small where services hold many ports on many addresses, and one claim is all that makes it larger', () => {
    const world = new World({ maxClaims: 100_000 });
    const ports = Array.from({ length: 500 }, (_, index) => ({ port: 1_000 + index, protocol: 'TCP' as const }));
    for (let index = 0; index < 40; index += 1) {
      const externalAddresses = Array.from({ length: 50 }, (_, at) => `192.0.${index}.${at + 1}`);
      world.put(
        withBytes(service(`s${index}`, { clusterAddresses: [`10.96.0.${index + 1}`], externalAddresses, ports })),
      );
    }
    for (const gone of [false, true]) {
      const opened = createGiver({ past: pastOf(world), now: () => world.nowMs }).open(TAKER);
      assert.ok('parts' in opened);
      const sizes: number[] = [];
      let claims = 0;
      for (const part of opened.parts) {
        sizes.push(part.byteLength);
        if (sizes.length > 1) claims += readPart(Buffer.from(part), () => true).claims.length;
      }
      assert.equal(claims, 40 * 51);
      assert.ok(Math.max(...sizes) < 300 * 1024, `${Math.max(...sizes)} bytes`);
      if (!gone) for (let index = 0; index < 40; index += 1) world.at(5_000).remove(`s${index}`);
    }
  });
});

describe('15.8: the owners that are gone', () => {
  it('come behind the claims, in parts, as they are known', () => {
    const owners = Array.from({ length: 2_500 }, (_, index): FormerOwner => {
      const { controller: _none, goneAtMs: _never, ...bare } = { ...OWNER, uid: `uid-${index}` };
      return index % 2 === 0
        ? { ...OWNER, uid: `uid-${index}` }
        : { ...bare, controller: undefined, goneAtMs: undefined };
    });
    const opened = createGiver({ past: pastOf(new World(), owners) }).open(TAKER);
    assert.ok('parts' in opened);
    const read = [...opened.parts].slice(1).map((part) => readPart(Buffer.from(part), () => true));
    assert.deepEqual(
      read.map((part) => [part.owners.length, part.isLast]),
      [
        [0, false],
        [1_000, false],
        [1_000, false],
        [500, true],
      ],
    );
    assert.deepEqual(
      read.flatMap((part) => part.owners),
      owners,
    );
  });

  it('are left out when a chain could break by them, and the rest is not: tenants write references to owners', () => {
    const response = messageType('digger.v1.HandOverResponse');
    const read = (some: object) => () =>
      readPart(Buffer.from(response.encode({ owners: [{ ...OWNER, goneMs: T0, ...some }] }).finish()), () => true);
    assert.equal(read({})().owners.length, 1);
    for (const some of [
      { uid: '' },
      { kind: '' },
      { name: 'x'.repeat(513) },
      { namespace: '\u0001hidden' },
      { controller: { ...OWNER.controller, uid: '' } },
      { controller: { ...OWNER.controller, name: 'a\u001b[2J' } },
    ]) {
      assert.deepEqual(read(some)().owners, [], JSON.stringify(some));
    }
    assert.throws(read({ goneMs: 2 ** 60 }), /no moment/);
  });
});

describe('15.8: what a replica has seen', () => {
  it('is as much as another one has when the records are the same or the versions as new', () => {
    const here = new Positions();
    here.note(batch('pods', '100', 7));
    here.note(batch('nodes', '50', 8));
    here.note(batch('deployments.apps', '900', 9));
    const there = (pods: [string, number], nodes: [string, number]) => {
      const positions = new Positions();
      positions.note(batch('pods', ...pods));
      positions.note(batch('nodes', ...nodes));
      return positions.told();
    };
    assert.equal(here.compare(there(['100', 7], ['50', 8])), 'level');
    assert.equal(here.compare(there(['99', 6], ['50', 8])), 'level', 'it has seen less');
    assert.equal(here.compare(there(['100', 7], ['5000', 8])), 'level', 'quiet: a list is newer, and tells the same');
    assert.equal(here.compare(there(['101', 6], ['50', 8])), 'behind');
    assert.equal(here.compare(there(['101', 6], ['50', 8]).slice(0, 1)), 'other-resources');
    assert.equal(here.compare([...there(['100', 7], ['50', 8]), ...there(['100', 7], ['50', 8])]), 'level');
    assert.equal(new Positions().compare([]), 'other-resources', 'nothing was seen');
    const strange = there(['100', 7], ['50', 8]).map(({ resource }) => ({ resource, position: Buffer.from('{') }));
    assert.equal(here.compare(strange), 'other-history');
    here.note({ ...batch('pods', '100', 7), unfinished: true });
    assert.equal(here.compare(there(['100', 7], ['50', 8])), 'behind', 'its records are of no moment');
  });
});

function batch(resource: string, resourceVersion: string, digest: number): ChangeBatch {
  return { changes: [], seen: { atMs: T0 }, position: { resource, resourceVersion, digest } };
}

const OWNER: FormerOwner = {
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  namespace: 'shop',
  name: 'web-1',
  uid: 'uid-web-1',
  controller: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', uid: 'uid-web' },
  goneAtMs: T0,
};

function pastOf(world: World, owners: readonly FormerOwner[] = []): GiverOptions['past'] {
  const { heritage } = world.book;
  return { facts: () => heritage.facts(), claims: () => heritage.claims(), owners: () => owners };
}

function createGiver(options: Partial<GiverOptions> = {}): Giver {
  return new Giver({
    past: pastOf(new World()),
    positions: { compare: () => 'level' },
    epoch: Buffer.alloc(16, 1),
    clusterUid: () => 'uid',
    settings: SETTINGS,
    isSettled: () => true,
    now: () => T0,
    ...options,
  });
}
