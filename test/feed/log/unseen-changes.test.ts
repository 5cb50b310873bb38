// What is remembered for subscribers with a choice of labels and annotations, and its bounds.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { everything } from '../cluster.ts';
import { Harness } from '../harness.ts';

const WEB = { kind: 'Pod', namespace: 'shop', name: 'web-0', labels: { app: 'web' } } as const;
const CHOICE = { labels: ['app'], annotations: [] };

describe('16.3 a choice of labels and annotations', () => {
  it('is remembered while it is in use, once for all that made it', async () => {
    const harness = new Harness();
    const { picture, scheduler } = harness;
    for (let index = 0; index < 10; index++) picture.set({ ...WEB, name: `web-${index}`, ballast: 1 });
    const subscribers = [
      harness.subscribe({ values: CHOICE }),
      harness.subscribe({
        values: { labels: ['app', 'app'], annotations: [] },
        filter: everything({ kinds: ['Pod'] }),
      }),
    ];
    const all = harness.subscribe();
    scheduler.settle();
    for (let index = 0; index < 10; index++) picture.set({ ...WEB, name: `web-${index}`, ballast: 2 });
    scheduler.advance(1);
    assert.equal(await harness.metric('digger_feed_unseen_entities'), 10);
    assert.deepEqual(
      [...subscribers, all].map(({ consumer }) => consumer.upserts),
      [10, 10, 20],
    );
    picture.remove('Pod', 'shop', 'web-0');
    picture.set({ ...WEB, name: 'web-1', labels: { app: 'other' } });
    scheduler.advance(1);
    assert.equal(await harness.metric('digger_feed_unseen_entities'), 8);
    for (const each of [...subscribers, all]) each.close();
    assert.equal(await harness.metric('digger_feed_unseen_entities'), 0);
  });

  it('is followed for 32 choices at once; others are sent what they need not be, and miss nothing', () => {
    const harness = new Harness();
    const { picture, scheduler } = harness;
    picture.set({ ...WEB, ballast: 1 });
    const subscribers = Array.from({ length: 33 }, (_, index) =>
      harness.subscribe({ values: { labels: ['app', `key-${index}`], annotations: [] } }),
    );
    scheduler.settle();
    picture.set({ ...WEB, ballast: 2 });
    scheduler.advance(1);
    const upserts = subscribers.map(({ consumer }) => consumer.upserts);
    assert.deepEqual(upserts, [...Array.from({ length: 32 }, () => 1), 2]);
  });

  it('is part of what a token stands for', () => {
    const harness = new Harness();
    harness.picture.set(WEB);
    const first = harness.subscribe({ values: CHOICE });
    harness.scheduler.settle();
    const story = (request: object): string | undefined => {
      const { consumer } = harness.subscribe({ resumeToken: first.consumer.token, ...request });
      harness.scheduler.settle();
      return consumer.story[0];
    };
    assert.equal(story({ values: CHOICE }), 'synced');
    assert.equal(story({ values: { labels: ['app'], annotations: ['note'] } }), 'reset PROJECTION_CHANGED');
    assert.equal(story({}), 'reset PROJECTION_CHANGED');
  });

  it('of nothing in a basic view hears of no change of values or containers', () => {
    const harness = new Harness();
    const { picture, scheduler } = harness;
    picture.set({ ...WEB, ballast: 1 });
    const { consumer } = harness.subscribe({ values: { labels: [], annotations: [] }, view: 'BASIC' });
    scheduler.settle();
    picture.set({ ...WEB, ballast: 2, labels: { app: 'x' } });
    scheduler.advance(1);
    assert.equal(consumer.upserts, 1);
    picture.set({ ...WEB, ballast: 2, revision: 1 });
    scheduler.advance(1);
    assert.equal(consumer.upserts, 2);
  });
});
