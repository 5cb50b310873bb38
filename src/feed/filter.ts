// What a subscriber wants to see: criteria on kind, namespace, node and labels, in canonical form, so that two
// subscribers who want the same are found to be the same.
//
// Pure. It answers two questions about an entity: does it pass, and may an earlier state of it have passed. For the second
// it needs to know when the entity's labels and node changed; kind and namespace are the same all its life.

import type { Entity, EntityKind, ObjectReference } from '../model/entities.ts';
import { hasLabels } from '../wire/labels.ts';

/** As a subscriber asks; an empty criterion lets everything pass. */
export interface FilterCriteria {
  readonly kinds: readonly EntityKind[];
  readonly namespaces: readonly string[];
  readonly nodeNames: readonly string[];
  readonly labels: ReadonlyMap<string, string>;
}

/** What a filter looks at; kept of a removed entity after its bytes are gone. */
export interface FilterFacts {
  readonly kind: EntityKind;
  readonly namespace: string;
  readonly name: string;
  /** Empty for what is not on a node. */
  readonly nodeName: string;
  /** Encoded label entries are found in here … */
  readonly bytes: Uint8Array;
  /** … from this offset on. */
  readonly labelsFrom: number;
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
  readonly #labels: ReadonlyMap<string, string>;

  constructor(criteria: FilterCriteria) {
    const kinds = distinct(criteria.kinds);
    // Every kind is the same wish as no criterion.
    this.#kinds = criterion(kinds.length === ALL_KINDS.length ? [] : kinds);
    this.#namespaces = criterion(distinct(criteria.namespaces));
    this.#nodeNames = criterion(distinct(criteria.nodeNames));
    this.#labels = criteria.labels;
    this.key = JSON.stringify([
      [...(this.#kinds ?? [])],
      [...(this.#namespaces ?? [])],
      [...(this.#nodeNames ?? [])],
      [...this.#labels].sort(([a], [b]) => (a < b ? -1 : 1)),
    ]);
  }

  passes(facts: FilterFacts): boolean {
    if (!this.#couldPass(facts)) return false;
    if (this.#nodeNames !== undefined) {
      const nodeName = facts.kind === 'Node' ? facts.name : facts.nodeName;
      if (!this.#nodeNames.has(nodeName)) return false;
    }
    return hasLabels(facts.bytes, facts.labelsFrom, this.#labels);
  }

  /** Whether a state that was current at or after `floor` may have passed, given how the entity is or ended. */
  mayHavePassed(entry: FilterHistory, floor: number): boolean {
    if (!this.#couldPass(entry.facts)) return false;
    const labelsCount = this.#labels.size > 0 && entry.labelsAt > floor;
    const nodeCounts = this.#nodeNames !== undefined && entry.nodeAt > floor;
    return labelsCount || nodeCounts || this.passes(entry.facts);
  }

  #couldPass(facts: FilterFacts): boolean {
    if (this.#kinds !== undefined && !this.#kinds.has(facts.kind)) return false;
    return this.#namespaces === undefined || this.#namespaces.has(facts.namespace);
  }
}

/** Facts of a live entity: its labels are read from its own bytes. */
export function factsOf(entity: Entity): FilterFacts {
  return {
    kind: entity.kind,
    namespace: entity.namespace,
    name: entity.name,
    nodeName: entity.kind === 'Pod' ? entity.nodeName : '',
    bytes: entity.bytes,
    labelsFrom: entity.basicLength,
  };
}

/** Of a workload of which nothing but the reference is known: it has no labels. */
export function factsOfReference({ namespace, name }: ObjectReference): FilterFacts {
  return { kind: 'Workload', namespace, name, nodeName: '', bytes: NO_BYTES, labelsFrom: 0 };
}

const NO_BYTES = new Uint8Array(0);

function distinct<T extends string>(values: readonly T[]): readonly T[] {
  return [...new Set(values)].sort();
}

function criterion<T>(values: readonly T[]): ReadonlySet<T> | undefined {
  return values.length === 0 ? undefined : new Set(values);
}
