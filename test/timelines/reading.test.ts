// The rules of reading, one by one; numbered as in proto/digger/v1/timeline.proto.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { resolveInterval } from '../../src/timelines/interval.ts';
import { AT_EDGE, UNCERTAIN } from '../../src/timelines/timeline.ts';
import { holder, NOW, Picture, span } from './pictures.ts';

const A = '10.1.0.1';
const EVER = Number.POSITIVE_INFINITY;
const address = { of: 'address', address: A } as const;

describe('15.1: reading a timeline', () => {
  it('finds the holder of the moment, and none between two (rules 1, 4, 9)', () => {
    const picture = new Picture().set(address, [
      span(500_000, 600_000, [holder('a')]),
      span(700_000, 800_000, [holder('b')]),
      span(800_000, EVER, [holder('c')]),
    ]);
    assert.equal(picture.who({ address: A, atMs: 599_999.9 }), 'a');
    assert.equal(picture.who({ address: A, atMs: 600_000 }), 'UNASSIGNED');
    assert.equal(picture.who({ address: A, atMs: 700_000 }), 'b');
    assert.equal(picture.who({ address: A }), 'c');
    assert.equal(picture.who({ address: A, atMs: NOW + 4_000 }), 'c', 'the future is now');
  });

  it('says UNKNOWN before the history and before what was cut (rule 2), and for addresses of no cluster (rule 3)', () => {
    const picture = new Picture().set(address, [span(0, EVER, [holder('a')])], { cutAtMs: 450_000 });
    assert.equal(picture.who({ address: A, atMs: 449_999 }), 'UNKNOWN');
    assert.equal(picture.who({ address: A, atMs: 450_000 }), 'a');
    assert.equal(picture.who({ address: '10.2.0.1', atMs: 399_999 }), 'UNKNOWN');
    assert.equal(picture.who({ address: '127.0.0.1' }), 'UNKNOWN');
  });

  it('lets ports of nodes go before ports of services, and those before the address; holding before near (rules 4, 5)', () => {
    const node = holder('node', { kind: 'Node', role: 'NODE_ADDRESS' });
    const picture = new Picture()
      .set(address, [span(0, EVER, [node])], { nodes: [{ fromMs: 0, toMs: EVER, names: ['node'] }] })
      .set({ of: 'port of a node', node: 'node', port: 80, protocol: 'TCP', address: undefined }, [
        span(0, 900_000, [holder('pod', { role: 'HOST_PORT' })]),
        span(900_000, 900_500, [holder('pod', { role: 'HOST_PORT' })], { is: 'near', nearMs: 899_999 }),
      ])
      .set({ of: 'port of every node', port: 80, protocol: 'TCP' }, [
        span(900_100, EVER, [holder('svc', { kind: 'Service', role: 'NODE_PORT' })]),
      ])
      .set({ of: 'port of an address', address: A, port: 80, protocol: 'TCP' }, [
        span(0, EVER, [holder('lb', { kind: 'Service', role: 'LOAD_BALANCER' })]),
      ]);
    assert.equal(picture.who({ address: A }), 'node');
    assert.equal(picture.who({ address: A, port: 81 }), 'node');
    assert.equal(picture.who({ address: A, port: 80, protocol: 'UDP' }), 'node');
    assert.equal(picture.who({ address: A, port: 80, atMs: 800_000 }), 'pod');
    assert.equal(picture.who({ address: A, port: 80, atMs: 900_050 }), 'lb', 'a near one goes behind all that hold');
    assert.equal(picture.who({ address: A, port: 80, atMs: 950_000 }), 'svc');
  });

  it('takes the port at one address of a node for what it is instead of the port of the node (rule 4)', () => {
    const picture = new Picture()
      .set(address, [], { nodes: [{ fromMs: 0, toMs: EVER, names: ['node'] }] })
      .set({ of: 'port of a node', node: 'node', port: 80, protocol: 'TCP', address: undefined }, [
        span(0, EVER, [holder('everywhere')]),
      ])
      .set({ of: 'port of a node', node: 'node', port: 80, protocol: 'TCP', address: A }, [
        span(0, EVER, [holder('here'), holder('everywhere')]),
      ]);
    assert.equal(picture.who({ address: A, port: 80 }), 'here|everywhere');
  });

  it('orders holders of several places newest first, each object once (rule 6)', () => {
    const shared = (port: number, protocol: 'TCP' | 'UDP') =>
      ({ of: 'port of an address', address: A, port, protocol }) as const;
    const external = holder('web', { kind: 'Service', role: 'EXTERNAL_IP', startedMs: 30 });
    const balanced = holder('web', { kind: 'Service', role: 'LOAD_BALANCER', startedMs: 10 });
    const picture = new Picture()
      .set(shared(53, 'TCP'), [span(0, EVER, [external, holder('old', { startedMs: 1 })])])
      .set(shared(53, 'UDP'), [span(0, EVER, [holder('dns', { startedMs: 20 }), balanced])]);
    assert.equal(picture.who({ address: A, port: 53 }), 'dns|web|old');
  });

  it('finds services with many ports by their ranges, uncertain where these are wider (rules 4, 7a, 7g)', () => {
    const ports = [{ first: 100, last: 200, protocol: 'TCP' as const }];
    const place = { of: 'ports of an address', address: A } as const;
    const wide = holder('wide', { kind: 'Service', role: 'LOAD_BALANCER', ports });
    const vague = holder('vague', { kind: 'Service', role: 'LOAD_BALANCER', ports, arePortsInexact: true });
    const picture = new Picture().set(place, [span(0, EVER, [wide])]);
    assert.equal(picture.who({ address: A, port: 200 }), 'wide');
    assert.equal(picture.who({ address: A, port: 201 }), 'UNASSIGNED');
    assert.equal(picture.who({ address: A, port: 150, protocol: 'UDP' }), 'UNASSIGNED');
    assert.equal(picture.set(place, [span(0, EVER, [vague])]).who({ address: A, port: 150 }), 'vague?');
    picture.set(place, [span(0, EVER, [wide], { hasMore: true })]);
    assert.equal(picture.who({ address: A, port: 150 }), 'wide?');
  });

  it('doubts by what is blind: the present, the edges, and since when a holder may have gone (rules 7b–7d)', () => {
    const picture = new Picture().set(address, [
      span(500_000, 501_000, [holder('a')], { doubts: [AT_EDGE] }),
      span(501_000, 600_000, [holder('a', { validToMs: 600_000, doubtedFromMs: 550_000 })]),
      span(600_000, 700_000, [holder('b')], { doubts: [UNCERTAIN] }),
      span(700_000, EVER, [holder('c')]),
    ]);
    const facts = picture.facts;
    const at = (atMs: number) => picture.who({ address: A, atMs });
    assert.deepEqual([500_500, 560_000, 650_000, 999_000].map(at), ['a', 'a', 'b?', 'c']);
    picture.facts = { ...facts, blind: [{ sinceMs: 500_100, untilMs: 500_600 }] };
    assert.deepEqual([500_099, 500_100, 500_600, 500_601, 560_000].map(at), ['a', 'a?', 'a?', 'a', 'a']);
    picture.facts = { ...facts, blind: [{ sinceMs: 551_000, untilMs: 552_000 }] };
    assert.deepEqual([548_999, 549_000, 550_000, 560_000].map(at), ['a', 'a', 'a?', 'a?']);
    picture.facts = { ...facts, blindSinceMs: 990_000 };
    assert.deepEqual([989_999, 990_000].map(at), ['c', 'c?']);
  });

  it('says of an address without a holder whether it is the cluster’s, and nothing when it may have missed one (rule 9)', () => {
    const picture = new Picture();
    assert.equal(picture.who({ address: A }), 'UNASSIGNED');
    assert.equal(picture.who({ address: '192.0.2.1' }), 'EXTERNAL');
    assert.equal(picture.set({ ...address, address: '192.0.2.1' }, []).who({ address: '192.0.2.1' }), 'UNASSIGNED');
    picture.isComplete = false;
    assert.equal(picture.who({ address: '192.0.2.2' }), 'UNKNOWN');
    picture.facts = { ...picture.facts, blind: [{ sinceMs: 900_000, untilMs: 950_000 }] };
    assert.equal(picture.who({ address: A, atMs: 897_999 }), 'UNASSIGNED');
    assert.equal(picture.who({ address: A, atMs: 898_000 }), 'UNKNOWN');
    assert.equal(picture.who({ address: A, atMs: 950_000 }), 'UNASSIGNED');
  });
});

describe('15.2: reading an interval (rule 10)', () => {
  const picture = new Picture().set(address, [
    span(500_000, 600_000, [holder('a', { validFromMs: 500_000, validToMs: 600_000 })]),
    span(700_000, 800_000, [holder('b', { validFromMs: 700_000, validToMs: 800_000 })]),
    span(800_000, EVER, [holder('c', { validFromMs: 800_000 })]),
  ]);
  const of = (atMs: number, untilMs: number) => {
    const { outcome, runs } = resolveInterval(picture, { address: A, atMs }, untilMs, NOW);
    const shown = runs.map(
      ({ holder: { name }, fromMs, toMs, isUncertain }) => `${name}${isUncertain ? '?' : ''} ${fromMs}–${toMs ?? ''}`,
    );
    return [outcome, ...shown];
  };

  it('is RESOLVED to one that holds throughout, with the interval of its claim', () => {
    assert.deepEqual(of(510_000, 520_000), ['RESOLVED', 'a 500000–600000']);
    assert.deepEqual(of(900_000, NOW + 1_000), ['RESOLVED', 'c 800000–']);
  });

  it('is uncertain when there was no holder at some of its moments', () => {
    assert.deepEqual(of(590_000, 650_000), ['RESOLVED', 'a? 500000–600000']);
    assert.deepEqual(of(610_000, 650_000), ['UNASSIGNED']);
  });

  it('is AMBIGUOUS when the address changes hands, with the part of the interval that each has', () => {
    assert.deepEqual(of(790_000, 810_000), ['AMBIGUOUS', 'c 800000–810000', 'b 790000–800000']);
    assert.deepEqual(of(599_999, 700_000), ['AMBIGUOUS', 'b 700000–700000', 'a 599999–600000']);
  });
});
