// Which namespaces are published, by ordered rules: the first rule whose pattern matches decides, and what no rule
// matches is hidden. Without rules all are published.
//
// The name of a hidden namespace goes no further than the stores that records are written to (`catalog/hidden.ts`):
// behind them there is a name made of its hash, with a mark before it that no namespace can have.

import { hash } from 'node:crypto';
import type { ObjectReference } from '../entities.ts';
import { matchesPath } from './path-match.ts';

export interface NamespaceRule {
  readonly action: 'allow' | 'deny';
  /** As Go's `path.Match` reads it. */
  readonly pattern: string;
}

/** No name in Kubernetes has a control character. */
const MARK = '\u0001';

export class PublishedNamespaces {
  readonly #rules: readonly NamespaceRule[];
  /** What was found of names so far: records come by the hundred thousand, in a few namespaces. */
  readonly #known = new Map<string, boolean>();

  constructor(rules: readonly NamespaceRule[]) {
    this.#rules = rules;
  }

  /** Some may be hidden. */
  get areLimited(): boolean {
    return this.#rules.length > 0;
  }

  /** Empty is the namespace of what has none, which is published. */
  has(namespace: string): boolean {
    if (isHidden(namespace)) return false;
    if (namespace === '' || this.#rules.length === 0) return true;
    let found = this.#known.get(namespace);
    if (found === undefined) {
      found = this.#rules.find(({ pattern }) => matchesPath(pattern, namespace))?.action === 'allow';
      // Callers may ask for any name.
      if (this.#known.size >= MAX_KNOWN) this.#known.clear();
      this.#known.set(namespace, found);
    }
    return found;
  }
}

/** All that is told of a workload in a hidden namespace: that there is one. */
export const HIDDEN_REFERENCE: ObjectReference = Object.freeze({
  apiVersion: '',
  kind: '',
  namespace: MARK,
  name: '',
  uid: MARK,
  incomplete: false,
});

/** More than the namespaces of the largest clusters. */
const MAX_KNOWN = 16_384;

/** What stands for the name of a hidden namespace; the same in every process. */
export function hiddenNamespace(namespace: string): string {
  return `${MARK}${hash('sha256', namespace, 'base64url').slice(0, HASH_CHARACTERS)}`;
}

/** What stands for the name of an object in one. */
export function hiddenName(namespace: string, name: string): string {
  return hash('sha256', `${namespace}/${name}`, 'base64url').slice(0, HASH_CHARACTERS);
}

/** What stands for the uid of an object in one: who knows a uid is not to find it in what is told of its object. */
export function hiddenUid(uid: string): string {
  return uid === '' ? '' : hash('sha256', uid, 'base64url').slice(0, HASH_CHARACTERS);
}

/** It stands for a hidden one. */
export function isHidden(namespace: string): boolean {
  return namespace.startsWith(MARK);
}

/** 132 bits: no two objects of a cluster share them. */
const HASH_CHARACTERS = 22;
