// What an answer may not claim to know: moments of an outage, ranges that are not all known, a history that was cut.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { isSpecialAddress } from '../../src/timelines/special-addresses.ts';
import type { PodEntity } from '../../src/model/entities.ts';
import { bytesOf, node, pod, service, serviceCidr, T0, World } from './world.ts';

const A = '10.1.0.1';

describe('14.4: during an outage', () => {
  it('no answer is more certain than after it', () => {
    const ask = (world: World) =>
      [A, '10.1.0.2', '10.1.0.9', '10.96.0.1', '10.0.0.1', '8.8.8.8'].map((each) => world.who(each, { at: 30_000 }));
    const world = new World({ clusterRanges: [] });
    world.at(1_000).putRange(serviceCidr('kubernetes', ['10.96.0.0/16']));
    world.put([node('node-1', { addresses: ['10.0.0.1'], podRanges: ['10.1.0.0/24'] })]);
    world.put([pod('a', { addresses: [A] }), pod('b', { addresses: ['10.1.0.2'] })]);
    world.put(service('api', { clusterAddresses: ['10.96.0.1'] }));
    world.blindSinceMs = T0 + 20_000;
    world.at(31_000);
    assert.deepEqual(ask(world), ['a?', 'b?', 'UNKNOWN', 'api?', 'node-1?', 'UNKNOWN']);
    assert.equal(world.who(A, { at: 15_000 }), 'a', 'before the outage it was seen');
    assert.equal(world.who('8.8.8.8', { at: 15_000 }), 'EXTERNAL');
    world.blindSinceMs = undefined;
    world.at(60_000).remove('a', 20_000);
    assert.deepEqual(ask(world), ['a?', 'b', 'UNKNOWN', 'api', 'node-1', 'UNKNOWN'], 'who is there still was there');
  });

  it('one that was leaving may have lost its address to another, as in a gap that is closed', () => {
    const world = new World();
    world.at(1_000).put(pod('a', { addresses: [A] }));
    world.at(10_000).put(pod('a', { addresses: [A], deletionTimeMs: T0 + 40_000 }));
    world.blindSinceMs = T0 + 16_000;
    world.at(20_000);
    assert.equal(world.who(A, { at: 15_000 }), 'a?', 'its successor may be reported only in the outage');
    assert.equal(world.who(A, { at: 5_000 }), 'a');
    world.blindSinceMs = undefined;
    world.relistOf('pods', 16_000);
    assert.equal(world.who(A, { at: 15_000 }), 'a?');
  });

  it('a node is uncertain for a port that a pod may have taken meanwhile', () => {
    const world = new World();
    world.at(1_000).put(node('node-1', { addresses: ['10.0.0.1'] }));
    world.blindSinceMs = T0 + 21_000;
    assert.equal(world.at(25_000).who('10.0.0.1', { port: 9_100, at: 20_000 }), 'node-1?');
    assert.equal(world.who('10.0.0.1', { at: 20_000 }), 'node-1');
  });
});

describe('14.6: the history', () => {
  it('keeps of an ended endpoint what its answer tells, not the whole service', () => {
    const world = new World();
    const big = {
      own: bytesOf('x'.repeat(1_000)),
      joined: bytesOf('y'.repeat(100_000)),
      clusterAddresses: ['10.96.0.1'],
    };
    world.at(1_000).put(service('db', { ...big, manualEndpoints: ['192.0.2.1', '192.0.2.2', '192.0.2.3'] }));
    world.at(5_000).put(service('db', { ...big, manualEndpoints: ['192.0.2.3'] }));
    assert.equal(world.book.size.ended, 2);
    assert.ok(world.book.size.endedBytes < 2_000, `${world.book.size.endedBytes} bytes`);
    const answer = world.at(10_000).ask('192.0.2.1', { at: 3_000 });
    assert.ok(answer.outcome === 'RESOLVED' && answer.holder.role === 'ENDPOINT');
    const { uid, namespace, name } = answer.holder.entity;
    assert.deepEqual({ uid, namespace, name }, { uid: 'uid-db', namespace: 'default', name: 'db' });
  });

  it('counts the state of an object once, however many of its claims ended with it', () => {
    const world = new World();
    const externalAddresses = Array.from({ length: 50 }, (_, i) => `198.51.100.${i}`);
    const big = { own: bytesOf('x'.repeat(100_000)), clusterAddresses: ['10.96.0.1'] };
    world.at(1_000).put(service('web', { ...big, externalAddresses }));
    world.at(5_000).put(service('web', big));
    assert.equal(world.book.size.ended, 50);
    assert.ok(world.book.size.endedBytes < 200_000, `${world.book.size.endedBytes} bytes`);
  });

  it('gives no object more than a share, so that one service does not cost the others their past', () => {
    const world = new World({ maxClaims: 160 });
    world.at(1_000).put(pod('a', { addresses: [A] }));
    world.at(5_000).remove('a');
    const endpoints = (round: number) => ({ manualEndpoints: [0, 1, 2].map((i) => `192.0.${round}.${i}`) });
    for (let round = 0; round < 200; round++) world.at(10_000 + round * 100).put(service('noisy', endpoints(round)));
    assert.equal(world.book.size.ended, 11, 'ten of the service, one of the pod');
    world.at(40_000);
    assert.equal(world.who(A, { at: 3_000 }), 'a');
    assert.equal(world.ask(A).historySinceMs, T0, 'history did not move');
    assert.equal(world.who('192.0.198.1', { at: 29_850 }), 'noisy?', 'the newest of its past is kept');
    assert.equal(world.who('192.0.5.1', { at: 10_550 }), 'UNKNOWN', 'one may be missing');
    assert.equal(world.who('192.0.199.1', { at: 10_550 }), 'UNKNOWN');
    assert.equal(world.who('10.1.0.77', { at: 32_000 }), 'UNASSIGNED', 'after the last that was dropped');
  });
});

describe('14.8: ranges', () => {
  it('tell the same as a list that is made anew for every question, whatever comes and goes', () => {
    const octet = fc.integer({ min: 0, max: 3 });
    const range = fc
      .tuple(octet, octet, fc.constantFrom(8, 15, 16, 23, 24, 25, 32))
      .map(([a, b, length]) => `10.${a}.${b}.0/${length}`);
    const ranges6 = fc
      .tuple(octet, fc.constantFrom(48, 63, 64, 112))
      .map(([a, length]) => `fd00:${a}::${a}:0/${length}`);
    const address = fc.oneof(
      fc.tuple(octet, octet, fc.nat(255)).map(([a, b, c]) => `10.${a}.${b}.${c}`),
      fc.tuple(octet, octet, octet).map(([a, b, c]) => `fd00:${a}:0:${b}::${c}:1`),
    );
    const steps = fc.array(fc.tuple(fc.nat(3), fc.oneof(range, ranges6)), { maxLength: 12 });
    fc.assert(
      fc.property(steps, fc.array(address, { maxLength: 10 }), (puts, addresses) => {
        const world = new World({ clusterRanges: [] });
        const ranges = new Map<string, string>();
        for (const [i, podRange] of puts) {
          world.put(node(`n-${i}`, { podRanges: [podRange] }));
          ranges.set(`n-${i}`, podRange);
        }
        world.at(1_000_000).book.expire();
        for (const each of addresses) {
          const [first = ''] = [...ranges.values()].filter((cidr) => slowlyContains(cidr, each));
          const answer = world.ask(each);
          const isInside = answer.outcome !== 'UNKNOWN';
          assert.equal(isInside, first !== '', `${each} in ${[...ranges.values()]}`);
        }
      }),
    );
  });
});

describe('14.15: an address that no object holds', () => {
  const known = (): World => {
    const world = new World({ clusterRanges: [] });
    world.at(1_000).putRange(serviceCidr('kubernetes', ['10.96.0.0/16']));
    return world.put(node('node-1', { addresses: ['10.0.0.1'], podRanges: ['10.1.0.0/24'] }));
  };

  it('is not EXTERNAL while a pod outside of the ranges shows that they are not all, nor while history tells of one', () => {
    const world = known();
    assert.equal(world.who('8.8.8.8'), 'EXTERNAL');
    world.put(pod('host', { hostNetwork: true, addresses: ['10.0.0.1'] }));
    world.put(pod('inside', { addresses: ['10.1.0.7'] }));
    assert.equal(world.who('8.8.8.8'), 'EXTERNAL');
    world.at(2_000).put(pod('pooled', { addresses: ['172.20.0.7'] }));
    assert.equal(world.book.size.podsOutsideRanges, 1);
    assert.equal(world.who('172.20.0.8'), 'UNKNOWN');
    assert.equal(world.who('10.1.0.8'), 'UNASSIGNED');
    world.at(9_000).remove('pooled');
    assert.equal(world.at(20_000).who('172.20.0.8'), 'UNKNOWN');
    world.at(700_000).book.expire();
    assert.equal(world.who('172.20.0.8'), 'EXTERNAL');
  });

  it('is EXTERNAL again when the range of the pods turns up, and with a configured one', () => {
    const world = known();
    world.put([pod('a', { addresses: ['10.2.0.7'] }), pod('b', { addresses: ['10.2.0.8'] })]);
    assert.equal(world.who('8.8.8.8'), 'UNKNOWN');
    world.put(node('node-2', { podRanges: ['10.2.0.0/24'] }));
    assert.equal(world.who('8.8.8.8'), 'EXTERNAL');
    const configured = new World({ clusterRanges: ['172.20.0.0/16'] });
    configured.put(pod('a', { addresses: ['172.20.0.7'] }));
    assert.equal(configured.who('8.8.8.8'), 'EXTERNAL');
    configured.put(pod('b', { addresses: ['172.21.0.7'] }));
    assert.equal(configured.who('8.8.8.8'), 'UNKNOWN', 'what was configured is not all');
  });

  it('is right after a hundred thousand pods came before their nodes, without one question that looks at all of them', () => {
    const world = new World({ clusterRanges: [], opened: false });
    world.putRange(serviceCidr('kubernetes', ['10.254.0.0/16']));
    for (let i = 0; i < 20_000; i++)
      world.put(pod(`p-${i}`, { addresses: [`10.${i >> 14}.${(i >> 6) & 255}.${i & 63}`] }));
    for (let i = 0; i < 2; i++) world.put(node(`n-${i}`, { podRanges: [`10.${i}.0.0/16`] }));
    world.book.open();
    let questions = 0;
    // Not by `who`: the model would look at pods too.
    while (world.book.resolve({ address: '8.8.8.8' }).outcome !== 'EXTERNAL' && questions < 20) questions += 1;
    assert.ok(questions > 0 && questions < 20, `${questions} questions`);
    assert.equal(world.book.size.podsOutsideRanges, 0);
  });

  it('is not EXTERNAL when no node has a range any more: those that are to come are not known', () => {
    const world = known();
    world.put(node('bare', { addresses: ['10.0.0.2'] }));
    world.at(5_000).remove('node-1');
    assert.equal(world.at(9_000).who('8.8.8.8'), 'UNKNOWN');
    assert.equal(world.who('10.1.0.9'), 'UNASSIGNED', 'its range stays known');
  });

  it('has the first addresses of a node’s pod range: that is the node, uncertain, unless a pod has them', () => {
    const world = known();
    const v6 = node('node-6', { podRanges: ['fd00:10:1::/64', '10.2.0.128/25'] });
    world.put(v6);
    for (const [address, name] of [
      ['10.1.0.0', 'node-1?'],
      ['10.1.0.1', 'node-1?'],
      ['10.1.0.2', 'UNASSIGNED'],
      ['fd00:10:1::1', 'node-6?'],
      ['10.2.0.129', 'node-6?'],
    ] as const) {
      assert.equal(world.at(5_000).who(address), name, address);
    }
    world.put(pod('a', { addresses: ['10.1.0.1'] }));
    assert.equal(world.at(9_000).who('10.1.0.1'), 'a');
    world.at(10_000).remove('node-6');
    assert.equal(world.at(20_000).who('fd00:10:1::1'), 'UNASSIGNED');
    assert.equal(world.who('fd00:10:1::1', { at: 7_000 }), 'node-6?');
    world.put([node('host', { podRanges: ['10.3.0.4/32', '10.3.0.6/31'] })]);
    assert.equal(world.who('10.3.0.4'), 'UNASSIGNED', 'a range of one is no network');
  });

  it('is one that means something else on every machine, whatever a pod, a node or a service reports', () => {
    const special = [
      '0.0.0.0',
      '127.0.0.1',
      '127.9.9.9',
      '169.254.169.254',
      '224.0.0.1',
      '239.255.255.255',
      '255.255.255.255',
    ];
    const special6 = ['::', '::1', 'fe80::1', 'febf::1', 'ff02::1'];
    const world = known();
    for (const address of [...special, ...special6]) {
      assert.ok(isSpecialAddress(address), address);
      assert.equal(world.who(address), 'UNKNOWN', address);
      world.put([
        pod('virtual', { addresses: [address, '10.1.0.5'], hostAddresses: [address] }),
        node('odd', { addresses: [address] }),
        service('odd-service', {
          clusterAddresses: ['10.96.0.9'],
          externalAddresses: [address],
          loadBalancerAddresses: [address],
          manualEndpoints: [address],
          ports: [{ port: 80, protocol: 'TCP' }],
        }),
      ]);
      assert.equal(world.at(5_000).who(address), 'UNKNOWN', address);
      assert.equal(world.who(address, { port: 80 }), 'UNKNOWN', address);
      assert.equal(world.who('10.1.0.5'), 'virtual');
    }
    assert.equal(world.who('8.8.8.8'), 'EXTERNAL', 'such an address is no evidence against the ranges');
    for (const ordinary of [
      '1.1.1.1',
      '10.0.0.0',
      '169.255.0.1',
      '223.1.1.1',
      '240.0.0.1',
      '22.4.0.1',
      '2.2.4.5',
      '::2',
      'fec0::1',
      'ff::1',
      'fe8::1',
      'fd00::1',
    ]) {
      assert.ok(!isSpecialAddress(ordinary), ordinary);
    }
  });
});

describe('14.16: giving way', () => {
  const NODE = '10.0.0.1';
  const exporter = (name: string, nodeName: string, facts: Partial<PodEntity> = {}) =>
    pod(name, {
      nodeName,
      hostNetwork: true,
      addresses: [NODE],
      hostAddresses: [NODE],
      hostPorts: [{ port: 9_100, protocol: 'TCP', hostAddress: undefined }],
      ...facts,
    });

  it('a node whose deletion is held by a finalizer gives its address to its successor, and so do its pods', () => {
    const world = new World();
    world.at(1_000).put([node('old', { addresses: [NODE] }), exporter('exporter-old', 'old')]);
    world.at(10_000).put(node('old', { addresses: [NODE], deletionTimeMs: T0 + 10_000 }));
    assert.equal(world.at(12_000).who(NODE), 'old', 'until another one has it');
    assert.equal(world.who(NODE, { port: 9_100 }), 'exporter-old');
    world.at(20_000).put(node('new', { addresses: [NODE] }));
    assert.equal(world.at(23_000).who(NODE), 'new');
    assert.equal(world.who(NODE, { port: 9_100 }), 'new', 'the old node’s pod went with it');
    world.at(25_000).put(exporter('exporter-new', 'new'));
    assert.equal(world.at(28_000).who(NODE, { port: 9_100 }), 'exporter-new');
    world.at(30_000).remove('old');
    assert.equal(world.at(33_000).who(NODE, { port: 9_100 }), 'exporter-new');
    assert.equal(world.who(NODE, { at: 15_000 }), 'old');
    assert.equal(world.who(NODE, { port: 9_100, at: 15_000 }), 'exporter-old');
    assert.equal(world.who(NODE, { at: 23_000 }), 'new', 'also in hindsight');
  });

  it('two nodes that both live and have one address are ambiguous, the later one first', () => {
    const world = new World();
    world.at(1_000).put(node('first', { addresses: [NODE] }));
    world.at(10_000).put(node('second', { addresses: [NODE] }));
    assert.equal(world.at(20_000).who(NODE), 'second|first');
  });

  it('nodes of one list are told apart by their creation when the older one is being deleted', () => {
    const world = new World({ opened: false });
    world.put([
      node('new', { addresses: [NODE], creationTimeMs: T0 - 60_000 }),
      node('old', { addresses: [NODE], creationTimeMs: T0 - 900_000, deletionTimeMs: T0 - 90_000 }),
      exporter('exporter-old', 'old'),
      exporter('exporter-new', 'new'),
    ]);
    world.book.open();
    assert.equal(world.at(5_000).who(NODE), 'new');
    assert.equal(world.who(NODE, { port: 9_100 }), 'exporter-new');
  });

  it('a host-network pod that is being deleted gives its port to the next one on its node', () => {
    const world = new World();
    world.at(1_000).put([node('node-1', { addresses: [NODE] }), exporter('a', 'node-1')]);
    world.at(10_000).put(exporter('a', 'node-1', { deletionTimeMs: T0 + 40_000 }));
    world.at(20_000).put(exporter('b', 'node-1'));
    assert.equal(world.at(23_000).who(NODE, { port: 9_100 }), 'b');
    world.put(exporter('a', 'node-1', { deletionTimeMs: T0 + 40_000 }));
    assert.equal(world.who(NODE, { port: 9_100, at: 15_000 }), 'a');
  });

  it('a node that was leaving in a gap may have lost its address to one that came and went', () => {
    const world = new World();
    world.at(1_000).put(node('old', { addresses: [NODE] }));
    world.at(10_000).put(node('old', { addresses: [NODE], deletionTimeMs: T0 + 10_000 }));
    assert.equal(world.at(15_000).who(NODE), 'old');
    world.at(60_000).relistOf('nodes', 20_000);
    assert.equal(world.who(NODE), 'old?');
    assert.equal(world.who(NODE, { at: 12_000 }), 'old');
  });
});

/** By its bits as text. */
function slowlyContains(cidr: string, address: string): boolean {
  const [network = '', length = '0'] = cidr.split('/');
  const [a, b] = [toBits(network), toBits(address)];
  return a.length === b.length && a.slice(0, Number(length)) === b.slice(0, Number(length));
}

function toBits(address: string): string {
  if (!address.includes(':'))
    return address
      .split('.')
      .map((part) => Number(part).toString(2).padStart(8, '0'))
      .join('');
  const [head = '', tail = ''] = address.split('::');
  const groups = [head, tail].map((text) => (text === '' ? [] : text.split(':')));
  const [before = [], after = []] = groups;
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0');
  return [...before, ...zeros, ...after]
    .map((group) => Number.parseInt(group, 16).toString(2).padStart(16, '0'))
    .join('');
}
