// A consumer of the feed as its documentation describes one: empties at Reset, applies Changes, trusts after Synced.
// It keeps the journal of changes too, to show what did not need to be said.
import { isDeepStrictEqual } from 'node:util';
import type { ClusterLists } from './cluster-lists.ts';
import type { DiggerClient, Message, Subscription } from './digger-client.ts';
import { done, eventually, notYet } from './eventually.ts';
import { comparable, expectedEntities } from './expected-entities.ts';

/** One change as text: `upsert pod shop/web-1`, `removal service shop/web`. */
export type ChangeName = string;

/** The lists are at rest when they are compared. */
const AGREE_WITHIN_MS = 20_000;

/** See the head of the file. */
export class FeedCopy {
  readonly #subscription: Subscription;

  constructor(digger: DiggerClient, request: Message = {}) {
    this.#subscription = digger.watch(request);
  }

  /** Everything that came. */
  get frames(): readonly Message[] {
    return this.#subscription.frames;
  }

  /** The newest token. */
  get resumeToken(): Buffer {
    return this.frames.at(-1)?.['resumeToken'];
  }

  /** Waits for the end of the snapshot. */
  async untilSynced(): Promise<void> {
    await eventually('the feed is synced', () => {
      const kinds = this.#subscription.frames.map((frame) => frame['frame']);
      return kinds.includes('synced') ? done(undefined) : notYet(kinds);
    });
  }

  /** What was said after the snapshot, in order. */
  get changesAfterSnapshot(): readonly ChangeName[] {
    const frames = this.#subscription.frames;
    const synced = frames.findIndex((frame) => frame['frame'] === 'synced');
    return frames
      .slice(synced + 1)
      .flatMap(changesOf)
      .map(nameOf);
  }

  /** Everything that was said, in order. */
  get changes(): readonly ChangeName[] {
    return this.frames.flatMap(changesOf).map(nameOf);
  }

  /** How often it had to forget everything. */
  get resets(): number {
    return this.#subscription.frames.filter((frame) => frame['frame'] === 'reset').length;
  }

  /** Its picture, by `kind uid`. */
  get entities(): ReadonlyMap<string, Message> {
    const entities = new Map<string, Message>();
    for (const frame of this.#subscription.frames) {
      if (frame['frame'] === 'reset') entities.clear();
      for (const change of changesOf(frame)) {
        const upsert = change['upsert'] as Message | undefined;
        if (upsert) {
          const kind = upsert['entity'] as string;
          entities.set(`${kind} ${upsert[kind]['uid']}`, comparable(upsert[kind]));
        } else {
          const removal = change['removal'] as Message;
          entities.delete(`${kindOf(removal)} ${removal['uid']}`);
        }
      }
    }
    return entities;
  }

  /** Waits until its picture, that of a subscription to everything, equals what the API server lists. */
  async untilEqual(readLists: () => Promise<ClusterLists>): Promise<void> {
    const owed = expectedEntities(await readLists());
    await eventually(
      "the subscriber's picture equals the lists",
      () => {
        const differing = [...new Set([...owed.keys(), ...this.entities.keys()])].filter(
          (key) => !isDeepStrictEqual(owed.get(key), this.entities.get(key)),
        );
        return differing.length === 0 ? done(undefined) : notYet(differing);
      },
      { deadlineMs: AGREE_WITHIN_MS },
    );
  }

  /** Ends the subscription. */
  close(): void {
    this.#subscription.cancel();
  }
}

function changesOf(frame: Message): readonly Message[] {
  return frame['changes']?.['changes'] ?? [];
}

function nameOf(change: Message): ChangeName {
  const upsert = change['upsert'] as Message | undefined;
  const entity = upsert ? upsert[upsert['entity'] as string] : change['removal'];
  const kind = upsert ? upsert['entity'] : kindOf(change['removal']);
  return `${upsert ? 'upsert' : 'removal'} ${kind} ${entity['namespace'] ?? ''}/${entity['name']}`;
}

function kindOf(removal: Message): string {
  return String(removal['kind']).replace('ENTITY_KIND_', '').toLowerCase();
}
