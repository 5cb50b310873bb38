// Entities as lines for people: one line of a table, or lines of terms. Takes the JSON form of messages; what is unset
// is left out, never guessed.

import type { JsonObject, JsonValue } from '../../wire/proto-json.ts';
import { join, named, referenceText, fullName, references, termLines, text, texts } from './lines.ts';

/** An entity, or what is left of one, as one line of a table. */
export interface EntityRow {
  readonly kind: string;
  /** Empty for what belongs to no namespace. */
  readonly namespace: string;
  readonly name: string;
  readonly detail: string;
}

/** `entity`: the JSON form of digger.v1.Entity. */
export function entityRow(entity: JsonObject): EntityRow {
  const [[field, value] = ['', {}]] = Object.entries(entity);
  const object = value as JsonObject;
  const base = { namespace: text(object['namespace']), name: text(object['name']) };
  switch (field) {
    case 'pod':
      return {
        ...base,
        kind: 'Pod',
        detail: join(
          texts(object['addresses']).join(','),
          named('node', object['nodeName']),
          text(object['phase']).replace('POD_PHASE_', '').toLowerCase(),
          referenceText(object['workload']),
        ),
      };
    case 'service':
      return {
        ...base,
        kind: 'Service',
        detail: join(
          texts(object['clusterAddresses']).join(','),
          named('alias of', object['externalName']),
          references(object['workloads']).join(', '),
        ),
      };
    case 'node':
      return { ...base, kind: 'Node', detail: join(nodeAddresses(object), named('zone', object['zone'])) };
    case 'namespace':
      return { ...base, kind: 'Namespace', detail: object['deletionTime'] === undefined ? '' : 'terminating' };
    default:
      return { ...base, kind: text(object['kind']), detail: object['incomplete'] === true ? 'incomplete' : '' };
  }
}

/** `removal`: the JSON form of digger.v1.Removal. */
export function removalRow(removal: JsonObject): EntityRow {
  const kind = text(removal['kind']).replace('ENTITY_KIND_', '').toLowerCase();
  return {
    kind: text(removal['workloadKind']) || kind.charAt(0).toUpperCase() + kind.slice(1),
    namespace: text(removal['namespace']),
    name: text(removal['name']),
    detail: '',
  };
}

/**
 * `entity`: the JSON form of digger.v1.Entity, as lines of `TERM text`; `wide`: with labels, annotations and
 * containers.
 */
export function entityLines(entity: JsonObject, wide: boolean): readonly string[] {
  const { kind, namespace, name, detail } = entityRow(entity);
  const [object = {}] = Object.values(entity) as JsonObject[];
  const rows: [string, string][] = [[kind.toUpperCase() || 'OBJECT', fullName(namespace, name)]];
  const add = (term: string, value: string): void => {
    if (value !== '') rows.push([term, value]);
  };
  add('UID', text(object['uid']));
  add('IS', detail);
  add('SERVICES', references(object['services']).join(', '));
  add('WORKLOADS', references(object['workloads']).join(', '));
  const names = texts(object['loadBalancerHostnames']);
  add('BALANCER', [...texts(object['loadBalancerAddresses']), ...names].join(', '));
  add('OWNERS', references(object['ownerChain']).join(', '));
  add('STARTED', text(object['startTime']));
  if (wide) {
    addPlace(add, object);
    addLabels(rows, object);
    for (const network of (object['networks'] ?? []) as readonly JsonObject[]) {
      const addresses = texts(network['addresses']).join(',');
      rows.push(['NETWORK', join(text(network['name']), addresses, text(network['interface']))]);
    }
    const containers = [...((object['containers'] ?? []) as readonly JsonObject[])];
    containers.push(...((object['otherContainers'] ?? []) as readonly JsonObject[]));
    for (const container of containers) {
      const digests = (object['imageDigests'] ?? {}) as JsonObject;
      const name = text(container['name']);
      rows.push(['CONTAINER', join(name, containerType(container), text(container['image']), text(digests[name]))]);
    }
  }
  return termLines(rows);
}

/** The labels of namespaces, as lines of `TERM  text`; unset ones are not known. */
export function namespaceLines(namespaces: readonly (JsonValue | undefined)[]): readonly string[] {
  return namespaces.flatMap((namespace) => {
    const { name, labels = {} } = (namespace ?? {}) as JsonObject;
    const of = namespaces.length > 1 ? ` of ${text(name)}` : '';
    return termLines(
      Object.entries(labels as JsonObject).map(([key, value]) => ['NAMESPACE', `${text(key)}=${text(value)}${of}`]),
    );
  });
}

/** Where a pod or a node is, and who a pod is to the API server. */
export function addPlace(add: (term: string, value: string) => void, object: JsonObject): void {
  add('ZONE', join(text(object['zone']), named('region', object['region'])));
  add('ACCOUNT', text(object['serviceAccount']));
  if (object['ready'] === true) add('READY', 'yes');
}

export function addLabels(rows: [string, string][], object: JsonObject): void {
  for (const [term, field] of [
    ['LABEL', 'labels'],
    ['NOTE', 'annotations'],
  ] as const) {
    for (const [key, value] of Object.entries((object[field] ?? {}) as JsonObject)) {
      rows.push([term, `${text(key)}=${text(value)}`]);
    }
  }
}

/** `sidecar`, `init`, `ephemeral`; nothing of an ordinary one. */
export function containerType(container: JsonObject): string {
  return text(container['type']).replace('CONTAINER_TYPE_', '').replace('UNSPECIFIED', '').toLowerCase();
}

/** `prod-eu-1 (uid 5d0b5d5e-…)`, whatever of it is known; empty: nothing. */
export function clusterText(value: JsonValue | undefined): string {
  const { name, uid } = (value ?? {}) as JsonObject;
  if (text(uid) === '') return text(name);
  return text(name) === '' ? `uid ${text(uid)}` : `${text(name)} (uid ${text(uid)})`;
}

function nodeAddresses(node: JsonObject): string {
  const addresses = (node['addresses'] ?? []) as readonly JsonObject[];
  return addresses
    .filter(({ type }) => text(type).endsWith('IP'))
    .map(({ address }) => text(address))
    .join(',');
}
