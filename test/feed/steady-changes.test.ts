// A picture that never stands still: consumers are told that they are complete all the same, and snapshots end.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import type { FeedLimits } from '../../src/feed/feed-options.ts';
import { everything } from './cluster.ts';
import { Consumer } from './consumer.ts';
import { Harness } from './harness.ts';

const POD = { kind: 'Pod', namespace: 'shop', nodeName: 'node-a', labels: { app: 'web' } } as const;

interface Reading {
  readonly takesMs: number;
  readonly everyMs: number;
  readonly snapshotOnly: boolean;
  readonly limits?: Partial<FeedLimits>;
}

/** A consumer that takes a frame `takesMs` after it was written, while something changes every `everyMs`. */
function reading({ takesMs, everyMs, snapshotOnly, limits }: Reading, forMs: number) {
  const harness = new Harness(limits);
  const { scheduler, picture, feed } = harness;
  for (let index = 0; index < 7; index++) picture.set({ ...POD, name: `web-${index}` });
  const consumer = new Consumer();
  const reader = { harness, consumer, ended: undefined as string | undefined, close: (): void => undefined };
  let revision = 0;
  const change = (): void => {
    revision += 1;
    picture.set({ ...POD, name: `web-${revision % 7}`, revision });
    scheduler.after(everyMs, change);
  };
  // Before the frame is written, so that of a change and a frame taken at one moment the change is first.
  scheduler.after(everyMs, change);
  const opened = feed.open(
    { filter: everything(), view: 'FULL', resumeToken: consumer.token, snapshotOnly, heartbeatMs: 10_000 },
    {
      write: (frame, taken) => {
        consumer.apply(frame.message);
        scheduler.after(takesMs, taken);
      },
      end: (reason) => void (reader.ended = reason),
    },
  );
  assert.equal(opened.outcome, 'opened');
  if (opened.outcome === 'opened') reader.close = opened.close;
  scheduler.advance(forMs);
  return reader;
}

describe('14.5 under steady changes', () => {
  it('Synced comes after the first frame that had everything when it was made', () => {
    const { consumer } = reading({ takesMs: 5, everyMs: 5, snapshotOnly: false }, 1_000);
    assert.deepEqual(consumer.story.slice(0, 3), ['reset NO_TOKEN', 'changes 7', 'synced']);
    assert.ok(consumer.story.length > 100, 'and changes go on');
  });

  it('a snapshot ends', () => {
    const { consumer, ended } = reading({ takesMs: 5, everyMs: 5, snapshotOnly: true }, 60_000);
    assert.equal(ended, 'complete');
    assert.deepEqual(consumer.story, ['reset NO_TOKEN', 'changes 7', 'synced']);
  });

  it('a token that came with Synced leads to every change that came after the frame before it', () => {
    const ms = fc.integer({ min: 1, max: 9 });
    fc.assert(
      fc.property(ms, ms, fc.constantFrom(1, 300, 65_536), (takesMs, everyMs, maxFrameBytes) => {
        const limits = { maxFrameBytes };
        const { harness, consumer, ended, close } = reading({ takesMs, everyMs, snapshotOnly: true, limits }, 3_000);
        // Frames of one entity that are taken more slowly than entities change never come to the end.
        const keepsUp = maxFrameBytes > 300 || takesMs < everyMs;
        if (keepsUp) assert.equal(ended, 'complete', `taken in ${takesMs} ms, changed every ${everyMs} ms`);
        close();
        consumer.reconnect();
        harness.subscribe({ resumeToken: consumer.token }, consumer);
        harness.scheduler.settle();
        assert.equal(consumer.synced, true);
        const { consumer: whole } = harness.subscribe();
        harness.scheduler.settle();
        assert.deepEqual(Object.fromEntries(consumer.copy), Object.fromEntries(whole.copy));
      }),
      { numRuns: 100 },
    );
  });

  it('a snapshot that is complete stays complete when the history of the API server is rewritten then', () => {
    const harness = new Harness();
    const position = { resource: 'pods', digest: 1 };
    harness.feed.onBatch({ changes: [], seen: { atMs: 0 }, position: { ...position, resourceVersion: '100' } });
    const subscriber = harness.subscribe({ snapshotOnly: true });
    subscriber.pause();
    for (let frames = 0; subscriber.consumer.story.at(-1) !== 'synced'; frames++) {
      assert.ok(frames < 10);
      subscriber.resume();
      harness.scheduler.turn();
      subscriber.pause();
    }
    harness.feed.onBatch({
      changes: [],
      seen: { atMs: 0 },
      position: { ...position, resourceVersion: '50', listed: true },
    });
    subscriber.resume();
    harness.scheduler.settle();
    assert.equal(subscriber.ended, 'complete');
    assert.equal(subscriber.consumer.story.at(-1), 'synced', 'not a Reset of what is complete');
  });
});
