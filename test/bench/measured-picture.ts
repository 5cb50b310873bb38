// A catalog, an address book and a feed with a subscriber, as the service connects them, and what each turn of the
// event loop takes of the processor while something is written.
//
// CPU time, not time by the clock: on a machine with other work the two differ by what the others take. It is that of
// the whole process, because a thread's own is counted in steps of milliseconds: what V8's helpers collect and compile
// meanwhile is in it, so that a turn is rather shorter than it says.

import { setImmediate as nextTurn } from 'node:timers/promises';
import { Registry } from '@prometheus-io/client';
import { AddressBook } from '../../src/addresses/address-book.ts';
import { Catalog } from '../../src/catalog/catalog.ts';
import { ChangeFeed } from '../../src/feed/change-feed.ts';
import type { KubernetesRecord } from '../../src/model/kubernetes/records.ts';
import { encodedLength } from '../../src/wire/encoded-entity.ts';
import { type CatalogStores, storesOf } from '../catalog/harness.ts';

const SEEN = { atMs: 0 };

export class MeasuredPicture {
  readonly catalog: Catalog;
  /** Of one turn, and of all, since `forget`. */
  longestMs = 0;
  totalMs = 0;
  turns = 0;
  serviceBytes = 0;
  readonly addresses: AddressBook;
  readonly #stores: CatalogStores;
  #version = 1;
  #told = 0;
  readonly #close: () => void;
  /** Its timers would keep it alive, and with it all pictures that were measured before would be collected again. */
  static #last: MeasuredPicture | undefined;

  private constructor() {
    const registry = new Registry();
    this.catalog = new Catalog({ registry });
    this.#stores = storesOf(this.catalog);
    this.addresses = new AddressBook({
      now: Date.now,
      slackMs: 500,
      retentionMs: 600_000,
      maxClaims: 1_000_000,
      maxBytes: 256e6,
      maxWaiters: 1,
      clusterRanges: [],
      blindSinceMs: () => undefined,
    });
    const feed = new ChangeFeed({ epoch: Buffer.alloc(16, 1), configuration: '', freshness: () => [], registry });
    this.catalog.onBatch((batch) => {
      this.#told += 1;
      this.addresses.apply(batch);
      feed.onBatch(batch);
      for (const { after } of batch.changes) {
        if (after?.kind === 'Service') this.serviceBytes += encodedLength(after, 'FULL');
      }
    });
    const subscription = feed.open(
      {
        filter: { kinds: [], namespaces: [], nodeNames: [], labels: new Map() },
        view: 'FULL',
        resumeToken: Buffer.alloc(0),
        snapshotOnly: false,
        heartbeatMs: 30_000,
      },
      {
        write: (_, taken) => {
          this.#told += 1;
          setImmediate(taken);
        },
        end: () => undefined,
      },
    );
    if (subscription.outcome !== 'opened') throw new Error('no subscription to measure with');
    this.#close = subscription.close;
  }

  /** Open, settled, with nothing measured yet. */
  static async open(...records: readonly KubernetesRecord[]): Promise<MeasuredPicture> {
    if (MeasuredPicture.#last !== undefined) MeasuredPicture.#last.#close();
    const picture = new MeasuredPicture();
    MeasuredPicture.#last = picture;
    for (const record of records) picture.#upsert(record);
    await picture.catalog.open();
    picture.addresses.open();
    await picture.#settle();
    // What filling it left behind is not to be collected in a turn that is measured.
    globalThis.gc?.();
    picture.forget();
    return picture;
  }

  forget(): void {
    this.longestMs = 0;
    this.totalMs = 0;
    this.turns = 0;
    this.serviceBytes = 0;
  }

  /** Each in a turn of its own, as a watch brings them. */
  async put(...records: readonly KubernetesRecord[]): Promise<void> {
    for (const record of records) {
      this.#measure(() => this.#upsert(record));
      await this.#settle();
    }
  }

  /** All in one turn; resolves when everything is told. */
  async write(...records: readonly KubernetesRecord[]): Promise<void> {
    for (const record of records) this.#upsert(record);
    await this.catalog.settled();
  }

  async remove(...records: readonly KubernetesRecord[]): Promise<void> {
    for (const record of records) {
      this.#measure(() => this.#storeOf(record).remove(record as never, this.#next(), SEEN));
      await this.#settle();
    }
  }

  /** As when a watch is begun anew. */
  async relist(type: keyof CatalogStores, records: readonly KubernetesRecord[]): Promise<void> {
    const replacement = this.#stores[type].beginReplace();
    for (const record of records) replacement.add(record as never);
    const commit = { isDone: false };
    this.#measure(() => {
      void replacement.commit(this.#next(), SEEN).then(() => {
        commit.isDone = true;
      });
    });
    while (!commit.isDone) await this.#turn();
    await this.#settle();
  }

  #upsert(record: KubernetesRecord): void {
    this.#storeOf(record).upsert(record as never, this.#next(), SEEN);
  }

  #storeOf({ type }: KubernetesRecord): CatalogStores[keyof CatalogStores] {
    return (this.#stores as unknown as Record<string, CatalogStores[keyof CatalogStores]>)[
      type
    ] as CatalogStores['Pod'];
  }

  #next(): string {
    this.#version += 1;
    return String(this.#version);
  }

  /** Turns until three in a row brought nothing. */
  async #settle(): Promise<void> {
    for (let quiet = 0; quiet < 3; ) {
      const before = this.#told;
      await this.#turn();
      quiet = before === this.#told ? quiet + 1 : 0;
    }
    await this.catalog.settled();
  }

  async #turn(): Promise<void> {
    const before = process.cpuUsage();
    await nextTurn();
    this.#add(before);
  }

  #measure(write: () => void): void {
    const before = process.cpuUsage();
    write();
    this.#add(before);
  }

  #add(before: NodeJS.CpuUsage): void {
    const { user, system } = process.cpuUsage(before);
    const tookMs = (user + system) / 1_000;
    this.turns += 1;
    this.totalMs += tookMs;
    this.longestMs = Math.max(this.longestMs, tookMs);
  }
}
