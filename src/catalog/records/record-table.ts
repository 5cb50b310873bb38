// The records of one resource by namespace and name, and what a reflector may do to them.
//
// A table decides what is news: an update that changes nothing that we keep ends here, another uid under a known name
// is a removal and an addition, and a relist is a difference (unchanged objects are only marked as seen). What an
// accepted write means is the shelf's business; after each write the table tells the catalog to publish, so that one
// source change is one batch. It has the shape of the store that a reflector writes to, without knowing reflectors.
//
// A replacement keeps only what differs, already trimmed, until it is committed or aborted. Its commit removes first
// and adds afterwards: an address that moved is free before another object takes it. The first list of a resource that
// the catalog waits for goes in while it arrives, because it cannot be seen before it is complete.

import { type WideMap, wideMap } from '../../collections/wide-map.ts';
import type { Observation, SourcePosition } from '../../model/observation.ts';
import type { KubernetesRecord, ObjectIdentity } from '../../model/kubernetes/records.ts';
import { addFingerprint, type Fingerprinted, fingerprint, subtractFingerprint } from './fingerprint.ts';
import type { Pacer, Slice } from '../pacer.ts';

/** How records of one type become state. `D`: the trimmed draft of a record; `S`: the state of an accepted one. */
export interface Shelf<R, D extends ObjectIdentity, S extends Shelved> {
  /** Trims and encodes; touches no state. */
  draft(record: R): D;
  /** The accepted state says the same as the draft (whose uid is the same). */
  isSame(state: S, draft: D): boolean;
  create(draft: D): S;
  /** The state is in the table: it can be found by name. */
  created?(state: S): void;
  update(state: S, draft: D): void;
  remove(state: S): void;
}

export interface Shelved {
  readonly uid: string;
  /** Number of the last replacement that contained it. */
  seenIn: number;
  /** Of the draft that was accepted last; kept by the table. */
  fingerprint: number;
}

/** The table's way back to the catalog. */
export interface TableOwner {
  /** Nothing is visible yet, nor will be before every table that is awaited has its first list. */
  isCollecting(): boolean;
  /** One source change is applied: join what it touched and tell the listeners. */
  publish(position: SourcePosition, seen: Observation, unfinished: boolean): void;
  /** The source moved on; nothing was touched. */
  advance(position: SourcePosition): void;
  unchanged(resource: string): void;
  /** What was published is told in slices, of which some are left. */
  isBehind(): boolean;
}

/** What one record leaves to do is over by then, mostly. */
const MAX_TURNS_BEHIND = 8;

export class RecordTable<R extends KubernetesRecord, D extends ObjectIdentity & Fingerprinted, S extends Shelved> {
  readonly resource: string;
  readonly #rows = new Map<string, WideMap<string, S>>();
  readonly #shelf: Shelf<R, D, S>;
  readonly #owner: TableOwner;
  readonly #pacer: Pacer;
  readonly #isAwaited: boolean;
  #isFilling = false;
  /** A list was whole: the next may begin just when the catalog opens. */
  #isListed = false;
  #size = 0;
  #replacements = 0;
  /** Sum of the fingerprints of all records. */
  #digest = 0;

  /** `isAwaited`: the catalog does not open before this table has its first list. */
  constructor(resource: string, shelf: Shelf<R, D, S>, owner: TableOwner, pacer: Pacer, isAwaited: boolean) {
    this.resource = resource;
    this.#shelf = shelf;
    this.#owner = owner;
    this.#pacer = pacer;
    this.#isAwaited = isAwaited;
  }

  get size(): number {
    return this.#size;
  }

  /** A first list is on its way, and what arrived of it is in the table. */
  get isFilling(): boolean {
    return this.#isFilling;
  }

  get(namespace: string, name: string): S | undefined {
    return this.#rows.get(namespace)?.get(name);
  }

  *values(): Iterable<S> {
    for (const rows of this.#rows.values()) yield* rows.values();
  }

  upsert(record: R, resourceVersion: string, seen: Observation): void {
    const draft = this.#shelf.draft(record);
    const state = this.get(draft.namespace, draft.name);
    if (state !== undefined && state.uid === draft.uid && this.#shelf.isSame(state, draft)) {
      this.#owner.unchanged(this.resource);
    } else {
      this.#apply(draft);
    }
    this.#owner.publish(this.#position(resourceVersion), seen, false);
  }

  remove(record: R, resourceVersion: string, seen: Observation): void {
    const state = this.get(record.namespace, record.name);
    if (state !== undefined && state.uid === record.uid) this.#drop(record.namespace, record.name, state);
    this.#owner.publish(this.#position(resourceVersion), seen, false);
  }

  bookmark(resourceVersion: string): void {
    this.#owner.advance(this.#position(resourceVersion));
  }

  /** Begins a new picture of all objects. A newer one makes this one void. */
  beginReplace(): TableReplacement<R> {
    this.#replacements += 1;
    if (this.#isFilling) this.#empty();
    const isFirst = this.#isAwaited && !this.#isListed && this.#owner.isCollecting();
    if (isFirst && this.#size === 0) return this.#fill(this.#replacements);
    const number = this.#replacements;
    const stash = new Map<string, WideMap<string, D>>();
    let open = true;
    const end = (): void => {
      if (!open || number !== this.#replacements) throw new Error(`${this.resource}: this replacement is over`);
      open = false;
    };
    return {
      add: (record) => {
        if (!open) throw new Error(`${this.resource}: this replacement is over`);
        this.#stash(stash, this.#shelf.draft(record), number);
      },
      commit: async (resourceVersion, seen) => {
        end();
        await this.#commit(stash, number, resourceVersion, seen);
      },
      abort: () => {
        open = false;
        stash.clear();
      },
    };
  }

  #fill(number: number): TableReplacement<R> {
    this.#isFilling = true;
    const check = (): void => {
      if (!this.#isFilling || number !== this.#replacements)
        throw new Error(`${this.resource}: this replacement is over`);
    };
    return {
      add: (record) => {
        check();
        const draft = this.#shelf.draft(record);
        const state = this.get(draft.namespace, draft.name);
        if (state?.uid !== draft.uid || !this.#shelf.isSame(state, draft)) this.#apply(draft);
      },
      commit: async (resourceVersion, seen) => {
        check();
        this.#isFilling = false;
        this.#isListed = true;
        this.#owner.publish({ ...this.#position(resourceVersion), listed: true }, seen, false);
      },
      abort: () => {
        if (!this.#isFilling || number !== this.#replacements) return;
        this.#empty();
      },
    };
  }

  #empty(): void {
    this.#isFilling = false;
    for (const [namespace, rows] of this.#rows) {
      for (const [name, state] of rows) this.#drop(namespace, name, state);
    }
  }

  #stash(stash: Map<string, WideMap<string, D>>, draft: D, number: number): void {
    const state = this.get(draft.namespace, draft.name);
    if (state !== undefined && state.uid === draft.uid) {
      state.seenIn = number;
      if (this.#shelf.isSame(state, draft)) {
        // The same object may have come before in another state, when the list was streamed.
        stash.get(draft.namespace)?.delete(draft.name);
        return;
      }
    }
    // Another uid under a known name leaves the old object unseen: it is removed like everything that vanished.
    let drafts = stash.get(draft.namespace);
    if (drafts === undefined) stash.set(draft.namespace, (drafts = wideMap()));
    drafts.set(draft.name, draft);
  }

  async #commit(
    stash: Map<string, WideMap<string, D>>,
    number: number,
    resourceVersion: string,
    seen: Observation,
  ): Promise<void> {
    const position = { resource: this.resource, resourceVersion };
    const slice = this.#pacer.begin();
    for (const [namespace, rows] of this.#rows) {
      for (const [name, state] of rows) {
        const replacement = stash.get(namespace)?.get(name);
        // Seen with this uid, unless a later item of the same list had another uid under the name.
        const kept = state.seenIn === number && (replacement === undefined || replacement.uid === state.uid);
        if (!kept) {
          this.#drop(namespace, name, state);
          this.#owner.publish(position, seen, true);
        }
        if (slice.due() || this.#owner.isBehind()) await this.#rest(slice);
      }
    }
    for (const drafts of stash.values()) {
      for (const [name, draft] of drafts) {
        // A reflector holds on to its replacement as long as the watch that follows: it must not hold a second picture.
        drafts.delete(name);
        this.#apply(draft);
        this.#owner.publish(position, seen, true);
        if (slice.due() || this.#owner.isBehind()) await this.#rest(slice);
      }
    }
    this.#isListed = true;
    this.#owner.publish({ ...this.#position(resourceVersion), listed: true }, seen, false);
  }

  /** Between two records. What the last one left to do has some turns of its own, but does not hold up a list for good. */
  async #rest(slice: Slice): Promise<void> {
    let turns = 0;
    do {
      await slice.pause();
      turns += 1;
    } while (turns < MAX_TURNS_BEHIND && this.#owner.isBehind());
  }

  #position(resourceVersion: string): SourcePosition {
    return { resource: this.resource, resourceVersion, digest: this.#digest };
  }

  #apply(draft: D): void {
    const state = this.get(draft.namespace, draft.name);
    if (state !== undefined && state.uid === draft.uid) {
      this.#shelf.update(state, draft);
      this.#count(state, fingerprint(draft));
      return;
    }
    if (state !== undefined) this.#drop(draft.namespace, draft.name, state);
    let rows = this.#rows.get(draft.namespace);
    if (rows === undefined) this.#rows.set(draft.namespace, (rows = wideMap()));
    const created = this.#shelf.create(draft);
    rows.set(draft.name, created);
    this.#count(created, fingerprint(draft));
    this.#size += 1;
    this.#shelf.created?.(created);
  }

  /** 0: it is gone. */
  #count(state: S, value: number): void {
    this.#digest = addFingerprint(subtractFingerprint(this.#digest, state.fingerprint), value);
    state.fingerprint = value;
  }

  #drop(namespace: string, name: string, state: S): void {
    const rows = this.#rows.get(namespace);
    if (rows?.delete(name) !== true) return;
    if (rows.size === 0) this.#rows.delete(namespace);
    this.#size -= 1;
    this.#count(state, 0);
    this.#shelf.remove(state);
  }
}

export interface TableReplacement<R> {
  add(record: R): void;
  commit(resourceVersion: string, seen: Observation): Promise<void>;
  abort(): void;
}
