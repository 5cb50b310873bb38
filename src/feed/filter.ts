// What a subscriber wants to see: criteria on kind, namespace, node and labels, in canonical form, so that two
// subscribers who want the same are found to be the same.
//
// Pure. It answers two questions about an entity: does it pass, and may an earlier state of it have passed. For the
// second it needs to know when the entity's labels and node changed; kind and namespace are the same all its life.

import { type ByteString, NO_BYTES } from '../model/byte-string.ts';
import type { EntityKind, ObjectReference } from '../model/entities.ts';
import { encodeLabel, hasLabels } from '../wire/labels.ts';

/** As a subscriber asks; an empty criterion lets everything pass. */
export interface FilterCriteria {
  readonly kinds: readonly EntityKind[];
  readonly namespaces: readonly string[];
  readonly nodeNames: readonly string[];
  readonly labels: ReadonlyMap<string, string>;
}

/** What a filter looks at: an entity, or what is kept of one that was removed. */
export interface FilterFacts {
  readonly kind: EntityKind;
  readonly namespace: string;
  readonly name: string;
  /** Empty or unset for what is not on a node. */
  readonly nodeName?: string;
  /** Has the encoded labels in it. */
  readonly values: ByteString;
}

/** The facts, and the sequences at which they last changed. */
export interface FilterHistory {
  readonly facts: FilterFacts;
  readonly labelsAt: number;
  readonly nodeAt: number;
}

const ALL_KINDS: readonly EntityKind[] = ['Node', 'Pod', 'Service', 'Workload'];

export class Filter {
  /** Equal for filters that let the same entities pass because they ask the same; stable across processes. */
  readonly key: string;
  readonly #kinds: ReadonlySet<EntityKind> | undefined;
  readonly #namespaces: ReadonlySet<string> | undefined;
  readonly #nodeNames: ReadonlySet<string> | undefined;
  readonly #labels: readonly ByteString[];

  constructor(criteria: FilterCriteria) {
    const kinds = distinct(criteria.kinds);
    // Every kind is the same wish as no criterion.
    this.#kinds = criterion(kinds.length === ALL_KINDS.length ? [] : kinds);
    this.#namespaces = criterion(distinct(criteria.namespaces));
    this.#nodeNames = criterion(distinct(criteria.nodeNames));
    this.#labels = [...criteria.labels].map(([key, value]) => encodeLabel(key, value));
    this.key = JSON.stringify([
      [...(this.#kinds ?? [])],
      [...(this.#namespaces ?? [])],
      [...(this.#nodeNames ?? [])],
      [...criteria.labels].sort(([a], [b]) => (a < b ? -1 : 1)),
    ]);
  }

  passes(facts: FilterFacts): boolean {
    if (!this.#couldPass(facts)) return false;
    if (this.#nodeNames !== undefined) {
      const nodeName = facts.kind === 'Node' ? facts.name : (facts.nodeName ?? '');
      if (!this.#nodeNames.has(nodeName)) return false;
    }
    return hasLabels(facts.values, this.#labels);
  }

  /** Whether a state that was current at or after `floor` may have passed, given how the entity is or ended. */
  mayHavePassed(entry: FilterHistory, floor: number): boolean {
    if (!this.#couldPass(entry.facts)) return false;
    const labelsCount = this.#labels.length > 0 && entry.labelsAt > floor;
    const nodeCounts = this.#nodeNames !== undefined && entry.nodeAt > floor;
    return labelsCount || nodeCounts || this.passes(entry.facts);
  }

  #couldPass(facts: FilterFacts): boolean {
    if (this.#kinds !== undefined && !this.#kinds.has(facts.kind)) return false;
    return this.#namespaces === undefined || this.#namespaces.has(facts.namespace);
  }
}

/** Of a workload of which nothing but the reference is known: it has no labels. */
export function factsOfReference({ namespace, name }: ObjectReference): FilterFacts {
  return { kind: 'Workload', namespace, name, values: NO_BYTES };
}

function distinct<T extends string>(values: readonly T[]): readonly T[] {
  return [...new Set(values)].sort();
}

function criterion<T>(values: readonly T[]): ReadonlySet<T> | undefined {
  return values.length === 0 ? undefined : new Set(values);
}
