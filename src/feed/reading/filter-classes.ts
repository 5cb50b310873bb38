// The filters that subscribers have: those who want the same share one projection, and with it its frames.
//
// Bounded in bytes, because a filter may name a thousand namespaces and nodes and every subscriber may bring another:
// beyond the bound, and beyond a quarter of it for one caller, subscriptions with yet another filter are refused. A
// filter that is in use already costs nothing more. A class goes with its last subscriber.

import { Filter, type FilterCriteria } from '../log/filter.ts';
import type { View } from '../../wire/encoded-entity.ts';
import { type ChosenKeys, ValueChoice } from '../../wire/value-choice.ts';
import type { Projection } from './projection.ts';

export interface FilterClassesOptions {
  /** Of all filters together. */
  readonly maxBytes: number;
  readonly create: (wanted: Wanted) => Projection;
  /** The class of this projection is gone. */
  readonly gone: (projection: Projection) => void;
}

/** What the subscribers of a class want. */
export interface Wanted {
  readonly filter: Filter;
  readonly view: View;
  readonly timelines: boolean;
  readonly podNetworks: boolean;
  readonly choice: ValueChoice | undefined;
}

/** As one of them asks for it. */
export interface WantedBy {
  readonly filter: FilterCriteria;
  readonly view: View;
  /** Also timelines and what belongs to them, see `log/items.ts`. Default: false. */
  readonly timelines?: boolean;
  /** Of secondary networks too. Default: false. */
  readonly podNetworks?: boolean;
  /** Which labels and annotations are sent; unset: all. */
  readonly values?: ChosenKeys | undefined;
}

interface FilterClass {
  readonly key: string;
  readonly projection: Projection;
  /** Who brought it. */
  readonly caller: string;
  readonly bytes: number;
  users: number;
}

export class FilterClasses {
  readonly #options: FilterClassesOptions;
  readonly #byKey = new Map<string, FilterClass>();
  readonly #byProjection = new Map<Projection, FilterClass>();
  readonly #bytesOf = new Map<string, number>();
  #bytes = 0;

  constructor(options: FilterClassesOptions) {
    this.#options = options;
  }

  /** How many are different. */
  get size(): number {
    return this.#byKey.size;
  }

  /** What they take, about. */
  get bytes(): number {
    return this.#bytes;
  }

  /** What one caller may bring. */
  get maxBytesOfACaller(): number {
    return this.#options.maxBytes / 4;
  }

  /** To be given back by `free`. `undefined`: there is no room for another one. */
  take(caller: string, request: WantedBy): Projection | undefined {
    const { filter: criteria, view, timelines = false, podNetworks = false, values } = request;
    const filter = new Filter(criteria);
    const choice = values === undefined ? undefined : new ValueChoice(values);
    const key = `${view} ${timelines} ${podNetworks} ${filter.key} ${choice?.key ?? ''}`;
    const known = this.#byKey.get(key);
    if (known !== undefined) {
      known.users += 1;
      return known.projection;
    }
    const bytes = bytesOf(criteria, values);
    const ofCaller = (this.#bytesOf.get(caller) ?? 0) + bytes;
    if (this.#bytes + bytes > this.#options.maxBytes || ofCaller > this.maxBytesOfACaller) return undefined;
    const projection = this.#options.create({ filter, view, timelines, podNetworks, choice });
    const added = { key, projection, caller, bytes, users: 1 };
    this.#byKey.set(key, added);
    this.#byProjection.set(added.projection, added);
    this.#bytesOf.set(caller, ofCaller);
    this.#bytes += bytes;
    return added.projection;
  }

  free(projection: Projection): void {
    const known = this.#byProjection.get(projection);
    if (known === undefined) throw new Error('a projection is given back that was not taken');
    known.users -= 1;
    if (known.users > 0) return;
    const { key, caller, bytes } = known;
    this.#byKey.delete(key);
    this.#byProjection.delete(projection);
    this.#options.gone(projection);
    this.#bytes -= bytes;
    const left = (this.#bytesOf.get(caller) ?? 0) - bytes;
    if (left > 0) this.#bytesOf.set(caller, left);
    else this.#bytesOf.delete(caller);
  }
}

/** A projection with its filter, and its places in three maps. */
const CLASS_BYTES = 1_000;
/** A name stands in a set and in the key: two strings of at most two bytes a character, and their heads. */
const NAME_BYTES = 80;
const BYTES_A_CHARACTER = 4;

function bytesOf(
  { namespaces, nodeNames, labels, namespaceSelector = [], labelSelector = [] }: FilterCriteria,
  values: ChosenKeys | undefined,
): number {
  let bytes = CLASS_BYTES;
  for (const name of namespaces) bytes += NAME_BYTES + BYTES_A_CHARACTER * name.length;
  for (const name of nodeNames) bytes += NAME_BYTES + BYTES_A_CHARACTER * name.length;
  for (const [key, value] of labels) bytes += 2 * NAME_BYTES + BYTES_A_CHARACTER * (key.length + value.length);
  const chosen = [...(values?.labels ?? []), ...(values?.annotations ?? [])];
  for (const key of chosen) bytes += 2 * NAME_BYTES + BYTES_A_CHARACTER * key.length;
  for (const { key, values: wanted } of [...namespaceSelector, ...labelSelector]) {
    for (const text of [key, ...wanted]) bytes += 2 * NAME_BYTES + BYTES_A_CHARACTER * text.length;
  }
  return bytes;
}
