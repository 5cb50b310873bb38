// What a subscriber of the feed sees, without sockets and with a clock of our own.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { everything } from './cluster.ts';
import { decodeFrame } from './consumer.ts';
import { Harness } from './harness.ts';

const WEB = { kind: 'Pod', namespace: 'shop', name: 'web-0', nodeName: 'node-a', labels: { app: 'web' } } as const;
const API = { kind: 'Pod', namespace: 'shop', name: 'api-0', nodeName: 'node-b', labels: { app: 'api' } } as const;
const NODE_A = { kind: 'Node', namespace: '', name: 'node-a', labels: { zone: 'a' } } as const;

describe('a subscription', () => {
  it('begins with Reset, the snapshot and Synced, and says at once that it is alive', () => {
    const { picture, scheduler, ...harness } = parts();
    picture.set(WEB);
    picture.set(NODE_A);
    const { consumer } = harness.subscribe();
    scheduler.settle();
    assert.deepEqual(consumer.story, ['reset NO_TOKEN', 'changes 2', 'synced', 'progress']);
    assert.deepEqual(consumer.held, ['node||||node-a uid-2', 'pod|||shop|web-0 uid-1']);
  });

  it('is synced with an empty picture', () => {
    const { scheduler, ...harness } = parts();
    const { consumer } = harness.subscribe();
    scheduler.settle();
    assert.deepEqual(consumer.story, ['reset NO_TOKEN', 'synced', 'progress']);
  });

  it('gets every change after that, whole', () => {
    const { picture, scheduler, ...harness } = parts();
    const { consumer } = harness.subscribe();
    scheduler.settle();
    picture.set({ ...WEB, labels: { app: 'web', tier: 'front' } });
    scheduler.advance(1);
    assert.deepEqual(consumer.copy.get('pod|||shop|web-0')?.labels, { app: 'web', tier: 'front' });
    picture.remove('Pod', 'shop', 'web-0');
    scheduler.advance(1);
    assert.deepEqual(consumer.held, []);
  });

  it('gets the newest state of an entity once, however often it changed meanwhile', () => {
    const { picture, scheduler, ...harness } = parts();
    const subscriber = harness.subscribe();
    scheduler.settle();
    subscriber.pause();
    picture.set(API);
    scheduler.advance(1);
    for (let revision = 0; revision < 500; revision++) picture.set({ ...WEB, revision });
    scheduler.advance(1);
    subscriber.resume();
    scheduler.advance(1);
    assert.equal(subscriber.consumer.story.at(-1), 'changes 1');
    assert.equal(subscriber.consumer.upserts, 2);
  });

  it('hears nothing of an entity that came and went while it was not looking', () => {
    const { picture, scheduler, ...harness } = parts();
    const subscriber = harness.subscribe();
    scheduler.settle();
    subscriber.pause();
    picture.set(API);
    scheduler.advance(1);
    picture.set(WEB);
    picture.remove('Pod', 'shop', 'web-0');
    subscriber.resume();
    scheduler.advance(1);
    assert.deepEqual(subscriber.consumer.held, ['pod|||shop|api-0 uid-1']);
    assert.equal(subscriber.consumer.idleRemovals, 0);
  });

  it('sees an object that is recreated under its name as a removal of the old uid, then an upsert', () => {
    const { picture, scheduler, ...harness } = parts();
    picture.set(WEB);
    const { consumer, frames } = harness.subscribe();
    scheduler.settle();
    picture.recreate(WEB);
    scheduler.advance(1);
    const [first, second] = decodeFrame(frames.at(-1) ?? new Uint8Array()).changes?.changes ?? [];
    assert.equal(first?.removal?.uid, 'uid-1');
    assert.equal(second?.upsert?.['pod']?.uid, 'uid-2');
    assert.deepEqual(consumer.held, ['pod|||shop|web-0 uid-2']);
  });

  it('ends after Synced when only the snapshot was asked for', () => {
    const { picture, scheduler, ...harness } = parts();
    picture.set(WEB);
    const subscriber = harness.subscribe({ snapshotOnly: true });
    scheduler.settle();
    assert.deepEqual(subscriber.consumer.story, ['reset NO_TOKEN', 'changes 1', 'synced']);
    assert.equal(subscriber.ended, 'complete');
  });

  it('sends VIEW_BASIC without labels and annotations', () => {
    const { picture, scheduler, ...harness } = parts();
    picture.set({ ...WEB, ballast: 5000 });
    const { consumer, frames } = harness.subscribe({ view: 'BASIC' });
    scheduler.settle();
    assert.deepEqual(consumer.copy.get('pod|||shop|web-0')?.labels, {});
    assert.ok(frames.every((frame) => frame.byteLength < 200));
  });
});

describe('a filter', () => {
  for (const [what, filter, expected] of [
    ['kinds', everything({ kinds: ['Node'] }), ['node||||node-a uid-3']],
    ['namespaces', everything({ namespaces: ['shop', 'none'] }), ['pod|||shop|api-0 uid-2', 'pod|||shop|web-0 uid-1']],
    ['node names', everything({ nodeNames: ['node-a'] }), ['node||||node-a uid-3', 'pod|||shop|web-0 uid-1']],
    ['labels', everything({ labels: new Map([['app', 'api']]) }), ['pod|||shop|api-0 uid-2']],
    ['kind and label', everything({ kinds: ['Service'], labels: new Map([['app', 'api']]) }), []],
  ] as const) {
    it(`selects by ${what}`, () => {
      const { picture, scheduler, ...harness } = parts();
      for (const spec of [WEB, API, NODE_A]) picture.set(spec);
      const { consumer } = harness.subscribe({ filter });
      scheduler.settle();
      assert.deepEqual(consumer.held, expected);
      assert.equal(consumer.synced, true);
    });
  }

  it('turns an entity that stops passing into a removal, and back', () => {
    const { picture, scheduler, ...harness } = parts();
    picture.set(WEB);
    const { consumer } = harness.subscribe({ filter: everything({ labels: new Map([['app', 'web']]) }) });
    scheduler.settle();
    picture.set({ ...WEB, labels: { app: 'other' } });
    scheduler.advance(1);
    assert.deepEqual(consumer.held, []);
    picture.set(WEB);
    scheduler.advance(1);
    assert.deepEqual(consumer.held, ['pod|||shop|web-0 uid-1']);
    assert.equal(consumer.idleRemovals, 0);
  });

  it('removes what stopped passing in a state that the reader never saw', () => {
    const { picture, scheduler, ...harness } = parts();
    picture.set(WEB);
    const subscriber = harness.subscribe({ filter: everything({ labels: new Map([['app', 'web']]) }) });
    scheduler.settle();
    subscriber.pause();
    picture.set({ ...WEB, name: 'web-1' });
    scheduler.advance(1);
    picture.set({ ...WEB, labels: { app: 'other' } });
    picture.set({ ...WEB, labels: { app: 'other' }, revision: 2 });
    subscriber.resume();
    scheduler.advance(1);
    assert.deepEqual(subscriber.consumer.held, ['pod|||shop|web-1 uid-2']);
  });

  it('removes what stopped passing at a place that the reader had passed before it learned of it', () => {
    const { picture, scheduler, ...harness } = parts({ maxFrameBytes: 1 });
    picture.set(WEB);
    const subscriber = harness.subscribe({ filter: everything({ labels: new Map([['app', 'web']]) }) });
    scheduler.settle();
    subscriber.pause();
    picture.set({ ...WEB, name: 'web-1' });
    scheduler.advance(1);
    // The place of the change of labels is a hole by the time the reader comes by, one entity a frame.
    picture.set({ ...WEB, labels: { app: 'other' } });
    for (const name of ['web-2', 'web-3']) picture.set({ ...WEB, name });
    picture.set({ ...WEB, labels: { app: 'other' }, revision: 2 });
    subscriber.resume();
    scheduler.advance(1);
    assert.deepEqual(
      subscriber.consumer.held.map((held) => held.split(' ')[0]),
      ['pod|||shop|web-1', 'pod|||shop|web-2', 'pod|||shop|web-3'],
    );
  });

  it('sends no removals in a snapshot, whatever the entities went through', () => {
    const { picture, scheduler, ...harness } = parts({ maxFrameBytes: 1 });
    picture.set(WEB);
    picture.set(API);
    picture.set(NODE_A);
    picture.set({ ...WEB, labels: { app: 'other' } });
    picture.remove('Node', '', 'node-a');
    const { consumer } = harness.subscribe();
    scheduler.settle();
    assert.deepEqual(consumer.held, ['pod|||shop|api-0 uid-2', 'pod|||shop|web-0 uid-1']);
    assert.equal(consumer.idleRemovals, 0);
  });

  it('stays silent about what does not pass and never did', () => {
    const { picture, scheduler, ...harness } = parts();
    for (const spec of [WEB, API, NODE_A]) picture.set(spec);
    const { consumer } = harness.subscribe({ filter: everything({ labels: new Map([['app', 'none']]) }) });
    scheduler.settle();
    for (let revision = 1; revision < 20; revision++) picture.set({ ...WEB, revision });
    picture.remove('Pod', 'shop', 'api-0');
    scheduler.advance(1);
    assert.deepEqual(consumer.story, ['reset NO_TOKEN', 'synced', 'progress']);
  });

  it('by node stays silent about pods that are bound to other nodes and change there', () => {
    const { picture, scheduler, ...harness } = parts();
    const { consumer } = harness.subscribe({ filter: everything({ nodeNames: ['node-a'] }) });
    scheduler.settle();
    for (const change of [{ nodeName: '' }, {}, { labels: {} }, { revision: 2 }]) {
      picture.set({ ...API, ...change });
      scheduler.advance(1);
    }
    picture.remove('Pod', 'shop', 'api-0');
    scheduler.advance(1);
    assert.deepEqual(consumer.story, ['reset NO_TOKEN', 'synced', 'progress']);
  });
});

describe('resuming', () => {
  it('continues after the token with what was missed, removals included', () => {
    const { picture, scheduler, ...harness } = parts();
    for (const spec of [WEB, API, NODE_A]) picture.set(spec);
    const first = harness.subscribe();
    scheduler.settle();
    first.close();
    picture.remove('Pod', 'shop', 'web-0');
    picture.set({ ...API, revision: 7 });
    const { consumer } = first;
    consumer.story.length = 0;
    consumer.reconnect();
    harness.subscribe({ resumeToken: consumer.token }, consumer);
    scheduler.settle();
    assert.deepEqual(consumer.story, ['changes 2', 'synced', 'progress']);
    assert.deepEqual(consumer.held, ['node||||node-a uid-3', 'pod|||shop|api-0 uid-2']);
  });

  it('with nothing missed is Synced alone', () => {
    const { picture, scheduler, ...harness } = parts();
    picture.set(WEB);
    const { consumer } = harness.subscribe();
    scheduler.settle();
    const { consumer: second } = harness.subscribe({ resumeToken: consumer.token });
    scheduler.settle();
    assert.deepEqual(second.story, ['synced', 'progress']);
  });

  it('goes on in the middle of a snapshot', () => {
    const { picture, scheduler, ...harness } = parts({ maxFrameBytes: 200 });
    for (let index = 0; index < 50; index++) picture.set({ ...WEB, name: `web-${index}` });
    const first = harness.subscribe();
    first.pause();
    scheduler.settle();
    first.resume();
    scheduler.turn();
    scheduler.turn();
    first.close();
    const { consumer } = first;
    const begun = consumer.copy.size;
    assert.ok(begun > 0 && begun < 50, `${begun} of 50 were received`);
    picture.set({ ...WEB, revision: 3 });
    picture.remove('Pod', 'shop', 'web-1');
    harness.subscribe({ resumeToken: consumer.token }, consumer);
    scheduler.settle();
    assert.equal(consumer.story.filter((word) => word.startsWith('reset')).length, 1);
    assert.equal(consumer.copy.size, 49);
    assert.ok(consumer.upserts <= 51, `${consumer.upserts} upserts: nothing comes twice unless it changed`);
  });

  it('says why a token does not work', () => {
    const same = new Harness({ maxRemovals: 1 });
    const { picture } = same;
    for (const spec of [WEB, API, NODE_A]) picture.set(spec);
    const resumeToken = tokenOf(same);
    const reason = (other: Harness, request: object) => {
      const subscriber = other.subscribe({ resumeToken, ...request });
      other.scheduler.settle();
      return subscriber.consumer.story[0];
    };
    assert.equal(reason(same, { view: 'BASIC' }), 'reset PROJECTION_CHANGED');
    assert.equal(reason(same, { filter: everything({ kinds: ['Pod'] }) }), 'reset PROJECTION_CHANGED');
    assert.equal(reason(new Harness({}, 'other'), {}), 'reset PROJECTION_CHANGED');
    assert.equal(reason(new Harness({}, '', 2), {}), 'reset OTHER_EPOCH');
    // Another way to ask for the same.
    assert.equal(
      reason(same, { filter: everything({ kinds: ['Pod', 'Node', 'Service', 'Workload', 'Namespace'] }) }),
      'synced',
    );
    picture.remove('Pod', 'shop', 'web-0');
    assert.equal(reason(same, {}), 'changes 1');
    picture.remove('Pod', 'shop', 'api-0');
    assert.equal(reason(same, {}), 'reset TOKEN_EXPIRED');
  });

  it('refuses bytes that are not a token', () => {
    const harness = new Harness();
    const damaged = Buffer.from(tokenOf(harness));
    damaged[20] = (damaged[20] ?? 0) ^ 1;
    for (const bytes of [Buffer.from('hello'), damaged, Buffer.alloc(46), Buffer.alloc(2000, 1)]) {
      assert.equal(harness.subscribe({ resumeToken: bytes }).outcome, 'not-a-token');
    }
    assert.equal(harness.feed.stats().subscribers, 1);
  });
});

describe('a subscriber that is slow', () => {
  it('has one frame in flight and delays no other', () => {
    const { picture, scheduler, ...harness } = parts({ maxFrameBytes: 1000 });
    for (let index = 0; index < 100; index++) picture.set({ ...WEB, name: `web-${index}` });
    const slow = harness.subscribe();
    slow.pause();
    const quick = harness.subscribe();
    scheduler.settle();
    assert.equal(quick.consumer.synced, true);
    for (let revision = 0; revision < 100; revision++) {
      picture.set({ ...WEB, revision });
      scheduler.advance(1);
      assert.equal(quick.consumer.copy.get('pod|||shop|web-0')?.labels?.['app'], 'web');
    }
    assert.equal(slow.frames.length, 1);
  });

  it('delays no other by not reading: changes come as soon as without it', () => {
    const delays = [0, 1_000].map((stuck) => {
      const { picture, scheduler, ...harness } = parts({ stallTimeoutMs: 1e9 });
      picture.set(WEB);
      for (let index = 0; index < stuck; index++) harness.subscribe().pause();
      const { consumer } = harness.subscribe();
      scheduler.advance(5_000);
      let waitedMs = 0;
      for (let revision = 1; revision <= 50; revision++) {
        picture.set({ ...WEB, revision });
        for (const seen = consumer.upserts; consumer.upserts === seen; waitedMs++) scheduler.advance(1);
      }
      return waitedMs / 50;
    });
    assert.ok((delays[1] ?? 0) <= (delays[0] ?? 0) + 3, `${delays} ms, without and with a thousand`);
  });

  it('is told to start over when a removal that it needs is not kept any more', async () => {
    const harness = new Harness({ removalRetentionMs: 5_000 });
    const { picture, scheduler } = harness;
    for (const spec of [WEB, API, NODE_A]) picture.set(spec);
    const slow = harness.subscribe();
    scheduler.settle();
    slow.pause();
    picture.set({ ...API, revision: 1 });
    scheduler.advance(1);
    picture.remove('Pod', 'shop', 'web-0');
    scheduler.advance(6_000);
    slow.consumer.story.length = 0;
    slow.resume();
    scheduler.advance(1);
    assert.deepEqual(slow.consumer.story, ['reset TOO_SLOW', 'changes 2', 'synced', 'progress']);
    assert.deepEqual(slow.consumer.held, ['node||||node-a uid-3', 'pod|||shop|api-0 uid-2']);
    assert.equal(await harness.metric('digger_feed_resets_total', 'TOO_SLOW'), 1);
  });

  it('is ended when it takes nothing for the stall timeout, and only then', async () => {
    const harness = new Harness({ stallTimeoutMs: 10_000 });
    harness.picture.set(WEB);
    const stalled = harness.subscribe();
    const quiet = harness.subscribe();
    stalled.pause();
    harness.scheduler.advance(9_500);
    assert.equal(stalled.ended, undefined);
    harness.scheduler.advance(1_000);
    assert.equal(stalled.ended, 'stalled');
    assert.equal(quiet.ended, undefined);
    assert.equal(harness.feed.stats().subscribers, 1);
    assert.equal(await harness.metric('digger_feed_subscribers_stalled_total'), 1);
  });
});

describe('the heartbeat', () => {
  it('comes when nothing else did for the interval asked for', () => {
    const { picture, scheduler, ...harness } = parts();
    const { consumer } = harness.subscribe({ heartbeatMs: 2_000 });
    scheduler.settle();
    consumer.story.length = 0;
    scheduler.advance(6_100);
    assert.ok(consumer.story.length >= 3 && consumer.story.every((word) => word === 'progress'), consumer.story.join());
    for (let index = 0; index < 10; index++) {
      picture.set({ ...WEB, revision: index });
      scheduler.advance(1_000);
    }
    assert.equal(consumer.story.filter((word) => word === 'progress').length, 3);
  });

  it('never overtakes a change', () => {
    const { picture, scheduler, ...harness } = parts();
    const subscriber = harness.subscribe({ heartbeatMs: 1_000 });
    scheduler.settle();
    subscriber.pause();
    picture.set(WEB);
    scheduler.advance(1);
    picture.set(API);
    scheduler.advance(5_000);
    subscriber.consumer.story.length = 0;
    subscriber.resume();
    scheduler.advance(1);
    assert.equal(subscriber.consumer.story[0], 'changes 1');
    assert.deepEqual(subscriber.consumer.held, ['pod|||shop|api-0 uid-2', 'pod|||shop|web-0 uid-1']);
  });

  it('keeps the token of a quiet filter resumable', () => {
    const { picture, scheduler, ...harness } = parts({ removalRetentionMs: 60_000 });
    const filter = everything({ kinds: ['Service'] });
    const { consumer } = harness.subscribe({ filter, heartbeatMs: 10_000 });
    scheduler.settle();
    for (let round = 0; round < 30; round++) {
      picture.set(WEB);
      picture.remove('Pod', 'shop', 'web-0');
      scheduler.advance(10_000);
    }
    const { consumer: second } = harness.subscribe({ filter, resumeToken: consumer.token });
    scheduler.settle();
    assert.equal(second.story[0], 'synced');
  });
});

describe('the feed', () => {
  it('tells everybody before it goes, refuses new subscribers, and resolves when all are gone', async () => {
    const { picture, scheduler, feed, ...harness } = parts();
    picture.set(WEB);
    const subscriber = harness.subscribe();
    scheduler.settle();
    let drained = false;
    const done = feed.drain().then(() => {
      drained = true;
    });
    assert.equal(harness.subscribe().outcome, 'draining');
    assert.equal(drained, false);
    scheduler.settle();
    await done;
    assert.equal(subscriber.consumer.story.at(-1), 'closing');
    assert.equal(subscriber.ended, 'draining');
    assert.equal(feed.stats().subscribers, 0);
    assert.equal(scheduler.timers, 0);
  });

  it('sends the Reset that it owes before the last Progress', () => {
    const { picture, scheduler, feed, ...harness } = parts();
    picture.set(WEB);
    const { consumer } = harness.subscribe();
    void feed.drain();
    scheduler.settle();
    assert.deepEqual(consumer.story, ['reset NO_TOKEN', 'closing']);
  });

  it('refuses subscribers beyond its limit', () => {
    const harness = new Harness({ maxSubscribers: 1 });
    const first = harness.subscribe();
    assert.equal(harness.subscribe().outcome, 'too-many-subscribers');
    first.close();
    assert.equal(harness.subscribe().outcome, 'opened');
  });

  it('composes a frame once for all subscribers at the same place of the same projection', () => {
    const { picture, scheduler, ...harness } = parts();
    const all = [1, 2, 3].map(() => harness.subscribe());
    scheduler.settle();
    picture.set(WEB);
    scheduler.advance(1);
    const [first, ...rest] = all.map(({ frames }) => frames.at(-1));
    assert.ok(first !== undefined && rest.every((frame) => frame === first));
  });

  it('gives so many subscribers their turn in one turn of the event loop, and the others theirs in the next', () => {
    const { picture, scheduler, ...harness } = parts({ sliceSubscribers: 2 });
    const all = [1, 2, 3, 4, 5].map(() => harness.subscribe());
    scheduler.settle();
    const before = all.map(({ frames }) => frames.length);
    picture.set(WEB);
    const written = (): number => all.reduce((sum, { frames }, at) => sum + frames.length - (before[at] ?? 0), 0);
    const turns: number[] = [];
    while (scheduler.turn()) turns.push(written());
    assert.deepEqual(
      [...new Set(turns)].filter((count) => count > 0),
      [2, 4, 5],
    );
  });

  it('throws when a sequence is left out', () => {
    const { picture } = parts();
    picture.sequence = 1;
    assert.throws(() => picture.set(WEB), /sequences must be dense/);
  });
});

function parts(limits: ConstructorParameters<typeof Harness>[0] = {}) {
  const harness = new Harness(limits);
  return {
    feed: harness.feed,
    picture: harness.picture,
    scheduler: harness.scheduler,
    subscribe: harness.subscribe.bind(harness),
  };
}

function tokenOf(harness: Harness): Uint8Array {
  const { consumer } = harness.subscribe();
  harness.scheduler.settle();
  return consumer.token;
}
