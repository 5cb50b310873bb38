// A consumer of the feed as its documentation describes one: empties at Reset, applies Changes, trusts after Synced.
// It keeps the journal of changes too, to show what did not need to be said.
import type { DiggerProcess, Message, Subscription } from './digger-process.ts';
import { done, eventually, notYet } from './eventually.ts';
import { comparable } from './expected-entities.ts';

/** One change as text: `upsert pod shop/web-1`, `removal service shop/web`. */
export type ChangeName = string;

/** See the head of the file. */
export class FeedCopy {
  readonly #subscription: Subscription;

  constructor(digger: DiggerProcess) {
    this.#subscription = digger.watch();
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
