// The keyed change log: every entity has one place in it, at the sequence of its last change.
//
// A change moves its entity to the end, see `places.ts`. So the log is bounded by the live entities plus the removals
// that are still kept, however many read it and however slowly, and a reader that is behind meets each entity once, at
// its newest state. Reading from 0 is a snapshot.
//
// Entities are told apart as consumers do it, by the key of `model/entity-key.ts`: no two live ones share a key, and an
// entity that gets another key is a removal and a creation. Removals name a uid as well, so that those of several
// objects that followed one another under one key are all kept. What breaks this is refused, as a gap in the sequence
// is.
//
// What makes conflation safe. A reader stands at a cursor c: it has passed every entry up to c. The states that went
// past it before they reached the reader are lost, so an entry remembers some moments of its entity's life:
//   bornAt    the entity came. bornAt > c: the reader cannot hold it.
//   labelsAt, nodeAt   its labels, its node changed last. Tells whether an older state may have passed a filter that
//             the newest one does not pass (see `reading/projection.ts` for the rule).
// The labels that namespaces had are kept beside it, for filters that look at them (`namespace-labels.ts`).
// Removals are dropped by age and by number; `forgotten` is the newest sequence of a dropped one.

import { wideMap } from '../../collections/wide-map.ts';
import type { ByteString } from '../../model/byte-string.ts';
import type { EntityChange } from '../../model/changes.ts';
import { haveOneKey, keyOf } from '../../model/entity-key.ts';
import { labelsOf } from '../../wire/labels.ts';
import { EntriesByNamespace } from './entries-by-namespace.ts';
import { HeadTimes } from './head-times.ts';
import { hasLostHolders, type Item } from './items.ts';
import {
  type DroppedEntry,
  epitaph,
  identityOf,
  type ItemEntry,
  itemIdentity,
  keepsNode,
  type LogEntry,
  nameOf,
  type PresentEntry,
  type RemovedEntry,
  sameLabels,
} from './log-entry.ts';
import { NamespaceLabelHistory, type NamespaceLabels } from './namespace-labels.ts';
import { Places } from './places.ts';
import { Removals } from './removals.ts';

export interface ChangeLogOptions {
  /** Removals older than this are dropped. At least twice the longest heartbeat, or resuming would hardly ever work. */
  readonly removalRetentionMs: number;
  /** Beyond this many, the oldest removals are dropped whatever their age. About 0.6 kB each. */
  readonly maxRemovals: number;
}

// Removals that are past their time leave in steps of 1 ms; a thousand subscribers may wait for the same turn.
const MAX_EXPIRED_AT_ONCE = 1_000;
/** With every change: more than it can add. */
const EXPIRED_WITH_A_CHANGE = 4;

export class ChangeLog {
  readonly #options: ChangeLogOptions;
  readonly #places = new Places<LogEntry>();
  /** By key. */
  readonly #present = wideMap<PresentEntry>();
  readonly #removed = new Removals<RemovedEntry | DroppedEntry>();
  /** By key. */
  readonly #items = wideMap<ItemEntry>();
  readonly #times = new HeadTimes();
  readonly #namespaceLabels = new NamespaceLabelHistory();
  /** Unset until a filter asks for it. */
  #byNamespace: EntriesByNamespace<PresentEntry> | undefined;
  #head = 0;
  /** The newest sequence of entity changes, which others number. */
  #changes = 0;
  #forgotten = 0;

  constructor(options: ChangeLogOptions) {
    this.#options = options;
  }

  /** The newest sequence; 0 before the first change. */
  get head(): number {
    return this.#head;
  }

  /** The newest sequence of a removal that is not kept any more; 0 while none was dropped. */
  get forgotten(): number {
    return this.#forgotten;
  }

  /** Entities, items and kept removals. */
  get size(): number {
    return this.#present.size + this.#items.size + this.#removed.size;
  }

  get items(): number {
    return this.#items.size;
  }

  get removals(): number {
    return this.#removed.size;
  }

  /** The entry of the live entity that consumers hold under this key. */
  present(key: string): PresentEntry | undefined {
    return this.#present.get(key);
  }

  /** The labels of namespaces, for filters. */
  get namespaceLabels(): NamespaceLabels {
    return this.#namespaceLabels;
  }

  /**
   * From now on `readNamespace` works: a filter looks at the labels of namespaces. Costs one pass over the log, once.
   */
  followNamespaces(): void {
    if (this.#byNamespace !== undefined) return;
    const byNamespace = new EntriesByNamespace<PresentEntry>();
    this.#places.read(0, Number.POSITIVE_INFINITY, (entry) => {
      if (entry.state === 'present') byNamespace.add(entry);
      return true;
    });
    this.#byNamespace = byNamespace;
  }

  /** As `read`, over the live entities of one namespace; infinity: all were read. */
  readNamespace(name: string, after: number, maxVisits: number, visit: (entry: PresentEntry) => boolean): number {
    if (this.#byNamespace === undefined) throw new Error('the log is read by namespace before it was asked to follow');
    return this.#byNamespace.read(name, after, maxVisits, visit);
  }

  /** Places in memory, holes included. */
  get slots(): number {
    return this.#places.slots;
  }

  /**
   * `nowMs`: monotonic. Throws when a sequence is left out, which would be a lost change, and when consumers could not
   * apply the change by key. Returns the sequence at which the object changed before; `undefined`: it is new.
   */
  append(change: EntityChange, nowMs: number): number | undefined {
    const { sequence: number, before, after } = change;
    const subject = after ?? before;
    if (number !== this.#changes + 1) {
      throw new Error(`change ${number} follows change ${this.#changes}: sequences must be dense`);
    }
    // Items have places of their own between those of entities.
    const sequence = this.#head + 1;
    if (subject === undefined) throw new Error(`change ${number} is about no entity`);
    if (before !== undefined && after !== undefined && !(before.uid === after.uid && haveOneKey(before, after))) {
      throw new Error(`change ${number} turns ${nameOf(before)} into ${nameOf(after)}: a removal and a creation`);
    }
    const key = keyOf(subject);
    const holder = this.#present.get(key);
    if (after !== undefined && holder !== undefined && holder.facts.uid !== after.uid) {
      throw new Error(`change ${number} creates ${nameOf(after)}, whose key ${nameOf(holder.facts)} still has`);
    }
    this.#changes = number;
    this.#advance(nowMs);
    if (subject.kind === 'Namespace') this.#noteLabels(subject.name, sequence, after?.values);
    const previous = this.#leave(key, subject.uid, holder);
    const bornAt = previous?.bornAt ?? sequence;
    if (after !== undefined) {
      const labelsAt = previous !== undefined && sameLabels(previous.facts, after) ? previous.labelsAt : sequence;
      const nodeAt = previous !== undefined && keepsNode(previous.facts, after) ? previous.nodeAt : sequence;
      const entry: PresentEntry = { state: 'present', sequence, bornAt, labelsAt, nodeAt, facts: after };
      this.#present.set(key, entry);
      this.#byNamespace?.add(entry);
      this.#places.push(sequence, entry);
    } else {
      const { labelsAt = sequence, nodeAt = sequence } = previous ?? {};
      const identity = identityOf(key, subject.uid);
      const moments = { sequence, bornAt, labelsAt, nodeAt, removedAtMs: nowMs };
      const entry: RemovedEntry = { state: 'removed', ...moments, identity, ...epitaph(subject) };
      this.#removed.add(entry);
      this.#places.push(sequence, entry);
    }
    this.#expire(nowMs, EXPIRED_WITH_A_CHANGE);
    return previous?.sequence;
  }

  /** Puts an item at the end; `mayHaveLost`: what a filter looks at may be another, although its holders are the same. */
  put(item: Item, nowMs: number, mayHaveLost = false): void {
    const before = this.#items.get(item.key);
    const dropped = before === undefined ? this.#takeDropped(item.key) : undefined;
    if (before !== undefined) this.#places.vacate(before.sequence);
    const sequence = this.#advance(nowMs);
    const previous = before ?? dropped;
    const hasLost = previous !== undefined && (mayHaveLost || hasLostHolders(previous.item, item));
    const entry: ItemEntry = {
      state: 'item',
      sequence,
      bornAt: previous?.bornAt ?? sequence,
      lostAt: hasLost ? sequence : (previous?.lostAt ?? 0),
      item,
    };
    this.#items.set(item.key, entry);
    this.#places.push(sequence, entry);
    this.#expire(nowMs, EXPIRED_WITH_A_CHANGE);
  }

  /** Drops an item; does nothing when it is not there. */
  drop(key: string, nowMs: number): void {
    const before = this.#items.get(key);
    if (before === undefined) return;
    this.#places.vacate(before.sequence);
    this.#items.delete(key);
    const sequence = this.#advance(nowMs);
    const identity = itemIdentity(key);
    const { bornAt, lostAt, item } = before;
    const entry: DroppedEntry = { state: 'dropped', sequence, bornAt, lostAt, removedAtMs: nowMs, identity, item };
    this.#removed.add(entry);
    this.#places.push(sequence, entry);
    this.#expire(nowMs, EXPIRED_WITH_A_CHANGE);
  }

  /** The item that is there under the key. */
  item(key: string): Item | undefined {
    return this.#items.get(key)?.item;
  }

  /** Where the log stood then, or a little before; `undefined`: that is too long ago to be known. */
  headAt(atMs: number): number | undefined {
    return this.#times.headAt(atMs);
  }

  /** Drops removals that are past their time, a number of them at once, and those that are too many. */
  expire(nowMs: number): void {
    this.#expire(nowMs, MAX_EXPIRED_AT_ONCE);
  }

  /**
   * Hands over the entries behind `after`, oldest first, until `visit` says stop by returning false (that entry counts
   * as not visited) or `maxVisits` places were looked at. Returns the new cursor: everything up to it was passed.
   */
  read(after: number, maxVisits: number, visit: (entry: LogEntry) => boolean): number {
    return Math.min(this.#places.read(after, maxVisits, visit), this.#head);
  }

  /** The entry that the object has so far gives up its place. */
  #leave(key: string, uid: string, holder: PresentEntry | undefined): PresentEntry | RemovedEntry | undefined {
    if (holder?.facts.uid === uid) {
      this.#places.vacate(holder.sequence);
      this.#present.delete(key);
      this.#byNamespace?.delete(holder);
      return holder;
    }
    const identity = identityOf(key, uid);
    const removed = this.#removed.get(identity);
    if (removed?.state !== 'removed') return undefined;
    this.#places.vacate(removed.sequence);
    this.#removed.delete(identity);
    return removed;
  }

  #noteLabels(name: string, sequence: number, values: ByteString | undefined): void {
    this.#namespaceLabels.set(name, sequence, values === undefined ? undefined : labelsOf(values));
  }

  #takeDropped(key: string): DroppedEntry | undefined {
    const identity = itemIdentity(key);
    const dropped = this.#removed.get(identity);
    if (dropped?.state !== 'dropped') return undefined;
    this.#places.vacate(dropped.sequence);
    this.#removed.delete(identity);
    return dropped;
  }

  /** The next sequence. */
  #advance(nowMs: number): number {
    this.#times.note(nowMs, this.#head);
    this.#head += 1;
    return this.#head;
  }

  #expire(nowMs: number, atMost: number): void {
    for (let left = atMost; left > 0; left -= 1) {
      const entry = this.#removed.oldest();
      if (entry === undefined) return;
      const { identity, sequence, removedAtMs } = entry;
      const tooOld = nowMs - removedAtMs >= this.#options.removalRetentionMs;
      if (!tooOld && this.#removed.size <= this.#options.maxRemovals) return;
      this.#places.vacate(sequence);
      this.#removed.delete(identity);
      this.#forgotten = sequence;
      if (entry.state === 'removed' && entry.facts.kind === 'Namespace') {
        this.#namespaceLabels.forget(entry.facts.name, sequence);
      }
    }
  }
}
