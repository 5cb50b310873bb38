// What a consumer with a filter should hold of an entity, and under which key: written from the contract, without the
// feed's own filter and keys.

import type { FilterCriteria } from '../../src/feed/log/filter.ts';
import type { Entity } from '../../src/model/entities.ts';
import { encodedBytes } from '../../src/wire/encoded-entity.ts';
import { messageType } from '../../src/wire/schema.ts';
import { nameOf } from './raw-copy.ts';

/** Passes the filter; `labelsOfNamespaces` by name. */
export function isVisible(
  entity: Entity,
  { kinds, namespaces, nodeNames, labels, namespaceSelector = [] }: FilterCriteria,
  labelsOfNamespaces: ReadonlyMap<string, Record<string, string>> = new Map(),
): boolean {
  if (kinds.length > 0 && !kinds.includes(entity.kind)) return false;
  const namespace = entity.kind === 'Namespace' ? entity.name : entity.namespace;
  if (namespaces.length > 0 && !namespaces.includes(namespace)) return false;
  for (const { key, operator, values } of namespaceSelector) {
    const ofNamespace = labelsOfNamespaces.get(namespace);
    const isOneOf = values.includes(ofNamespace?.[key] ?? '');
    if (ofNamespace === undefined || isOneOf !== (operator === 'in')) return false;
  }
  if (nodeNames.length > 0) {
    const nodeName = entity.kind === 'Node' ? entity.name : entity.kind === 'Pod' ? entity.nodeName : '';
    if (!nodeNames.includes(nodeName)) return false;
  }
  if (labels.size === 0) return true;
  const held = labelsOf(entity);
  return [...labels].every(([key, value]) => held[key] === value);
}

export function labelsOf(entity: Entity): Record<string, string> {
  return (decode(entity.kind.toLowerCase(), encodedBytes(entity))['labels'] ?? {}) as Record<string, string>;
}

/** As a copy has it. */
export function keyOf(entity: Entity): string {
  const { namespace, name, uid } = entity;
  const workload = entity.kind === 'Workload' ? { apiVersion: entity.apiVersion, kind: entity.workloadKind } : {};
  return nameOf(entity.kind.toLowerCase(), { namespace, name, uid, ...workload });
}

/** The message of an entity with this key. */
export function decode(key: string, bytes: Uint8Array): Record<string, unknown> {
  const kind = key.split('|')[0] ?? '';
  const type = messageType(`digger.v1.${kind[0]?.toUpperCase()}${kind.slice(1)}`);
  return type.toObject(type.decode(bytes), { enums: String, longs: String });
}
