// A source that changes and changes back: the same records at two moments, and others in between, which a consumer may
// hold. Equal digests then do not mean that nothing happened.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ChangeFeed } from '../../../src/feed/change-feed.ts';
import { SourceHistory } from '../../../src/feed/tokens/source-history.ts';
import type { SourcePosition } from '../../../src/model/observation.ts';
import { Registry } from '@prometheus-io/client';
import { entity, everything } from '../cluster.ts';
import { ManualScheduler } from '../manual-scheduler.ts';
import { RawCopy } from '../raw-copy.ts';
import { encodedBytes } from '../../../src/wire/encoded-entity.ts';

describe('the history of a source that changed and changed back', () => {
  const [calm, other] = [11, 22];
  const low = { version: '775', digest: other };
  const high = { version: '777', digest: calm };

  it('is behind a consumer that holds what came in between, though its records are those of the end', () => {
    const history = new SourceHistory({ version: '774', digest: calm }, 5);
    assert.deepEqual(history.find({ low, high }, 5), { answer: 'behind' });
    assert.deepEqual(history.find({ low: { version: '774', digest: calm }, high }, 5), { answer: 'behind' });
  });

  it('is continued by a consumer that is at the end, before it has been there itself', () => {
    const history = new SourceHistory({ version: '774', digest: calm }, 5);
    assert.deepEqual(history.find({ low: high, high }, 5), { answer: 'from', sequence: 5 });
  });

  it('is continued from in between once it has been there', () => {
    const history = new SourceHistory({ version: '774', digest: calm }, 5);
    history.advance({ resource: 'pods', resourceVersion: '775', digest: other }, 5, 6, 0);
    history.advance({ resource: 'pods', resourceVersion: '777', digest: calm }, 6, 7, 0);
    assert.deepEqual(history.find({ low, high }, 7), { answer: 'from', sequence: 6 });
  });

  it('that was gone over by a list says so: it was not rewritten', () => {
    const history = new SourceHistory({ version: '774', digest: calm }, 5);
    history.advance({ resource: 'pods', resourceVersion: '780', digest: calm, listed: true }, 5, 5, 0);
    assert.deepEqual(history.find({ low, high }, 5), { answer: 'skipped' });
  });

  it('names the end of a range by its last change, not by bookmarks, which others get later', () => {
    const history = new SourceHistory({ version: '774', digest: calm }, 5);
    history.advance({ resource: 'pods', resourceVersion: '775', digest: other }, 5, 6, 0);
    history.advance({ resource: 'pods', resourceVersion: '900', digest: other }, 6, 6, 0);
    assert.deepEqual(history.rangeSince(5), { low: { version: '774', digest: calm }, high: low });
    assert.deepEqual(history.rangeSince(6)?.high, { version: '900', digest: other });
  });
});

describe('a consumer that was cut off with a state that the next replica never saw', () => {
  it('does not keep it when that replica goes over it by a list that finds no difference', () => {
    const scheduler = new ManualScheduler();
    const [seen, unseen] = [new Side(1, scheduler), new Side(2, scheduler)];
    const copy = new RawCopy();
    let take: () => void = () => undefined;
    const connection = seen.open(copy, (taken) => {
      take = taken;
    });
    while (!copy.synced) {
      scheduler.turn();
      take();
    }
    take();
    scheduler.settle();
    take();
    scheduler.settle();
    assert.equal(copy.changes, 2);
    // The pod changes, the node changes, the pod changes back; the consumer gets the first two of these.
    seen.pod(1, '11');
    seen.node(1, '12');
    scheduler.settle();
    assert.equal(copy.changes, 3);
    seen.pod(0, '13');
    take();
    scheduler.settle();
    assert.equal(copy.changes, 4);
    connection.close();

    unseen.node(1, '12');
    const next = unseen.open(copy, (taken) => scheduler.soon(taken));
    scheduler.advance(500);
    assert.equal(next.ended, undefined);
    unseen.listPods('20');
    scheduler.advance(5_000);
    assert.equal(copy.synced, true);
    for (const live of unseen.entities) {
      const held = [...copy.entities.values()].find(({ uid }) => uid === live.uid);
      assert.ok(held && Buffer.compare(held.bytes, encodedBytes(live)) === 0, `${live.kind} as it is`);
    }
  });
});

/** A feed with one pod and one node, each a source of its own; records are equal when revisions are. */
class Side {
  readonly #feed: ChangeFeed;
  readonly #held = new Map<string, ReturnType<typeof entity>>();
  #sequence = 0;

  constructor(epoch: number, scheduler: ManualScheduler) {
    this.#feed = new ChangeFeed({
      epoch: Buffer.alloc(16, epoch),
      configuration: '',
      freshness: () => [],
      registry: new Registry(),
      scheduler,
      limits: { maxFrameBytes: 1 },
    });
    this.pod(0, '10');
    this.node(0, '10');
  }

  get entities() {
    return [...this.#held.values()];
  }

  pod(revision: number, resourceVersion: string): void {
    this.#change('Pod', revision, { resource: 'pods', resourceVersion, digest: revision });
  }

  node(revision: number, resourceVersion: string): void {
    this.#change('Node', revision, { resource: 'nodes', resourceVersion, digest: revision });
  }

  /** A list that finds the pod as it was. */
  listPods(resourceVersion: string): void {
    const digest = 0;
    this.#feed.onBatch({
      changes: [],
      seen: { atMs: 0 },
      position: { resource: 'pods', resourceVersion, digest, listed: true },
    });
  }

  open(copy: RawCopy, onFrame: (taken: () => void) => void) {
    const connection = { ended: undefined as string | undefined, close: (): void => undefined };
    copy.synced = false;
    const opened = this.#feed.open(
      { filter: everything(), view: 'FULL', resumeToken: copy.token, snapshotOnly: false, heartbeatMs: 1e9 },
      {
        write: (frame, taken) => {
          copy.apply(frame.message);
          onFrame(taken);
        },
        end: (reason) => {
          connection.ended = reason;
        },
      },
    );
    assert.equal(opened.outcome, 'opened');
    if (opened.outcome === 'opened') connection.close = opened.close;
    return connection;
  }

  #change(kind: 'Pod' | 'Node', revision: number, position: SourcePosition): void {
    const after = entity({ kind, namespace: 'shop', name: 'one', revision }, `uid-${kind}`);
    const before = this.#held.get(kind);
    this.#held.set(kind, after);
    this.#feed.onBatch({ changes: [{ sequence: ++this.#sequence, before, after }], seen: { atMs: 0 }, position });
  }
}
