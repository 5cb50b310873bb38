// Hard cases of attribution that are decided at the door, and waiting lookups, with the real address book behind the
// real server. The others: test/addresses, test/catalog, test/cluster.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { PodEntity } from '../../../src/model/entities.ts';
import { serviceCidr, World } from '../../addresses/world.ts';
import { FakePicture, fakePod, fakeReference } from '../fake-picture.ts';
import { eventually, type Json, serve, type Serving } from '../serving.ts';

/** Fewer than calls of one connection, so that one more is refused by the server and does not wait in the client. */
const MAX_WAITERS = 50;

describe('over gRPC', () => {
  let serving: Serving;
  let world: World;

  before(async () => {
    world = new World({ clusterRanges: ['10.0.0.0/8', 'fd00::/8'], maxWaiters: MAX_WAITERS, now: () => Date.now() });
    world.nowMs = Date.now();
    world.putRange(serviceCidr('kubernetes', ['10.96.0.0/16']));
    serving = await serve(
      { limits: { maxStreamsPerConnection: 250 } },
      Object.assign(new FakePicture(), { addresses: world.book }),
    );
  });
  after(() => serving.stop());

  const resolve = async (request: Json): Promise<Json> =>
    (await serving.client.call('ResolveAddress', request))['resolution'] as Json;
  const uidOf = (resolution: Json): unknown => (resolution['pod'] as Json | undefined)?.['uid'];
  const holding = (name: string, addresses: readonly string[]): PodEntity => ({
    ...fakePod(name, fakeReference(name)),
    addresses,
  });
  const untilWaiting = (count: number): Promise<void> =>
    eventually(
      () => world.book.size.waiters === count,
      () => `${world.book.size.waiters} callers wait, not ${count}`,
    );

  it('14: dual stack, mapped, uppercase and uncompressed addresses have one canonical form; a zone is refused', async () => {
    const pod = holding('dual', ['10.1.0.14', 'fd00:10:1::e']);
    world.put(pod);
    for (const address of [
      '10.1.0.14',
      '::ffff:10.1.0.14',
      '::FFFF:0A01:000E',
      'fd00:10:1::e',
      'FD00:10:1::E',
      'fd00:0010:0001:0000:0000:0000:0000:000e',
      'fd00:10:1:0::e',
    ]) {
      assert.equal(uidOf(await resolve({ address })), pod.uid, address);
    }
    for (const address of ['fe80::1%eth0', 'fd00:10:1::e%1']) {
      assert.equal((await serving.client.failure('ResolveAddress', { address })).code, 'INVALID_ARGUMENT', address);
    }
  });

  it('15: text that is not an address is INVALID_ARGUMENT, whatever its length, and in a batch it fails alone', async () => {
    const bad = ['010.0.0.1', '10.1', '1', '', '1'.repeat(60_000), '10.0.0.1 ', '0x0a000001', '10.0.0.256', '::1::'];
    for (const address of bad) {
      const failure = await serving.client.failure('ResolveAddress', { address });
      assert.equal(failure.code, 'INVALID_ARGUMENT', address.slice(0, 40));
      assert.ok(failure.message.length < 300, `${failure.message.length} characters`);
    }
    const queries = [...bad.filter((address) => address.length < 100), '10.1.0.99'].map((address) => ({ address }));
    const { results } = await serving.client.call('BatchResolveAddresses', { queries });
    const good = (results as readonly Json[]).map((result) => result['error'] === undefined);
    assert.deepEqual(good, [...queries.slice(1).map(() => false), true]);
  });

  it('19: all who wait for one address are answered when a pod has it, and no others are', async () => {
    const address = '10.1.0.19';
    const pod = holding('late', [address]);
    const waiting = Array.from({ length: 40 }, () => resolve({ address, wait: { seconds: 20 } }));
    const batch = serving.client.call('BatchResolveAddresses', {
      queries: [{ address }, { address: '10.1.0.14' }],
      wait: { seconds: 20 },
    });
    const other = resolve({ address: '10.1.0.119', wait: { seconds: 20 } });
    await untilWaiting(42);
    world.put(pod);
    for (const resolution of await Promise.all(waiting)) assert.equal(uidOf(resolution), pod.uid);
    const [first] = (await batch)['results'] as readonly Json[];
    assert.equal(uidOf(first?.['resolution'] as Json), pod.uid);
    await untilWaiting(1);
    const next = holding('next', ['10.1.0.119']);
    world.put(next);
    assert.equal(uidOf(await other), next.uid);
    await untilWaiting(0);
  });

  it('19: who waits for a port of an address waits on while others come', async () => {
    const address = '10.1.0.29';
    const at = { seconds: Math.floor(Date.now() / 1_000) + 3_600 };
    const answer = resolve({ address, port: 8_080, protocol: 'PROTOCOL_TCP', wait: { seconds: 20 } });
    await untilWaiting(1);
    world.put(holding('elsewhere', ['10.1.0.30']));
    assert.equal(world.book.size.waiters, 1);
    const pod = holding('there', [address]);
    world.put(pod);
    assert.equal(uidOf(await answer), pod.uid);
    // A moment in the future cannot be waited for.
    assert.equal((await serving.client.failure('ResolveAddress', { address, at })).code, 'INVALID_ARGUMENT');
  });

  it('19: waiting ends with the time, the deadline and the caller, and leaves no waiter behind', async () => {
    const request = { address: '10.1.0.39', wait: { seconds: 20 } };
    assert.equal((await resolve({ ...request, wait: { nanos: 20_000_000 } }))['outcome'], 'OUTCOME_UNASSIGNED');
    const failures = Array.from({ length: 10 }, () =>
      serving.client.failure('ResolveAddress', request, { deadline: Date.now() + 100 }),
    );
    for (const { code } of await Promise.all(failures)) assert.equal(code, 'DEADLINE_EXCEEDED');
    await untilWaiting(0);
  });

  it('19: beyond the bound no call waits: answered at once, counted, and those who wait go on waiting', async () => {
    const refused = world.book.size.waitersRefused;
    const address = '10.1.0.49';
    const waiting = Array.from({ length: MAX_WAITERS }, () => resolve({ address, wait: { seconds: 20 } }));
    await untilWaiting(MAX_WAITERS);
    assert.equal((await resolve({ address, wait: { seconds: 20 } }))['outcome'], 'OUTCOME_UNASSIGNED');
    assert.equal(world.book.size.waitersRefused, refused + 1);
    const pod = holding('bound', [address]);
    world.put(pod);
    for (const resolution of await Promise.all(waiting)) assert.equal(uidOf(resolution), pod.uid);
    await untilWaiting(0);
  });
});
