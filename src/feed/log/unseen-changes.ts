// Changes that subscribers with a choice of labels and annotations do not see: nothing that they are sent is different.
//
// For each choice in use (and view, because the basic one shows no values) it is remembered of each entity whose last
// change was such a one at which sequence it last changed visibly. A reader that had everything at that sequence or
// later holds what it would be sent, see `reading/projection.ts`. What is not remembered counts as visible: that costs
// a message, never the truth. So all of it is bounded: choices beyond MAX_CHOICES are not followed, since each costs a
// comparison with every change of values; and at MAX_ENTITIES a choice begins anew.

import type { EntityChange } from '../../model/changes.ts';
import type { View } from '../../wire/encoded-entity.ts';
import type { ValueChoice } from '../../wire/value-choice.ts';

interface Unseen {
  /** Of the change that was not seen. */
  readonly sequence: number;
  /** At most: of the last one that was. */
  readonly visibleAt: number;
}

const MAX_CHOICES = 32;
/** Of one choice, about 150 bytes each. */
const MAX_ENTITIES = 100_000;

/** What one choice does not see. */
export class UnseenChanges {
  readonly #choice: ValueChoice;
  readonly #view: View;
  /** By uid. */
  readonly #unseen = new Map<string, Unseen>();

  constructor(choice: ValueChoice, view: View) {
    this.#choice = choice;
    this.#view = view;
  }

  get size(): number {
    return this.#unseen.size;
  }

  /** `sequence`: where the log has the change; `previous`: where it had the change before of this entity. */
  note({ before, after }: EntityChange, sequence: number, previous: number | undefined): void {
    const uid = (after ?? before)?.uid;
    if (uid === undefined) return;
    const isVisible =
      before === undefined ||
      after === undefined ||
      previous === undefined ||
      before.own !== after.own ||
      before.joined !== after.joined ||
      (this.#view === 'FULL' &&
        (before.rest !== after.rest || this.#choice.of(before.values) !== this.#choice.of(after.values)));
    if (isVisible) {
      this.#unseen.delete(uid);
      return;
    }
    const known = this.#unseen.get(uid);
    if (known === undefined && this.#unseen.size >= MAX_ENTITIES) this.#unseen.clear();
    this.#unseen.set(uid, { sequence, visibleAt: known?.sequence === previous ? known.visibleAt : previous });
  }

  /** The sequence at which the entity whose last change is at `sequence` last changed visibly, at most. */
  visibleAt(uid: string, sequence: number): number {
    const known = this.#unseen.get(uid);
    return known?.sequence === sequence ? known.visibleAt : sequence;
  }
}

/** Those of all choices that are in use. */
export class ChoicesInUse {
  readonly #byKey = new Map<string, { readonly unseen: UnseenChanges; users: number }>();

  /** Entities that are remembered, for all choices together. */
  get size(): number {
    let size = 0;
    for (const { unseen } of this.#byKey.values()) size += unseen.size;
    return size;
  }

  /** To be given back by `free`. `undefined`: this one is not followed. */
  take(choice: ValueChoice, view: View): UnseenChanges | undefined {
    const key = `${view} ${choice.key}`;
    let found = this.#byKey.get(key);
    if (found === undefined) {
      if (this.#byKey.size >= MAX_CHOICES) return undefined;
      this.#byKey.set(key, (found = { unseen: new UnseenChanges(choice, view), users: 0 }));
    }
    found.users += 1;
    return found.unseen;
  }

  free(unseen: UnseenChanges): void {
    for (const [key, each] of this.#byKey) {
      if (each.unseen !== unseen) continue;
      each.users -= 1;
      if (each.users === 0) this.#byKey.delete(key);
      return;
    }
  }

  note(change: EntityChange, sequence: number, previous: number | undefined): void {
    for (const { unseen } of this.#byKey.values()) unseen.note(change, sequence, previous);
  }
}
