// A server without sockets, and a consumer of its feed: an address book, the feed, and what connects them. The clock is
// the test's, nothing is sent anywhere.

import assert from 'node:assert/strict';
import { Registry } from '@prometheus-io/client';
import { AddressFeed, timelinesOf } from '../../src/feed/timelines/address-feed.ts';
import { AddressBook, type AddressBookOptions } from '../../src/addresses/address-book.ts';
import { workloadOf } from '../../src/addresses/holder-workload.ts';
import type { AddressAnswer, Holder } from '../../src/addresses/reader.ts';
import { createPacer } from '../../src/catalog/pacer.ts';
import { ChangeFeed } from '../../src/feed/change-feed.ts';
import type { SubscribeRequest } from '../../src/feed/feed-options.ts';
import { NO_BYTES, toByteString } from '../../src/model/byte-string.ts';
import type { Entity } from '../../src/model/entities.ts';
import { encodeRemoval, removalKey } from '../../src/wire/frame.ts';
import { messageType } from '../../src/wire/schema.ts';
import { T0 } from '../addresses/world.ts';
import { everything } from '../feed/cluster.ts';
import { ManualScheduler } from '../feed/manual-scheduler.ts';
import type { Copy } from './copy.ts';

/** Where a change comes from. */
export interface Source {
  /** Ms after T0 at which a gap began that a list closes now. */
  readonly gapSinceMs?: number | undefined;
  /** Of the API server; unset: this server's own count, so that servers that see the same have the same versions. */
  readonly version?: number;
  readonly isList?: boolean;
}

/** One clock for all of a server. */
class Clock extends ManualScheduler {
  readonly #nowMs: () => number;

  constructor(nowMs: () => number) {
    super();
    this.#nowMs = nowMs;
  }

  override wallTime(): number {
    return this.#nowMs();
  }
}

/** A server without sockets: an address book, a feed, and what connects them. */
export class Server {
  nowMs: number;
  readonly scheduler = new Clock(() => this.nowMs);
  readonly book: AddressBook;
  readonly feed: ChangeFeed;
  readonly #link: AddressFeed;
  readonly #entities = new Map<string, Entity>();
  #blindSinceMs: number | undefined;
  #sequence = 0;

  /** `opened: false`: its first list is not complete yet. It begins `beginsMs` after T0. */
  constructor(
    {
      opened = true,
      beginsMs = 0,
      ...options
    }: Partial<AddressBookOptions> & { readonly opened?: boolean; readonly beginsMs?: number } = {},
    epoch = 1,
    isWanted = true,
  ) {
    this.nowMs = T0 + beginsMs;
    this.book = new AddressBook({
      now: () => this.nowMs,
      slackMs: 500,
      retentionMs: 600_000,
      maxClaims: 10_000,
      maxBytes: 10_000_000,
      maxWaiters: 10,
      clusterRanges: ['10.0.0.0/8', 'fd00::/8'],
      blindSinceMs: () => this.#blindSinceMs,
      ...options,
    });
    this.feed = new ChangeFeed({
      epoch: Buffer.alloc(16, epoch),
      configuration: '',
      freshness: () => [],
      timelines: timelinesOf(() => this.#link),
      // Readers pause for as long as a test wants.
      limits: { stallTimeoutMs: Number.POSITIVE_INFINITY },
      registry: new Registry(),
      scheduler: this.scheduler,
    });
    this.#link = new AddressFeed({
      addresses: this.book,
      feed: this.feed,
      pacer: createPacer(),
      now: () => this.nowMs,
    });
    if (opened) this.open();
    if (isWanted) this.want();
  }

  /** The first list is complete. */
  open(): void {
    this.book.open();
    this.#link.open();
  }

  /** Somebody subscribes to timelines. */
  want(): void {
    this.#link.want();
  }

  /** What the feed holds of a place. */
  itemOf(address: string): unknown {
    return this.feed.item(`timeline ${address}`);
  }

  at(offsetMs: number, blindSinceMs?: number): void {
    // The feed's own clock goes on with the other one.
    this.scheduler.advance(Math.max(0, T0 + offsetMs - this.nowMs));
    this.nowMs = T0 + offsetMs;
    if (this.#blindSinceMs === blindSinceMs) return;
    this.#blindSinceMs = blindSinceMs;
    this.#link.update();
  }

  async settle(): Promise<void> {
    await this.#link.settled();
    this.#link.update();
    this.scheduler.settle();
    this.scheduler.advance(300);
  }

  put(entities: Entity | readonly Entity[], source: Source = {}): void {
    for (const put of [entities].flat()) this.change([{ put }], source);
  }

  remove(name: string, source: Source = {}): void {
    this.change([{ remove: name }], source);
  }

  /** All that one change of the source brings. */
  change(changes: readonly { readonly put?: Entity; readonly remove?: string }[], source: Source = {}): void {
    const { gapSinceMs, version, isList = false } = source;
    const made = changes.map(({ put, remove }) => {
      if (put !== undefined) {
        const after = withBytes(put);
        const before = this.#entities.get(after.uid);
        this.#entities.set(after.uid, after);
        return { sequence: ++this.#sequence, before, after };
      }
      const before = [...this.#entities.values()].find((each) => each.name === remove);
      assert.ok(before, remove);
      this.#entities.delete(before.uid);
      return { sequence: ++this.#sequence, before, after: undefined };
    });
    this.#link.onBatch({
      changes: made,
      seen: {
        atMs: this.nowMs,
        ...(gapSinceMs === undefined ? {} : { sinceMs: T0 + gapSinceMs, relisted: true as const }),
      },
      position: {
        resource: 'pods',
        resourceVersion: `${version ?? this.#sequence}`,
        digest: version ?? this.#sequence,
        ...(isList ? { listed: true as const } : {}),
      },
    });
  }

  subscribe(copy: Copy, request: Partial<SubscribeRequest> = {}): Reader {
    return new Reader(this, copy, request);
  }
}

/** A consumer of a server's feed, which applies frames as they come and takes them when it reads. */
export class Reader {
  readonly copy: Copy;
  isPaused = false;
  #untaken: (() => void) | undefined;
  readonly #server: Server;
  readonly #close: () => void;

  constructor(server: Server, copy: Copy, request: Partial<SubscribeRequest>) {
    this.#server = server;
    this.copy = copy;
    copy.isSynced = false;
    const opened = server.feed.open(
      {
        filter: everything(),
        view: 'FULL',
        timelines: true,
        resumeToken: copy.token,
        snapshotOnly: false,
        heartbeatMs: 1e9,
        ...request,
      },
      {
        write: ({ message }, taken) => {
          copy.apply(message);
          if (this.isPaused) this.#untaken = taken;
          else server.scheduler.soon(taken);
        },
        end: (reason) => assert.fail(reason),
      },
    );
    assert.ok(opened.outcome === 'opened', opened.outcome);
    this.#close = opened.close;
  }

  /** Takes what it left untaken, if it goes on. */
  read(): void {
    if (this.isPaused || this.#untaken === undefined) return;
    this.#server.scheduler.soon(this.#untaken);
    this.#untaken = undefined;
    this.#server.scheduler.settle();
  }

  close(): Copy {
    this.#close();
    return this.copy;
  }
}

/** Real bytes instead of ballast: a uid and the names. */
function withBytes(entity: Entity): Entity {
  const { kind, uid, name, namespace } = entity;
  const own = messageType(`digger.v1.${kind}`).encode(kind === 'Node' ? { uid, name } : { uid, name, namespace });
  const isRemovable = encodeRemoval(removalKey(entity)).length > 0;
  assert.ok(isRemovable);
  return { ...entity, own: toByteString(Buffer.from(own.finish())), joined: NO_BYTES, rest: NO_BYTES };
}

export function describeAnswer(answer: AddressAnswer): string[] {
  const tell = (holder: Holder) =>
    `${holder.entity.uid} ${holder.role} ${holder.fromMs}–${holder.toMs ?? ''} ${holder.uncertain} ${workloadOf(holder)?.uid ?? ''}`;
  switch (answer.outcome) {
    case 'RESOLVED':
      return [answer.outcome, tell(answer.holder)];
    case 'AMBIGUOUS':
      return [answer.outcome, ...answer.candidates.map(tell)];
    default:
      return [answer.outcome];
  }
}
