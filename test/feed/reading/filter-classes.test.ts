// Filters of many subscribers: equal ones are one, different ones are bounded.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import type { EntityKind } from '../../../src/model/entities.ts';
import { everything } from '../cluster.ts';
import { Harness } from '../harness.ts';

const WEB = {
  kind: 'Pod',
  namespace: 'shop',
  name: 'web-0',
  nodeName: 'node-a',
  labels: { app: 'web', tier: 'a' },
} as const;

describe('filters that ask for the same', () => {
  it('share one frame, in whatever order their kinds, names and labels stand', async () => {
    const harness = new Harness();
    const kinds: readonly EntityKind[] = ['Pod', 'Service', 'Node'];
    const one = everything({
      kinds,
      namespaces: ['shop', 'back', 'shop'],
      nodeNames: ['node-a', 'node-b'],
      labels: new Map(Object.entries({ app: 'web', tier: 'a' })),
    });
    const other = everything({
      kinds: kinds.toReversed(),
      namespaces: ['back', 'shop'],
      nodeNames: ['node-b', 'node-a', 'node-b'],
      labels: new Map(Object.entries({ tier: 'a', app: 'web' })),
    });
    const [first, second] = [harness.subscribe({ filter: one }), harness.subscribe({ filter: other })];
    harness.scheduler.settle();
    harness.picture.set(WEB);
    harness.scheduler.advance(1);
    assert.equal(first.consumer.upserts, 1);
    assert.equal(first.frames.at(-1), second.frames.at(-1), 'the same buffer, not an equal one');
    assert.equal(await harness.metric('digger_feed_filters'), 1);
    const third = harness.subscribe({ filter: other, view: 'BASIC' });
    assert.equal(await harness.metric('digger_feed_filters'), 2, 'another view shows other bytes');
    for (const each of [first, second, third]) each.close();
    assert.equal(await harness.metric('digger_feed_filters'), 0);
    assert.equal(await harness.metric('digger_feed_filter_bytes'), 0);
  });
});

describe('filters that all differ', () => {
  it('are served by the ten thousand, within the bounds of what they may take', async () => {
    const subscribers = 10_000;
    const harness = new Harness({ maxSubscribers: subscribers });
    const { feed, picture, scheduler } = harness;
    for (let index = 0; index < 50; index++) picture.set({ ...WEB, name: `web-${index}`, labels: { id: `${index}` } });
    const frames = Array.from({ length: subscribers }, () => 0);
    const closes: (() => void)[] = [];
    for (let index = 0; index < subscribers; index++) {
      const opened = feed.open(
        {
          caller: `address:10.0.${index >> 8}.${index & 255}`,
          filter: everything({ labels: new Map([['id', String(index)]]) }),
          view: 'FULL',
          resumeToken: new Uint8Array(),
          snapshotOnly: false,
          heartbeatMs: 1e9,
        },
        {
          write: (_, taken) => {
            frames[index] = (frames[index] ?? 0) + 1;
            scheduler.soon(taken);
          },
          end: () => undefined,
        },
      );
      assert.equal(opened.outcome, 'opened');
      if (opened.outcome === 'opened') closes.push(opened.close);
    }
    scheduler.settle();
    assert.equal(await harness.metric('digger_feed_filters'), subscribers);
    const filterBytes = await harness.metric('digger_feed_filter_bytes');
    assert.ok(filterBytes <= 32 * 1024 * 1024, `${filterBytes} bytes of filters`);
    const shared = await harness.metric('digger_feed_shared_frame_bytes');
    assert.ok(shared <= 16 * 1024 * 1024, `${shared} bytes of frames`);
    // Reset, Synced and Progress; those that have a pod, it too.
    assert.deepEqual([frames[0], frames[49], frames[50], frames[9_999]], [4, 4, 3, 3]);
    picture.set({ ...WEB, name: 'web-7', labels: { id: '7' }, revision: 2 });
    scheduler.advance(1_000);
    assert.deepEqual([frames[6], frames[7], frames[8]], [4, 5, 4]);
    for (const close of closes) close();
    for (const what of ['filters', 'filter_bytes', 'shared_frame_bytes', 'subscribers']) {
      assert.equal(await harness.metric(`digger_feed_${what}`), 0, what);
    }
  });

  it('are refused when they take too much, and no others are', async () => {
    const harness = new Harness({ maxFilterBytes: 400_000 });
    const long = (index: number) =>
      everything({ namespaces: Array.from({ length: 100 }, (_, each) => `namespace-${index}-${each}`) });
    const take = (caller: string, index: number) => harness.subscribe({ caller, filter: long(index) });
    const taken = [];
    for (let index = 0; ; index++) {
      const subscriber = take('address:10.0.0.1', index);
      if (subscriber.outcome !== 'opened') break;
      taken.push(subscriber);
    }
    assert.ok(taken.length >= 3 && taken.length < 10, `${taken.length} different filters`);
    assert.equal(await harness.metric('digger_feed_subscribers'), taken.length, 'the refused one has no place');
    assert.equal(take('address:10.0.0.1', 0).outcome, 'opened', 'what it has already costs nothing more');
    assert.equal(take('address:10.0.0.2', 77).outcome, 'opened', 'another caller has room of its own');
    taken.at(-1)?.close();
    assert.equal(
      take('address:10.0.0.1', 78).outcome,
      'opened',
      'and so has this one, when a filter is not used any more',
    );
  });

  it('are counted right, in whatever order they come and go', async () => {
    const act = fc.record({ caller: fc.constantFrom('a', 'b'), filter: fc.nat(5), closes: fc.option(fc.nat(20)) });
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 60 }), async (acts) => {
        const harness = new Harness();
        let open: { readonly filter: number; close(): void }[] = [];
        for (const { caller, filter, closes } of acts) {
          const leaving = closes === null ? undefined : open[closes];
          if (leaving !== undefined) {
            leaving.close();
            open = open.filter((each) => each !== leaving);
            continue;
          }
          const namespaces = [`namespace-${filter}`];
          const subscriber = harness.subscribe({ caller, filter: everything({ namespaces }) });
          open.push({ filter, close: () => subscriber.close() });
        }
        assert.equal(await harness.metric('digger_feed_filters'), new Set(open.map(({ filter }) => filter)).size);
        for (const each of open) each.close();
        assert.equal(await harness.metric('digger_feed_filter_bytes'), 0);
      }),
    );
  });
});
