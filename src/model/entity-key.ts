// The key by which consumers hold an entity: its kind, for a workload its own API version and kind, its namespace and
// name.
//
// Every part that remembers entities for consumers (the change log, removals, what was touched) uses this key, because
// a uid may keep its entity while the key changes: an owner whose scope was guessed until its record came, or whose
// kind moved to another API version. For consumers that is a removal and a creation. Equal keys mean equal parts,
// whatever the parts contain: API servers do not validate the names in owner references.

import type { Entity, ObjectReference } from './entities.ts';

/** What a key is made of; every entity has it. */
export type KeyedEntity =
  | Pick<Extract<Entity, { kind: 'Workload' }>, 'kind' | 'apiVersion' | 'workloadKind' | 'namespace' | 'name'>
  | Pick<Exclude<Entity, { kind: 'Workload' }>, 'kind' | 'namespace' | 'name'>;

/** The consumer's key of an entity. */
export function keyOf(entity: KeyedEntity): string {
  const { kind, namespace, name } = entity;
  return kind === 'Workload'
    ? joined(['Workload', entity.apiVersion, entity.workloadKind, namespace, name])
    : joined([kind, namespace, name]);
}

/** The consumer's key of the workload that a reference points at. */
export function keyOfWorkload(reference: Pick<ObjectReference, 'apiVersion' | 'kind' | 'namespace' | 'name'>): string {
  const { apiVersion, kind, namespace, name } = reference;
  return joined(['Workload', apiVersion, kind, namespace, name]);
}

/** `true` when consumers hold both under one key. */
export function haveOneKey(a: KeyedEntity, b: KeyedEntity): boolean {
  return (
    a.kind === b.kind &&
    a.name === b.name &&
    a.namespace === b.namespace &&
    (a.kind !== 'Workload' ||
      b.kind !== 'Workload' ||
      (a.apiVersion === b.apiVersion && a.workloadKind === b.workloadKind))
  );
}

function joined(parts: readonly string[]): string {
  const key = parts.join('\n');
  // A part with a line break of its own would make two keys equal; JSON escapes it, and no kind begins with a bracket.
  return parts.some((part) => part.includes('\n')) ? JSON.stringify(parts) : key;
}
