// Consumers of the feed of one catalog: each with a filter, compared with what the catalog holds whenever both are at
// rest; now and then cut off, and connected again with its token.

import assert from 'node:assert/strict';
import { Registry } from '@prometheus-io/client';
import type { Catalog } from '../../src/catalog/catalog.ts';
import { ChangeFeed } from '../../src/feed/change-feed.ts';
import type { FilterCriteria } from '../../src/feed/log/filter.ts';
import { encodedBytes } from '../../src/wire/encoded-entity.ts';
import { isVisible, keyOf, labelsOf } from '../feed/expected-copy.ts';
import { everything } from '../feed/cluster.ts';
import { ManualScheduler } from '../feed/manual-scheduler.ts';
import { RawCopy } from '../feed/raw-copy.ts';
import type { Random } from '../random.ts';

const FILTERS: readonly FilterCriteria[] = [
  {},
  { kinds: ['Workload'] as const },
  { namespaces: ['shop'] },
  { labels: new Map([['tier', 'front']]) },
  { nodeNames: ['n0'] },
  { kinds: ['Service', 'Pod'] as const, namespaces: ['bank'] },
  { namespaceSelector: [{ key: 'tier', operator: 'in' as const, values: ['front'] }] },
].map((criteria) => everything(criteria));

interface Follower {
  readonly filter: FilterCriteria;
  readonly copy: RawCopy;
  close: () => void;
}

export class Followers {
  readonly #catalog: Catalog;
  readonly #random: Random;
  readonly #scheduler = new ManualScheduler();
  readonly #feed: ChangeFeed;
  readonly #followers: readonly Follower[];

  constructor(catalog: Catalog, random: Random) {
    this.#catalog = catalog;
    this.#random = random;
    this.#feed = new ChangeFeed({
      epoch: Buffer.alloc(16, 1),
      configuration: '',
      freshness: () => [],
      registry: new Registry(),
      scheduler: this.#scheduler,
      limits: { maxFrameBytes: random.pick([1, 400, 65_536]), stallTimeoutMs: 1e9, removalRetentionMs: 1e9 },
    });
    catalog.onBatch(this.#feed.onBatch);
    this.#followers = FILTERS.map((filter) => ({ filter, copy: new RawCopy(), close: () => undefined }));
  }

  /** To be called when the catalog is open. */
  connect(): void {
    for (const follower of this.#followers) this.#connect(follower);
  }

  /** Some frames are taken, one or two consumers go and come back. */
  step(): void {
    const random = this.#random;
    if (random.chance(0.2)) this.#connect(random.pick(this.#followers));
    for (let turns = random.between(0, 3); turns > 0; turns -= 1) this.#scheduler.turn();
  }

  /** Everybody has what the catalog holds now. */
  check(): void {
    this.#scheduler.advance(1_000);
    const entities = [...this.#catalog.entities()];
    const namespaces = entities.filter(({ kind }) => kind === 'Namespace');
    const labels = new Map(namespaces.map((each) => [each.name, labelsOf(each)]));
    for (const { copy, filter } of this.#followers) {
      assert.equal(copy.synced, true, 'a consumer that has taken everything is synced');
      const expected = new Map<string, string>();
      for (const entity of entities) {
        if (isVisible(entity, filter, labels))
          expected.set(keyOf(entity), Buffer.from(encodedBytes(entity)).toString('hex'));
      }
      copy.assertOnePicture();
      const held = [...copy.entities].map(([key, { bytes }]) => [key, Buffer.from(bytes).toString('hex')] as const);
      assert.deepEqual(new Map(held.sort()), new Map([...expected].sort()), `filter ${JSON.stringify(filter)}`);
    }
  }

  #connect(follower: Follower): void {
    follower.close();
    const { copy, filter } = follower;
    copy.synced = false;
    let isClosed = false;
    const opened = this.#feed.open(
      { filter, view: 'FULL', resumeToken: copy.token, snapshotOnly: false, heartbeatMs: 1e9 },
      {
        write: (frame, taken) => {
          assert.equal(isClosed, false, 'nothing is written after close');
          copy.apply(frame.message);
          this.#scheduler.soon(taken);
        },
        end: (reason) => assert.fail(`ended: ${reason}`),
      },
    );
    if (opened.outcome !== 'opened') assert.fail(opened.outcome);
    follower.close = () => {
      isClosed = true;
      opened.close();
    };
  }
}
