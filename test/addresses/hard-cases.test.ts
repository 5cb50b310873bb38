// The hard cases of attribution, one test each, at the level of claims. Offsets are ms after T0, a whole second.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { node, pod, service, serviceCidr, T0, World } from './world.ts';

const A = '10.1.0.1';
const OTHER = '10.1.0.8';

describe('who holds an address', () => {
  it('1: pod A is deleted, pod B gets its address within a second, then the late DELETED of A arrives', () => {
    const world = new World();
    world.at(1_000).put(pod('a', { addresses: [A] }));
    world.at(60_000).put(pod('a', { addresses: [A], deletionTimeMs: T0 + 90_000 }));
    world.at(61_300).put(pod('b', { addresses: [A], sandboxReadyTimeMs: T0 + 61_000 }));
    assert.equal(world.at(62_500).who(A), 'b');
    world.at(64_000).remove('a');
    assert.equal(world.at(65_000).who(A), 'b');
    assert.equal(world.who(A, { at: 62_500 }), 'b');
    assert.equal(world.who(A, { at: 50_000 }), 'a');
    assert.equal(world.who(A, { at: 60_900 }), 'a');
  });

  it('1: within the second that the API cannot tell apart, both are named', () => {
    const world = new World();
    world.at(1_000).put(pod('a', { addresses: [A], deletionTimeMs: T0 + 90_000 }));
    world.at(61_800).put(pod('b', { addresses: [A], sandboxReadyTimeMs: T0 + 61_000 }));
    assert.equal(world.at(70_000).who(A, { at: 61_400 }), 'b|a');
    assert.equal(world.who(A, { at: 61_900 }), 'b');
  });

  it('2: a Job pod succeeded and keeps its podIP, the address is issued again', () => {
    const world = new World();
    world.at(1_000).put(pod('job', { addresses: [A] }));
    const done = { addresses: [A], terminal: true, finishedTimeMs: T0 + 9_000 };
    world.at(10_200).put(pod('job', done));
    assert.equal(world.at(10_800).who(A), 'UNASSIGNED');
    world.at(11_000).put(pod('b', { addresses: [A] }));
    world.at(12_000).put(pod('job', { ...done, deletionTimeMs: T0 + 12_000 }));
    assert.equal(world.who(A), 'b');
    world.at(13_000).remove('job');
    assert.equal(world.who(A), 'b');
    assert.equal(world.who(A, { at: 5_000 }), 'job');
  });

  it('3: a terminal or deleted state without addresses ends the claims that were recorded', () => {
    const world = new World();
    world.at(1_000).put([pod('a', { addresses: [A] }), pod('b', { addresses: ['10.1.0.2'] })]);
    world.at(5_000).put(pod('a', { addresses: [], terminal: true }));
    world.remove('b');
    assert.equal(world.at(6_000).who(A), 'UNASSIGNED');
    assert.equal(world.who('10.1.0.2'), 'UNASSIGNED');
    assert.equal(world.book.size.open, 0);
  });

  it('4: the watch was down while A was deleted and B was created on its address', () => {
    const world = new World();
    world.at(1_000).put(pod('a', { addresses: [A] }));
    world.at(60_000).remove('a', 20_000);
    world.put(pod('b', { addresses: [A], sandboxReadyTimeMs: T0 + 40_000 }), 20_000);
    assert.equal(world.who(A), 'b');
    assert.equal(world.who(A, { at: 15_000 }), 'a');
    assert.equal(world.who(A, { at: 30_000 }), 'a?', 'the end of A is known only as an interval');
    assert.equal(world.who(A, { at: 45_000 }), 'b');
  });

  it('4: a gap without a holder is UNKNOWN, not UNASSIGNED', () => {
    const world = new World();
    world.at(60_000).put(pod('other', { addresses: ['10.9.9.9'] }), 20_000);
    assert.equal(world.who(A, { at: 10_000 }), 'UNASSIGNED');
    assert.equal(world.who(A, { at: 30_000 }), 'UNKNOWN');
    assert.equal(world.who(A), 'UNASSIGNED');
    world.blindSinceMs = T0 + 61_000;
    assert.equal(world.at(65_000).who(A), 'UNKNOWN', 'no watch is up now');
  });

  it('4: a pod that was leaving in a gap may have lost its address to one that came and went: uncertain', () => {
    const world = new World();
    world.at(1_000).put([node('lost'), node('node-1')]);
    world.put([pod('a', { addresses: [A], nodeName: 'lost' }), pod('b', { addresses: ['10.1.0.2'] })]);
    world.put(pod('c', { addresses: ['10.1.0.3'] }));
    world.at(10_000).put(pod('b', { addresses: ['10.1.0.2'], deletionTimeMs: T0 + 40_000 }));
    world.at(60_000).relistOf('pods', 20_000);
    assert.equal(world.who('10.1.0.2'), 'b?', 'its end is near, and a successor would not have been seen');
    assert.equal(world.who('10.1.0.2', { at: 15_000 }), 'b', 'before the gap a successor would have been seen');
    assert.equal(world.who(A), 'a');
    world.remove('lost');
    assert.equal(world.who(A), 'a?', 'it is not known when the node was lost');
    assert.equal(world.who(A, { at: 15_000 }), 'a');
    assert.equal(world.who('10.1.0.3'), 'c', 'a pod that lives has kept its address');
    world.at(700_000).book.expire();
    assert.equal(world.who('10.1.0.2'), 'b?', 'also when the gap is forgotten');
  });

  it('4: who was leaving already when the first list came may have lost its address before: uncertain', () => {
    const world = new World({ opened: false });
    world.put([pod('a', { addresses: [A], deletionTimeMs: T0 }), pod('b', { addresses: ['10.1.0.2'] })]);
    world.book.open();
    world.at(10_000).put(pod('b', { addresses: ['10.1.0.2'], deletionTimeMs: T0 + 40_000 }));
    assert.equal(world.who(A), 'a?');
    assert.equal(world.who('10.1.0.2'), 'b', 'it was seen to live');
  });

  it('4: a gap in the watch of owners hides no address: one without a holder is UNASSIGNED and not UNKNOWN', () => {
    const world = new World();
    world.at(60_000).relistOf('deployments.apps', 20_000);
    assert.equal(world.who(A, { at: 30_000 }), 'UNASSIGNED');
    world.relistOf('services', 20_000);
    assert.equal(world.who(A, { at: 30_000 }), 'UNKNOWN');
  });

  it('5: a StatefulSet pod is recreated under its name with a new uid', () => {
    const world = new World();
    world.at(1_000).put(pod('web-0', { uid: 'first', addresses: [A] }));
    world.at(10_000).remove('web-0');
    world.at(12_000).put(pod('web-0', { uid: 'second', addresses: ['10.1.0.2'] }));
    const now = world.ask('10.1.0.2');
    const before = world.ask(A, { at: 5_000 });
    assert.ok(now.outcome === 'RESOLVED' && now.holder.entity.uid === 'second');
    assert.ok(before.outcome === 'RESOLVED' && before.holder.entity.uid === 'first');
  });

  it('6: the address of a pod changes', () => {
    const world = new World();
    world.at(1_000).put(pod('a', { addresses: [A], sandboxReadyTimeMs: T0 }));
    world.at(9_000).put(pod('a', { addresses: ['10.1.0.2'], sandboxReadyTimeMs: T0 }));
    assert.equal(world.at(11_000).who('10.1.0.2'), 'a');
    assert.equal(world.who(A), 'UNASSIGNED');
    assert.equal(world.who(A, { at: 5_000 }), 'a');
    assert.equal(world.who('10.1.0.2', { at: 5_000 }), 'UNASSIGNED', 'the condition tells nothing of the new sandbox');
  });

  it('7: two host-network pods on one node with distinct ports', () => {
    const world = new World();
    const on = (port: number) => ({
      hostNetwork: true,
      addresses: ['10.0.0.1'],
      hostAddresses: ['10.0.0.1'],
      hostPorts: [{ port, protocol: 'TCP' as const, hostAddress: undefined }],
    });
    world
      .at(1_000)
      .put([node('node-1', { addresses: ['10.0.0.1', '10.0.7.1'] }), pod('a', on(9100)), pod('b', on(9200))]);
    world.at(5_000);
    assert.equal(world.who('10.0.0.1', { port: 9100 }), 'a');
    assert.equal(world.who('10.0.0.1', { port: 9200, protocol: 'TCP' }), 'b');
    assert.equal(world.who('10.0.7.1', { port: 9200 }), 'b', 'at every address of the node');
    assert.equal(world.who('10.0.0.1', { port: 9200, protocol: 'UDP' }), 'node-1');
    assert.equal(world.who('10.0.0.1'), 'node-1');
  });

  it('7: without Node objects the ports are still found by the host addresses of the pods', () => {
    const world = new World();
    world.at(1_000).put(
      pod('a', {
        hostNetwork: true,
        addresses: ['10.0.0.1'],
        hostAddresses: ['10.0.0.1'],
        hostPorts: [{ port: 9100, protocol: 'TCP', hostAddress: undefined }],
      }),
    );
    assert.equal(world.at(5_000).who('10.0.0.1', { port: 9100 }), 'a');
    assert.equal(world.who('10.0.0.1'), 'UNKNOWN', 'it is a node’s, whichever that is');
  });

  it('7: the node is uncertain for a port in a gap, because a pod may have come and gone on it', () => {
    const world = new World();
    world.at(1_000).put(node('node-1', { addresses: ['10.0.0.1'] }));
    world.at(60_000).relistOf('pods', 20_000);
    assert.equal(world.who('10.0.0.1', { port: 9_100, at: 30_000 }), 'node-1?');
    assert.equal(world.who('10.0.0.1', { at: 30_000 }), 'node-1', 'the bare address is the node');
    assert.equal(world.who('10.0.0.1', { port: 9_100 }), 'node-1');
    const partial = new World({ partial: true });
    partial.at(1_000).put(node('node-1', { addresses: ['10.0.0.1'] }));
    assert.equal(
      partial.at(5_000).who('10.0.0.1', { port: 9_100 }),
      'node-1?',
      'a pod of another namespace may have it',
    );
    assert.equal(partial.who('10.0.0.1'), 'node-1');
  });

  it('8: a host-network pod without declared ports is a candidate, never a guess', () => {
    const world = new World();
    world
      .at(1_000)
      .put([
        node('node-1', { addresses: ['10.0.0.1'] }),
        node('node-2', { addresses: ['10.0.0.2'] }),
        pod('agent', { hostNetwork: true, addresses: ['10.0.0.1'], hostAddresses: ['10.0.0.1'] }),
        pod('elsewhere', { nodeName: 'node-2', hostNetwork: true, addresses: ['10.0.0.2'] }),
      ]);
    const answer = world.at(5_000).ask('10.0.0.1', { port: 4_000 });
    assert.ok(answer.outcome === 'RESOLVED');
    assert.equal(answer.holder.entity.name, 'node-1');
    assert.deepEqual(
      answer.alternatives.map((alternative) => alternative.entity.name),
      ['agent'],
    );
  });

  it('9: a ClusterIP is its service, from the creation of the service', () => {
    const world = new World();
    world.at(5_400).put(service('api', { clusterAddresses: ['10.96.0.5'], creationTimeMs: T0 + 4_000 }));
    assert.equal(world.who('10.96.0.5', { port: 443 }), 'api');
    assert.equal(world.who('10.96.0.5', { at: 4_200 }), 'api');
    assert.equal(world.who('10.96.0.5', { at: 2_000 }), 'UNASSIGNED');
  });

  it('10: a headless service claims nothing', () => {
    const world = new World();
    world.at(1_000).put([service('headless'), pod('a', { addresses: [A] })]);
    assert.equal(world.who(A), 'a');
    assert.equal(world.book.size.open, 1);
  });

  it('11: NodePort on every node address, LoadBalancer with several addresses', () => {
    const world = new World();
    world.at(1_000).put([
      node('node-1', { addresses: ['10.0.0.1', '203.0.113.1'] }),
      node('node-2', { addresses: ['10.0.0.2'] }),
      service('web', {
        clusterAddresses: ['10.96.0.7'],
        nodePorts: [{ port: 30_080, protocol: 'TCP' }],
        loadBalancerAddresses: ['198.51.100.1', '198.51.100.2'],
      }),
    ]);
    world.at(5_000);
    for (const address of ['10.0.0.1', '203.0.113.1', '10.0.0.2']) {
      assert.equal(world.who(address, { port: 30_080 }), 'web');
      assert.notEqual(world.who(address), 'web');
    }
    assert.equal(world.who('198.51.100.2'), 'web');
    assert.equal(world.who('10.1.0.9', { port: 30_080 }), 'UNASSIGNED', 'only node addresses carry node ports');
  });

  it('12: a manual endpoint is told with its service, two services make it ambiguous', () => {
    const world = new World();
    world.at(1_000).put(service('db', { manualEndpoints: ['192.0.2.10', '192.0.2.11'] }));
    world.at(2_000).put(service('db-too', { manualEndpoints: ['192.0.2.11'] }));
    const answer = world.at(5_000).ask('192.0.2.10');
    assert.ok(answer.outcome === 'RESOLVED' && answer.holder.role === 'ENDPOINT');
    assert.equal(world.who('192.0.2.11'), 'db-too|db', 'newest first');
  });

  it('19: all callers that wait for the address wake, and none stays behind', async () => {
    const world = new World();
    const { signal } = new AbortController();
    const waiting = [world.book.waitForHolder([A], signal), world.book.waitForHolder(['10.1.0.2', A], signal)];
    const cancelled = new AbortController();
    const given = world.book.waitForHolder([A], cancelled.signal);
    cancelled.abort();
    assert.deepEqual(await given?.next(), []);
    world.at(300).put(pod('late', { addresses: [A] }));
    assert.deepEqual(await Promise.all(waiting.map((each) => each?.next())), [[A], [A]]);
    for (const each of waiting) each?.[Symbol.dispose]();
    assert.equal(world.book.size.waiters, 0);
  });

  it('19: a caller that waits for many addresses is told which of them were claimed, and waits on for the others', async () => {
    const world = new World();
    const waiting = world.book.waitForHolder([A, OTHER, '10.1.0.9'], new AbortController().signal);
    assert.ok(waiting);
    world.at(300).put([pod('a', { addresses: [A] }), pod('b', { addresses: [OTHER] })]);
    assert.deepEqual(await waiting.next(), [A, OTHER]);
    waiting.forget(A);
    waiting.forget(A);
    world.at(400).put([pod('c', { addresses: [A] }), pod('d', { addresses: ['10.1.0.9'] })]);
    assert.deepEqual(await waiting.next(), ['10.1.0.9']);
    waiting[Symbol.dispose]();
    waiting[Symbol.dispose]();
    assert.deepEqual(await waiting.next(), []);
    assert.equal(world.book.size.waiters, 0);
  });

  it('19: too many waiters are turned away at once', () => {
    const world = new World({ maxWaiters: 1 });
    const first = new AbortController();
    assert.ok(world.book.waitForHolder([A], first.signal));
    assert.equal(world.book.waitForHolder([A], first.signal), undefined);
    first.abort();
    assert.equal(world.book.size.waiters, 0);
  });

  it('19: callers who wait for many addresses each are turned away sooner', () => {
    const world = new World({ maxWaiters: 100 });
    const many = Array.from({ length: 400 }, (_, i) => `10.2.${i >> 8}.${i & 255}`);
    const caller = new AbortController();
    assert.ok(world.book.waitForHolder(many, caller.signal));
    assert.ok(world.book.waitForHolder(many, caller.signal));
    assert.equal(world.book.waitForHolder(many, caller.signal), undefined, '1,000 addresses for 100 callers');
    assert.ok(world.book.waitForHolder([A], caller.signal));
    caller.abort();
    assert.equal(world.book.size.waiters, 0);
    assert.ok(world.book.waitForHolder(many, new AbortController().signal), 'there is room again');
  });

  it('20: a moment before history is UNKNOWN and says since when this replica can tell', () => {
    const world = new World();
    world.put(pod('a', { addresses: [A], sandboxReadyTimeMs: T0 - 3_600_000 }));
    const answer = world.at(1_000).ask(A, { at: -60_000 });
    assert.equal(answer.outcome, 'UNKNOWN');
    assert.equal(answer.historySinceMs, T0);
    assert.equal(world.who(A, { at: 500 }), 'a');
    world.at(3_600_000);
    assert.equal(world.ask(A).historySinceMs, T0 + 3_000_000);
  });

  it('20: what was forgotten for want of room moves the start of history', () => {
    const world = new World({ maxClaims: 2 });
    for (let i = 1; i <= 4; i++) {
      world.at(i * 10_000).put(pod(`p${i}`, { addresses: [`10.1.0.${i}`] }));
      world.at(i * 10_000 + 5_000).remove(`p${i}`);
    }
    assert.equal(world.at(50_000).who('10.1.0.1', { at: 12_000 }), 'UNKNOWN');
    assert.equal(world.who('10.1.0.3', { at: 32_000 }), 'p3');
    assert.equal(world.book.size.ended, 2);
  });

  it('21: between the end of A and the start of B it has no holder, beyond the slack', () => {
    const world = new World();
    world.at(1_000).put(pod('a', { addresses: [A] }));
    world.at(10_000).remove('a');
    world.at(20_000).put(pod('b', { addresses: [A] }));
    assert.equal(world.who(A, { at: 10_300 }), 'a');
    assert.equal(world.who(A, { at: 15_000 }), 'UNASSIGNED');
    assert.equal(world.who(A, { at: 19_700 }), 'b');
    assert.equal(world.who(A, { at: 19_000 }), 'UNASSIGNED');
  });

  it('22: an address outside every cluster range is EXTERNAL, without ranges UNKNOWN', () => {
    const world = new World({ clusterRanges: [] });
    assert.equal(world.at(1_000).who('8.8.8.8'), 'UNKNOWN');
    world.put(node('node-1', { podRanges: ['10.1.0.0/24'] })).putRange(serviceCidr('kubernetes', ['10.96.0.0/16']));
    assert.equal(world.who('8.8.8.8'), 'EXTERNAL');
    assert.equal(world.who('10.1.0.77'), 'UNASSIGNED');
    assert.equal(world.who('10.96.3.3'), 'UNASSIGNED');
    assert.equal(world.who('2001:db8::1'), 'UNKNOWN', 'no IPv6 range is known');
    world.at(2_000).remove('node-1');
    assert.equal(world.who('10.1.0.77'), 'UNASSIGNED', 'a range stays known while history lasts');
    world.at(700_000).book.expire();
    assert.equal(world.who('10.1.0.77'), 'UNKNOWN');
  });

  it('22: without the ranges of services nothing is EXTERNAL: the address may be one of a service', () => {
    const world = new World({ clusterRanges: [] });
    world.at(1_000).put(node('node-1', { podRanges: ['10.1.0.0/24'] }));
    assert.equal(world.who('10.96.3.3'), 'UNKNOWN');
    assert.equal(world.who('10.1.0.77'), 'UNASSIGNED');
  });

  it('22: without the ranges of pods nothing is EXTERNAL: the address may be one of a pod', () => {
    const world = new World({ clusterRanges: [] });
    world.at(1_000).putRange(serviceCidr('kubernetes', ['10.96.0.0/16', 'fd00:10:96::/112']));
    assert.equal(world.who('10.1.0.77'), 'UNKNOWN');
    assert.equal(world.who('fd00:10:96::1'), 'UNASSIGNED');
  });

  it('22: a range of services stays known while history lasts, also when it was seen to go by a relist', async () => {
    const world = new World({ clusterRanges: [] });
    world.at(1_000).put(node('node-1', { podRanges: ['10.1.0.0/24'] }));
    await world.listRanges([serviceCidr('kubernetes', ['10.96.0.0/16']), serviceCidr('more', ['10.97.0.0/16'])]);
    world.at(2_000);
    await world.listRanges([serviceCidr('kubernetes', ['10.96.0.0/16'])]);
    assert.equal(world.book.serviceRanges.size, 1);
    assert.equal(world.who('10.97.0.1'), 'UNASSIGNED');
    world.at(700_000).book.expire();
    assert.equal(world.who('10.97.0.1'), 'EXTERNAL');
    assert.equal(world.who('10.96.0.1'), 'UNASSIGNED');
    world.putRange(serviceCidr('kubernetes', ['10.98.0.0/16']));
    assert.equal(world.who('10.96.0.1'), 'UNASSIGNED', 'the object lives on with another range');
    assert.equal(world.who('10.98.0.1'), 'UNASSIGNED');
  });

  it('22: an address that a pod, a node or a service had while history lasts is not EXTERNAL', () => {
    const world = new World({ clusterRanges: [] });
    world
      .at(1_000)
      .putRange(serviceCidr('kubernetes', ['10.96.0.0/16']))
      .put([node('node-1', { podRanges: ['10.1.0.0/24'] }), node('node-2', { addresses: ['172.18.0.3'] })])
      .put(pod('elsewhere', { addresses: ['192.168.7.7'] }));
    world.at(5_000).remove('node-2').remove('elsewhere');
    assert.equal(world.at(10_000).who('172.18.0.3'), 'UNASSIGNED');
    assert.equal(world.who('192.168.7.7'), 'UNASSIGNED');
    assert.equal(world.who('172.18.0.4'), 'UNKNOWN', 'a pod was outside of every range');
    world.at(700_000).book.expire();
    assert.equal(world.who('172.18.0.3'), 'EXTERNAL');
  });

  it('23: a node is removed and another gets its address', () => {
    const world = new World();
    world.at(1_000).put(node('old', { addresses: ['10.0.0.1'] }));
    world.at(10_000).remove('old');
    world.at(11_000).put(node('new', { addresses: ['10.0.0.1'] }));
    assert.equal(world.who('10.0.0.1'), 'new');
    assert.equal(world.who('10.0.0.1', { at: 5_000 }), 'old');
  });

  it('23: pods of a node that is gone lose their addresses to those that take them', () => {
    const world = new World();
    world.at(1_000).put([node('lost'), node('node-1'), pod('a', { nodeName: 'lost', addresses: [A] })]);
    world.at(10_000).put(pod('b', { addresses: [A] }));
    assert.equal(world.at(12_000).who(A), 'b|a');
    world.remove('lost');
    assert.equal(world.who(A), 'b');
  });

  it('24: a service is recreated with another ClusterIP, and LoadBalancer becomes ClusterIP', () => {
    const world = new World();
    const old = { uid: 'old', clusterAddresses: ['10.96.0.1'] };
    world.at(1_000).put(service('web', { ...old, loadBalancerAddresses: ['198.51.100.1'] }));
    world.at(5_000).put(service('web', old));
    assert.equal(world.at(7_000).who('198.51.100.1'), 'EXTERNAL');
    world.at(10_000).remove('web');
    world.put(service('web', { uid: 'new', clusterAddresses: ['10.96.0.2'] }));
    assert.equal(world.at(12_000).who('10.96.0.1'), 'UNASSIGNED');
    assert.equal(world.who('10.96.0.2'), 'web');
    assert.equal(world.who('198.51.100.1', { at: 3_000 }), 'web');
  });
});

describe('the start of a pod address', () => {
  it('is known to the second by the sandbox condition', () => {
    const world = new World();
    world.at(12_000).put(pod('a', { addresses: [A], startTimeMs: T0 + 2_000, sandboxReadyTimeMs: T0 + 9_000 }));
    assert.equal(world.who(A, { at: 8_000 }), 'UNASSIGNED');
    assert.equal(world.who(A, { at: 9_300 }), 'a');
  });

  it('is uncertain between the start of the pod and our first sight where there is no such condition', () => {
    const world = new World();
    world.at(12_000).put(pod('a', { addresses: [A], startTimeMs: T0 + 2_000 }));
    assert.equal(world.who(A, { at: 5_000 }), 'a?');
    assert.equal(world.who(A, { at: 12_000 }), 'a');
  });
});

describe('two live holders of one pod address', () => {
  it('are ambiguous with the later one first, until one of them loses the address', () => {
    const world = new World();
    world.at(1_000).put(pod('a', { addresses: [A] }));
    world.at(10_000).put(pod('b', { addresses: [A] }));
    assert.equal(world.at(20_000).who(A), 'b|a');
    world.put(pod('a', { addresses: ['10.1.0.2'] }));
    assert.equal(world.who(A), 'b');
  });

  it('leave the address to the first when the second ends', () => {
    const world = new World();
    world.at(1_000).put(pod('a', { addresses: [A] }));
    world.at(10_000).put(pod('b', { addresses: [A] }));
    world.at(20_000).remove('b');
    assert.equal(world.at(25_000).who(A), 'a');
    assert.equal(world.who(A, { at: 15_000 }), 'b|a', 'it cannot be known which of them it was');
  });

  it('leave it without a holder when the second ends and the first was on its way out', () => {
    const world = new World();
    world.at(1_000).put(pod('a', { addresses: [A], deletionTimeMs: T0 }));
    world.at(10_000).put(pod('b', { addresses: [A] }));
    world.at(20_000).remove('b');
    assert.equal(world.at(25_000).who(A), 'UNASSIGNED');
  });

  it('leave it to the first again when the second ends, also in hindsight: its sandbox may have got the address back', () => {
    const world = new World();
    world.at(1_000).put(pod('a', { addresses: [A] }));
    world.at(10_000).put(pod('b', { addresses: [A] }));
    world.at(20_000).remove('b');
    world.at(40_000).put(pod('a', { addresses: [A], deletionTimeMs: T0 + 70_000 }));
    assert.equal(world.at(45_000).who(A), 'a');
    world.at(60_000).remove('a');
    assert.equal(world.who(A, { at: 30_000 }), 'a', 'it lived on after b');
    assert.equal(world.who(A, { at: 15_000 }), 'b', 'b had it in between');
  });

  it('of one list are ambiguous whatever their times say: a sandbox that was remade keeps its old time', () => {
    for (const list of ['the first', 'a later']) {
      const world = new World({ opened: list === 'a later' });
      const since = list === 'a later' ? 5_000 : undefined;
      const times = [T0 + 6_000, T0 + 8_000].map((ms) => ({ addresses: [A], sandboxReadyTimeMs: ms }));
      world.at(10_000).put([pod('a', times[0]), pod('b', times[1])], since);
      if (list === 'the first') world.book.open();
      world.at(20_000).put(pod('a', { ...times[0], deletionTimeMs: T0 + 50_000 }));
      assert.equal(world.at(30_000).who(A), 'b|a', `${list} list`);
      world.put(pod('b', { ...times[1], addresses: ['10.1.0.2'] }));
      assert.equal(world.at(40_000).who(A), 'a', 'b had only lagged behind');
    }
  });

  it('does not give it back to one that is still being deleted when its successor is forgotten', () => {
    for (const stays of ['deleting', 'ended']) {
      const world = new World();
      world.at(1_000).put(pod('a', { addresses: [A], deletionTimeMs: T0 }));
      world.at(10_000).put(pod('b', { addresses: [A] }));
      world.at(20_000).remove('b');
      if (stays === 'ended') world.at(625_000).remove('a');
      world.at(630_000).book.expire();
      assert.equal(world.book.size.ended, stays === 'ended' ? 1 : 0, 'b is forgotten');
      assert.equal(world.who(A, { at: 621_000 }), 'UNASSIGNED', stays);
    }
  });

  it('gives it back to one that lives when the other is forgotten', () => {
    const world = new World();
    world.at(1_000).put(pod('a', { addresses: [A] }));
    world.at(10_000).put(pod('b', { addresses: [A] }));
    world.at(20_000).remove('b');
    world.at(630_000).book.expire();
    assert.equal(world.who(A), 'a');
  });

  it('lets a successor that has come and gone count, whatever may have come after it', () => {
    const world = new World();
    world.at(1_000).put(pod('a', { addresses: [A], deletionTimeMs: T0 }));
    world.at(10_000).put(pod('b', { addresses: [A] }));
    world.at(12_000).remove('b');
    world.at(20_000).put(pod('c', { addresses: [A], startTimeMs: T0 + 13_000 }));
    world.at(21_000).remove('c');
    assert.equal(world.at(30_000).who(A, { at: 15_000 }), 'c?');
  });

  it('of the same second are ordered by our first sight, not by uid', () => {
    const world = new World();
    world.at(10_300).put(pod('zz', { addresses: [A], sandboxReadyTimeMs: T0 + 10_000 }));
    world.at(10_600).put(pod('aa', { addresses: [A], sandboxReadyTimeMs: T0 + 10_000 }));
    assert.equal(world.at(20_000).who(A), 'aa|zz');
  });
});
