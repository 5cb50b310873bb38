// Whose cluster a token is of: another one's is refused by name, and what is not known refuses nothing.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ClusterIdentity, isOtherCluster } from '../../src/model/cluster-identity.ts';
import { messageType } from '../../src/wire/schema.ts';
import { Harness } from './harness.ts';

const A: ClusterIdentity = { name: 'prod-a', uid: '11111111-1111-4111-8111-111111111111' };
const B: ClusterIdentity = { name: 'prod-b', uid: '22222222-2222-4222-8222-222222222222' };

describe('two identities', () => {
  for (const [a, b, isOther] of [
    [A, B, true],
    [A, A, false],
    // A cluster that got another name.
    [A, { ...A, name: 'renamed' }, false],
    // Two that have one name.
    [A, { ...B, name: A.name }, true],
    [A, { name: B.name, uid: '' }, true],
    [A, { name: A.name, uid: '' }, false],
    [A, { name: '', uid: '' }, false],
    [{ name: '', uid: A.uid }, { name: B.name, uid: '' }, false],
  ] as const) {
    it(`${JSON.stringify(a)} and ${JSON.stringify(b)} ${isOther ? 'are' : 'may not be'} two clusters`, () => {
      assert.equal(isOtherCluster(a, b), isOther);
      assert.equal(isOtherCluster(b, a), isOther);
    });
  }
});

describe('a subscriber', () => {
  const synced = (harness: Harness) => {
    harness.picture.set({ kind: 'Service', namespace: 'shop', name: 'web' });
    const subscriber = harness.subscribe();
    harness.scheduler.settle();
    return subscriber;
  };
  const WatchResponse = messageType('digger.v1.WatchResponse');
  const frameOf = (bytes: Uint8Array) => WatchResponse.toObject(WatchResponse.decode(bytes), { oneofs: true });

  it('is told the cluster in Reset, Synced and Progress, and not in Changes', () => {
    const harness = new Harness();
    harness.cluster = A;
    const frames = synced(harness).frames.map(frameOf);
    const told = new Map(frames.map((frame) => [frame['frame'], frame['cluster']]));
    assert.deepEqual(Object.fromEntries(told), { reset: A, changes: undefined, synced: A, progress: A });
  });

  it('with a token of another cluster is refused, whatever the other cluster has seen', () => {
    const [here, there] = [new Harness(), new Harness({}, '', 2)];
    [here.cluster, there.cluster] = [A, B];
    const { consumer } = synced(there);
    synced(here);
    const refused = here.subscribe({ resumeToken: consumer.token });
    assert.equal(refused.outcome, 'other-cluster');
    assert.equal(here.feed.stats().subscribers, 1);
  });

  it('goes on with a token from before the uid was known, and after', () => {
    const harness = new Harness();
    const { consumer } = synced(harness);
    harness.cluster = A;
    const again = harness.subscribe({ resumeToken: consumer.token });
    assert.equal(again.outcome, 'opened');
    harness.scheduler.settle();
    const kinds = again.frames.map((frame) => frameOf(frame)['frame']);
    assert.ok(!kinds.includes('reset'), String(kinds));
  });
});
