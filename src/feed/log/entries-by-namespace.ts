// The live entries of the log by namespace, in the order of their sequences: where a reader finds what enters or leaves
// its filter with the labels of a namespace.
//
// Kept only once a filter asks for it: most consumers filter by nothing of the kind.

import { Places } from './places.ts';

/** Most namespaces have some dozens of objects, and a list has at least a chunk of places. */
const CHUNK = 64;

/** What is asked of an entry. */
export interface NamespacedEntry {
  readonly sequence: number;
  readonly facts: { readonly namespace: string };
}

export class EntriesByNamespace<E extends NamespacedEntry> {
  readonly #places = new Map<string, { readonly entries: Places<E>; count: number }>();

  add(entry: E): void {
    const name = entry.facts.namespace;
    // A namespace is not one of its own objects here: a reader meets it itself.
    if (name === '') return;
    let found = this.#places.get(name);
    if (found === undefined) this.#places.set(name, (found = { entries: new Places(CHUNK), count: 0 }));
    found.entries.push(entry.sequence, entry);
    found.count += 1;
  }

  delete(entry: E): void {
    const name = entry.facts.namespace;
    const found = this.#places.get(name);
    if (found === undefined) return;
    found.entries.vacate(entry.sequence);
    found.count -= 1;
    if (found.count === 0) this.#places.delete(name);
  }

  /** As `Places.read`, within the namespace. */
  read(name: string, after: number, maxVisits: number, visit: (entry: E) => boolean): number {
    return this.#places.get(name)?.entries.read(after, maxVisits, visit) ?? Number.POSITIVE_INFINITY;
  }
}
