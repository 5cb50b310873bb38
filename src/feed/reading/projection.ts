// A projection is what one class of subscribers sees: a filter, a view, a choice of labels and annotations, with
// timelines or without. It turns a stretch of the log into a frame.
//
// The rule that makes slow readers right. A reader has a cursor c (everything up to it was passed) and a floor f: every
// state that it holds was current at some moment at or after f. A reader that has caught up has f = c = head; one that
// began a snapshot at head h has c = 0 and f = h. While it works its way through, f stays. Passing an entry:
//   the entity lives and passes the filter    → upsert
//   it cannot be held                         → nothing: it did not move since f (the reader never met an older state),
//                                               or it came after c
//   no state since f can have passed          → nothing: kind or namespace never pass, or it does not pass and what the
//                                               filter looks at is the same since f
//   otherwise                                 → removal: needed when it is held, harmless when it is not
// Using c alone instead of f would lose removals: an entity that stops passing at s and changes again at t > s is met
// at t only, by a reader whose cursor may have moved beyond s in between.
//
// A filter by the labels of namespaces lets objects pass by something that is not in their entry. So a reader that
// comes to a namespace whose labels changed since f, in a way that matters to the filter, reads the objects of the
// namespace that it has passed before it passes the namespace itself: those that pass now are upserts, those that may
// have passed are removals. What it has not passed it meets later, and tells by the newest labels and all since f.
//
// A subscriber may have chosen some labels and annotations. A change of others is no change for it: a reader that had
// everything at f is not sent an entity that did not change visibly since, see `log/unseen-changes.ts`.
//
// One more number makes readers from other processes right: h, of which every entity that was born in the log up to h
// may be held. For all others h = c. A reader from another replica holds what that one had seen, in an order of its
// own; it starts at c = f before everything that it may hold in another state, with h at the head as it was then. Until
// c passes h it is also told, first, of entities that were touched since f without a change, see `log/touched-keys.ts`.
//
// Readers at the same place get the same buffer, see `frame-memory.ts`.

import { hash } from 'node:crypto';
import type { ClusterIdentity } from '../../model/cluster-identity.ts';
import type { Entity } from '../../model/entities.ts';
import type { View } from '../../wire/encoded-entity.ts';
import { ChangesFrame, encodeRemoval, referenceKey, removalKey } from '../../wire/frame.ts';
import type { ValueChoice } from '../../wire/value-choice.ts';
import type { ChangeLog } from '../log/change-log.ts';
import { factsOfReference, type Filter } from '../log/filter.ts';
import type { FrameMemory } from './frame-memory.ts';
import { passesItem } from '../log/items.ts';
import type { DroppedEntry, ItemEntry, LogEntry, PresentEntry, RemovedEntry } from '../log/log-entry.ts';
import type { NamespaceLabels } from '../log/namespace-labels.ts';
import { caughtUp, type ReadingPosition, type ReadingStep } from './position.ts';
import { encodeToken, type ResumeToken } from '../tokens/resume-token.ts';
import { NO_SOURCES, type TokenSources } from '../tokens/token-sources.ts';
import type { TouchedReader } from '../log/touched-keys.ts';
import type { UnseenChanges } from '../log/unseen-changes.ts';

/** A step through touched entities. */
export interface TouchedStep extends Omit<ReadingStep, 'position'> {
  /** All were read. */
  readonly isDone: boolean;
}

export interface ProjectionOptions {
  readonly filter: Filter;
  readonly view: View;
  /** Whether items are told too, see `log/items.ts`. */
  readonly timelines: boolean;
  /** Also those of secondary networks. */
  readonly podNetworks: boolean;
  /** Which labels and annotations are sent; unset: all. */
  readonly choice?: ValueChoice | undefined;
  /** What the choice does not see; unset: it is not followed. */
  readonly unseen?: UnseenChanges | undefined;
  /** Names everything of the configuration that changes entities. */
  readonly configuration: string;
  readonly surroundings: ProjectionSurroundings;
  /** Frames end here, unless a single entity is larger. */
  readonly maxFrameBytes: number;
  readonly memory: FrameMemory;
}

/** What a token says beside where the reader stands. */
export interface ProjectionSurroundings {
  /** 16 bytes. */
  epoch(): Uint8Array;
  cluster(): ClusterIdentity;
  /** ms since the epoch. */
  wallTime(): number;
  /** What a token of timelines says of those that a reader at this position has. */
  followed(position: ReadingPosition): Pick<ResumeToken, 'followedForMs' | 'isSettled'>;
  /** For a reader that had everything up to `floor`; empty: cannot be told. */
  sources(floor: number): TokenSources;
}

// One step looks at no more than this many places, so that a filter that lets little pass yields as often as others:
// 0.1–1 ms, most of it where labels decide.
const MAX_VISITS = 512;

/**
 * Changes when the meaning of encoded entities, of digests or of tokens does; so replicas of two versions of digger do
 * not continue each other's subscriptions.
 */
const SCHEMA = 'digger.v1 3';
/** The same for timelines. */
const TIMELINES = 'timelines 1';
const NO_TIMELINES = { followedForMs: 0, isSettled: false };
const POD_NETWORKS = 'pod networks 1';

export class Projection {
  readonly #options: ProjectionOptions;
  readonly #hash: Buffer;
  readonly #key: string;

  constructor(options: ProjectionOptions) {
    this.#options = options;
    const { configuration, view, filter, timelines, podNetworks, choice } = options;
    const parts = [SCHEMA, configuration, view, filter.key, ...(timelines ? [TIMELINES] : [])];
    if (podNetworks) parts.push(POD_NETWORKS);
    const identity = JSON.stringify(choice === undefined ? parts : [...parts, choice.key]);
    this.#hash = hash('sha256', identity, 'buffer').subarray(0, 8);
    this.#key = this.#hash.toString('base64');
  }

  /** What its choice of values does not see, if it has one that is followed. */
  get unseen(): UnseenChanges | undefined {
    return this.#options.unseen;
  }

  /** 8 bytes: equal for equal filter, view, schema and configuration, in every process. */
  get hash(): Buffer {
    return this.#hash;
  }

  get timelines(): boolean {
    return this.#options.timelines;
  }

  token(position: ReadingPosition): Buffer {
    const { surroundings } = this.#options;
    return encodeToken({
      projection: this.#hash,
      epoch: surroundings.epoch(),
      issuedMs: Math.floor(surroundings.wallTime()),
      ...position,
      ...(this.#options.timelines ? surroundings.followed(position) : NO_TIMELINES),
      // In the middle of a snapshot there is nothing that could be continued elsewhere.
      sources: position.cursor < position.floor ? NO_SOURCES : surroundings.sources(position.floor),
      cluster: surroundings.cluster(),
    });
  }

  /** The next frame for readers at `from`. */
  read(log: ChangeLog, from: ReadingPosition): ReadingStep {
    return this.#options.memory.recall(log, this.#key, from, () => this.#compose(log, from));
  }

  /** The next frame of the touched entities that pass the filter and are not told by reading on from `from` anyway. */
  readTouched(log: ChangeLog, touched: TouchedReader, from: ReadingPosition): TouchedStep {
    const { filter, maxFrameBytes } = this.#options;
    const namespaces = log.namespaceLabels;
    const frame = new ChangesFrame(this.#options.view);
    const isDone = touched.read(MAX_VISITS, ({ key, absent }) => {
      if (frame.byteLength >= maxFrameBytes) return false;
      const entry = log.present(key);
      if (entry !== undefined) {
        if (entry.sequence <= from.cursor && filter.passes(entry.facts, namespaces)) this.#upsert(frame, entry.facts);
      } else if (absent !== undefined && filter.passes(factsOfReference(absent), namespaces)) {
        frame.addRemoval(encodeRemoval(referenceKey(absent)));
      }
      return true;
    });
    return {
      frame: frame.count === 0 ? undefined : frame.encode(this.token(from)),
      changes: frame.count,
      isDone,
    };
  }

  #compose(log: ChangeLog, from: ReadingPosition): ReadingStep {
    const frame = new ChangesFrame(this.#options.view);
    const { filter, maxFrameBytes } = this.#options;
    const visits = { left: MAX_VISITS };
    let within: ReadingPosition['within'];
    const cursor = log.read(from.cursor, MAX_VISITS, (entry) => {
      if (frame.byteLength >= maxFrameBytes) return false;
      if (filter.followsNamespaces && 'facts' in entry && entry.facts.kind === 'Namespace') {
        within = this.#readObjects(frame, log, entry, from, visits);
        if (within !== undefined) return false;
      }
      this.#add(frame, log, entry, from);
      return true;
    });
    const passed = positionAt(cursor, from, log.head);
    const position = within === undefined ? passed : { ...passed, within };
    return {
      position,
      frame: frame.count === 0 ? undefined : frame.encode(this.token(position)),
      changes: frame.count,
    };
  }

  /** Tells what the labels of a namespace changed for its objects; where to go on, unless all were read. */
  #readObjects(
    frame: ChangesFrame,
    log: ChangeLog,
    namespace: PresentEntry | RemovedEntry,
    from: ReadingPosition,
    visits: { left: number },
  ): ReadingPosition['within'] {
    const { filter, maxFrameBytes } = this.#options;
    const { namespaceLabels: namespaces } = log;
    const { name } = namespace.facts;
    const move = filter.namespaceMove(name, from.floor, namespaces);
    if (move === 'none') return undefined;
    const begun = from.within?.namespaceAt === namespace.sequence ? from.within.upTo : 0;
    let isDone = false;
    const upTo = log.readNamespace(name, begun, visits.left, (entry) => {
      isDone = entry.sequence > from.cursor;
      if (isDone || frame.byteLength >= maxFrameBytes) return false;
      visits.left -= 1;
      if (move === 'in' && filter.passes(entry.facts, namespaces)) this.#upsert(frame, entry.facts);
      else if (entry.bornAt <= from.held && filter.mayHavePassed(entry, from.floor, namespaces)) {
        frame.addRemoval(encodeRemoval(removalKey(entry.facts)));
      }
      return true;
    });
    return isDone || upTo === Number.POSITIVE_INFINITY ? undefined : { namespaceAt: namespace.sequence, upTo };
  }

  #upsert(frame: ChangesFrame, entity: Entity): void {
    frame.addUpsert(this.#chosen(entity));
  }

  /** With the labels and annotations that are sent. */
  #chosen(entity: Entity): Entity {
    const { choice } = this.#options;
    return choice === undefined ? entity : { ...entity, values: choice.of(entity.values) };
  }

  /** The reader had it at its floor, and nothing that it would be sent has changed since. */
  #isHeldAlready({ namespaceLabels }: ChangeLog, entry: PresentEntry, { whole, floor }: ReadingPosition): boolean {
    const { filter, unseen } = this.#options;
    if (unseen === undefined || whole !== true || entry.bornAt > floor) return false;
    return (
      unseen.visibleAt(entry.facts.uid, entry.sequence) <= floor && filter.passedSince(entry, floor, namespaceLabels)
    );
  }

  #add(frame: ChangesFrame, log: ChangeLog, entry: LogEntry, from: ReadingPosition): void {
    const { filter } = this.#options;
    const { namespaceLabels: namespaces } = log;
    if (entry.state === 'item' || entry.state === 'dropped') {
      if (this.#options.timelines) this.#addItem(frame, entry, from, namespaces);
      return;
    }
    if (entry.state === 'present' && filter.passes(entry.facts, namespaces)) {
      if (!this.#isHeldAlready(log, entry, from)) this.#upsert(frame, entry.facts);
      return;
    }
    const mayBeHeld = entry.sequence > from.floor && entry.bornAt <= from.held;
    if (!mayBeHeld || !filter.mayHavePassed(entry, from.floor, namespaces)) return;
    frame.addRemoval(entry.state === 'removed' ? entry.removal : encodeRemoval(removalKey(entry.facts)));
  }

  #addItem(
    frame: ChangesFrame,
    entry: ItemEntry | DroppedEntry,
    from: ReadingPosition,
    namespaces: NamespaceLabels,
  ): void {
    const { item } = entry;
    if (item.isOfPodNetwork === true && !this.#options.podNetworks) return;
    const passes = passesItem(this.#options.filter, item, namespaces);
    if (entry.state === 'item' && passes) {
      if (typeof item.change === 'string') frame.addChange(item.change);
      else frame.addFormer(this.#chosen(item.change));
      return;
    }
    const mayBeHeld = entry.sequence > from.floor && entry.bornAt <= from.held;
    if (mayBeHeld && (passes || entry.lostAt > from.floor)) frame.addChange(item.end());
  }
}

function positionAt(cursor: number, from: ReadingPosition, head: number): ReadingPosition {
  if (cursor === head) return caughtUp(head);
  const whole = from.whole === true ? ({ whole: true } as const) : undefined;
  return { cursor, floor: from.floor, held: Math.max(cursor, from.held), ...whole };
}
