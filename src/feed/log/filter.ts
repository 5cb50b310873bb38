// What a subscriber wants to see: criteria on kind, namespace, node, labels, and labels of the namespace, in canonical
// form, so that two subscribers who want the same are found to be the same.
//
// Pure. It answers two questions about an entity: does it pass, and may an earlier state of it have passed. For the
// second it needs to know when the entity's labels and node changed, and which labels its namespace had; kind and
// namespace are the same all its life.

import { type ByteString, NO_BYTES } from '../../model/byte-string.ts';
import type { EntityKind, ObjectReference } from '../../model/entities.ts';
import type { LabelSelector } from '../../model/kubernetes/label-selector.ts';
import { encodeLabel, hasLabels, LabelMatcher } from '../../wire/labels.ts';
import type { NamespaceLabels } from './namespace-labels.ts';

/** As a subscriber asks; an empty criterion lets everything pass. */
export interface FilterCriteria {
  readonly kinds: readonly EntityKind[];
  readonly namespaces: readonly string[];
  readonly nodeNames: readonly string[];
  readonly labels: ReadonlyMap<string, string>;
  /** On the labels of the namespace that it is in; unset or empty: as above. */
  readonly namespaceSelector?: LabelSelector;
  /** On its own labels, beside `labels`. */
  readonly labelSelector?: LabelSelector;
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

const ALL_KINDS: readonly EntityKind[] = ['Namespace', 'Node', 'Pod', 'Service', 'Workload'];

/** What a change of a namespace's labels means for the objects in it. */
export type NamespaceMove = 'none' | 'in' | 'out';

export class Filter {
  /** Equal for filters that let the same entities pass because they ask the same; stable across processes. */
  readonly key: string;
  readonly #kinds: ReadonlySet<EntityKind> | undefined;
  readonly #namespaces: ReadonlySet<string> | undefined;
  readonly #nodeNames: ReadonlySet<string> | undefined;
  readonly #labels: readonly ByteString[];
  readonly #labelSelector: LabelMatcher | undefined;
  readonly #namespaceSelector: LabelMatcher | undefined;

  constructor(criteria: FilterCriteria) {
    const kinds = distinct(criteria.kinds);
    // Every kind is the same wish as no criterion.
    this.#kinds = criterion(kinds.length === ALL_KINDS.length ? [] : kinds);
    this.#namespaces = criterion(distinct(criteria.namespaces));
    this.#nodeNames = criterion(distinct(criteria.nodeNames));
    this.#labels = [...criteria.labels].map(([key, value]) => encodeLabel(key, value));
    const { labelSelector = [], namespaceSelector = [] } = criteria;
    this.#labelSelector = labelSelector.length === 0 ? undefined : new LabelMatcher(labelSelector);
    this.#namespaceSelector = namespaceSelector.length === 0 ? undefined : new LabelMatcher(namespaceSelector);
    this.key = JSON.stringify([
      [...(this.#kinds ?? [])],
      [...(this.#namespaces ?? [])],
      [...(this.#nodeNames ?? [])],
      [...criteria.labels].sort(([a], [b]) => (a < b ? -1 : 1)),
      // Only where there is one: the tokens of all others stay good.
      ...(namespaceSelector.length === 0 ? [] : [{ namespaceSelector }]),
      ...(labelSelector.length === 0 ? [] : [{ labelSelector }]),
    ]);
  }

  /** It looks at the labels of namespaces. */
  get followsNamespaces(): boolean {
    return this.#namespaceSelector !== undefined;
  }

  passes(facts: FilterFacts, namespaces: NamespaceLabels): boolean {
    return this.#passesItself(facts) && this.#passesByNamespace(facts, namespaces);
  }

  /** Whether a state that was current at or after `floor` may have passed, given how the entity is or ended. */
  mayHavePassed(entry: FilterHistory, floor: number, namespaces: NamespaceLabels): boolean {
    if (!this.#couldPass(entry.facts)) return false;
    const { labelsCount, nodeCounts } = this.#countsSince(entry, floor);
    if (!labelsCount && !nodeCounts && !this.#passesItself(entry.facts)) return false;
    return this.#namespaceStates(namespaceOf(entry.facts), floor, namespaces).some((passed) => passed);
  }

  /** Whether it passed at every moment since `floor`. */
  passedSince(entry: FilterHistory, floor: number, namespaces: NamespaceLabels): boolean {
    const { labelsCount, nodeCounts } = this.#countsSince(entry, floor);
    if (labelsCount || nodeCounts || !this.#passesItself(entry.facts)) return false;
    return this.#namespaceStates(namespaceOf(entry.facts), floor, namespaces).every((passed) => passed);
  }

  /**
   * What became of the objects of the namespace since `floor` by its labels alone. `none`: they all passed, or all did
   * not, at every moment since then.
   */
  namespaceMove(name: string, floor: number, namespaces: NamespaceLabels): NamespaceMove {
    const [now = true, ...before] = this.#namespaceStates(name, floor, namespaces);
    if (before.every((passed) => passed === now)) return 'none';
    return now ? 'in' : 'out';
  }

  /** Whether what the filter looks at may have been different since `floor`. */
  #countsSince(
    { labelsAt, nodeAt }: FilterHistory,
    floor: number,
  ): { readonly labelsCount: boolean; readonly nodeCounts: boolean } {
    const looksAtLabels = this.#labels.length > 0 || this.#labelSelector !== undefined;
    return {
      labelsCount: looksAtLabels && labelsAt > floor,
      nodeCounts: this.#nodeNames !== undefined && nodeAt > floor,
    };
  }

  #passesItself(facts: FilterFacts): boolean {
    if (!this.#couldPass(facts)) return false;
    if (this.#nodeNames !== undefined) {
      const nodeName = facts.kind === 'Node' ? facts.name : (facts.nodeName ?? '');
      if (!this.#nodeNames.has(nodeName)) return false;
    }
    if (this.#labelSelector?.matches(facts.values) === false) return false;
    return hasLabels(facts.values, this.#labels);
  }

  #passesByNamespace(facts: FilterFacts, namespaces: NamespaceLabels): boolean {
    if (this.#namespaceSelector === undefined) return true;
    const name = namespaceOf(facts);
    return name !== '' && this.#namespaceSelector.matches(namespaces.now(name));
  }

  /** Whether the namespace lets its objects pass, now and at every moment since `floor`, newest first. */
  #namespaceStates(name: string, floor: number, namespaces: NamespaceLabels): readonly boolean[] {
    const selector = this.#namespaceSelector;
    if (selector === undefined) return [true];
    if (name === '') return [false];
    const states = namespaces.since(name, floor)?.map((labels) => selector.matches(labels));
    if (states !== undefined) return states;
    const now = selector.matches(namespaces.now(name));
    return [now, !now];
  }

  #couldPass(facts: FilterFacts): boolean {
    if (this.#kinds !== undefined && !this.#kinds.has(facts.kind)) return false;
    return this.#namespaces === undefined || this.#namespaces.has(namespaceOf(facts));
  }
}

/** A namespace counts as an object in itself; empty: it is in none. */
function namespaceOf({ kind, namespace, name }: FilterFacts): string {
  return kind === 'Namespace' ? name : namespace;
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
