// Entities and answers as lines for people. Takes the JSON form of messages; what is unset is left out, never guessed.

import type { JsonObject, JsonValue } from '../../wire/proto-json.ts';

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
          of(object['workload']),
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

/** The JSON form of digger.v1.Resolution as lines of `TERM  text`, without line ends; `wide`: with labels. */
export function resolutionLines(resolution: JsonObject, wide = false): readonly string[] {
  const rows: [string, string][] = [['OUTCOME', text(resolution['outcome']).replace('OUTCOME_', '')]];
  const add = (term: string, value: string): void => {
    if (value !== '') rows.push([term, value]);
  };
  add('TARGET', targetText(resolution));
  const pod = (resolution['pod'] ?? {}) as JsonObject;
  add('ROLE', roleText(resolution));
  add('NETWORK', text(resolution['podNetwork']) || networkText(resolution['network']));
  add('WORKLOAD', of(resolution['workload']));
  add('NODE', text(pod['nodeName']));
  if (wide) addPlace(add, pod);
  add('SERVICES', references(pod['services']).join(', '));
  add('HELD', interval(resolution));
  add('HISTORY', named('since', resolution['historySince']));
  if (resolution['uncertain'] === true) add('UNCERTAIN', 'another object may have held it');
  add('STALENESS', text(resolution['staleness']));
  if (wide) add('CLUSTER', clusterText(resolution['cluster']));
  if (wide) addLabels(rows, (resolution['pod'] ?? resolution['service'] ?? resolution['node'] ?? {}) as JsonObject);
  addAttributes(rows, resolution);
  const lines = termLines(rows);
  const candidates = (resolution['candidates'] ?? []) as readonly JsonObject[];
  if (candidates.length > 0) {
    const table = candidates.map((each) => [targetText(each), roleText(each), of(each['workload']), interval(each)]);
    lines.push('', ...tableLines(['CANDIDATE', 'ROLE', 'WORKLOAD', 'HELD'], table));
  }
  return lines;
}

/** The JSON form of digger.v1.ContainerResolution as lines of `TERM  text`; `wide`: with labels. */
export function containerLines(resolution: JsonObject, wide = false): readonly string[] {
  const rows: [string, string][] = [];
  const add = (term: string, value: string): void => {
    if (value !== '') rows.push([term, value]);
  };
  const pod = (resolution['pod'] ?? {}) as JsonObject;
  const container = resolution['container'] as JsonObject | undefined;
  if (container !== undefined) add('CONTAINER', join(text(container['name']), containerType(container)));
  add('ID', text(resolution['containerId']));
  if (container !== undefined) add('IMAGE', text(container['image']));
  add('POD', path(text(pod['namespace']), text(pod['name'])));
  add('UID', text(pod['uid']));
  add('WORKLOAD', of(resolution['workload']));
  add('NODE', text(pod['nodeName']));
  add('ADDRESSES', texts(pod['addresses']).join(','));
  if (wide) addPlace(add, pod);
  if (resolution['ended'] === true) add('ENDED', 'yes');
  add('REMOVED', text(resolution['removalTime']));
  add('STALENESS', text(resolution['staleness']));
  if (wide) add('CLUSTER', clusterText(resolution['cluster']));
  if (wide) addLabels(rows, pod);
  addAttributes(rows, resolution);
  return termLines(rows);
}

/** The JSON form of digger.v1.GetAddressTimelineResponse as a line through time, newest first. */
export function historyLines(history: JsonObject): readonly string[] {
  const intervals = (history['intervals'] ?? []) as readonly JsonObject[];
  const rows = intervals.flatMap((each, index) => {
    const holders = (each['holders'] ?? []) as readonly JsonObject[];
    const outcome = text(each['outcome']).replace('OUTCOME_', '');
    const to = text(each['to']) || 'now';
    const first = [index === 0 ? '●' : holders.length === 0 ? '┊' : '│', text(each['from']), to];
    if (holders.length === 0) return [[...first, outcome, '', '']];
    return holders.map((holder, at) => [
      ...(at === 0 ? first : ['│', '', '']),
      `${targetText(holder)}${holder['uncertain'] === true ? ' ?' : ''}`,
      roleText(holder),
      of(holder['workload']),
    ]);
  });
  const lines = [...tableLines(['', 'FROM', 'TO', 'HOLDER', 'ROLE', 'WORKLOAD'], rows)];
  const since = text(history['historySince']);
  if (since !== '') lines.push('', `Nothing is known of before ${since}.`);
  if (rows.some(([, , , holder]) => holder?.endsWith(' ?'))) lines.push('?: another object may have held it.');
  return lines;
}

/** The cells of a resolution in a table of many: outcome, target or the name of its network, workload. */
export function resolutionRow(resolution: JsonObject): readonly string[] {
  const target = targetText(resolution) || networkText(resolution['network']);
  return [text(resolution['outcome']).replace('OUTCOME_', ''), target, of(resolution['workload'])];
}

/** One row of a table whose longest cells are not known yet. */
export function rowLine(cells: readonly string[]): string {
  return cells
    .map((cell, column) => cell.padEnd(ROW_WIDTHS[column] ?? 0))
    .join('  ')
    .trimEnd();
}

/**
 * `entity`: the JSON form of digger.v1.Entity, as lines of `TERM text`; `wide`: with labels, annotations and
 * containers.
 */
export function entityLines(entity: JsonObject, wide: boolean): readonly string[] {
  const { kind, namespace, name, detail } = entityRow(entity);
  const [object = {}] = Object.values(entity) as JsonObject[];
  const rows: [string, string][] = [[kind.toUpperCase() || 'OBJECT', path(namespace, name)]];
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

/** Columns as wide as their widest cell; the last one is not padded. */
export function tableLines(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

const TERM_WIDTH = 'UNCERTAIN'.length;

/** Address with a port, outcome, target, workload: most names fit. */
const ROW_WIDTHS = [21, 10, 44];

function termLines(rows: readonly (readonly [string, string])[]): string[] {
  return rows.map(([term, value]) => `${term.padEnd(TERM_WIDTH)}  ${value}`);
}

/** Where a pod or a node is, and who a pod is to the API server. */
function addPlace(add: (term: string, value: string) => void, object: JsonObject): void {
  add('ZONE', join(text(object['zone']), named('region', object['region'])));
  add('ACCOUNT', text(object['serviceAccount']));
  if (object['ready'] === true) add('READY', 'yes');
}

function addLabels(rows: [string, string][], object: JsonObject): void {
  for (const [term, field] of [
    ['LABEL', 'labels'],
    ['NOTE', 'annotations'],
  ] as const) {
    for (const [key, value] of Object.entries((object[field] ?? {}) as JsonObject)) {
      rows.push([term, `${text(key)}=${text(value)}`]);
    }
  }
}

function targetText(holder: JsonObject): string {
  for (const field of ['pod', 'service', 'node']) {
    const target = holder[field];
    if (target === undefined) continue;
    const { kind, namespace, name } = entityRow({ [field]: target });
    return `${kind} ${path(namespace, name)}`;
  }
  if (holder['hidden'] === true) return 'hidden';
  const endpoint = holder['externalEndpoint'] as JsonObject | undefined;
  return endpoint === undefined ? '' : `endpoint ${text(endpoint['address'])} of ${of(endpoint['service'])}`;
}

function addAttributes(rows: [string, string][], resolution: JsonObject): void {
  for (const attribute of (resolution['otelAttributes'] ?? []) as readonly JsonObject[]) {
    rows.push(['ATTRIBUTE', `${text(attribute['key'])}=${attributeText(attribute['value'])}`]);
  }
}

/** `sidecar`, `init`, `ephemeral`; nothing of an ordinary one. */
function containerType(container: JsonObject): string {
  return text(container['type']).replace('CONTAINER_TYPE_', '').replace('UNSPECIFIED', '').toLowerCase();
}

/** Of `digger.v1.AttributeValue`. */
function attributeText(value: JsonValue | undefined): string {
  const { stringValue, arrayValue } = (value ?? {}) as JsonObject;
  if (arrayValue === undefined) return text(stringValue);
  return (((arrayValue as JsonObject)['values'] ?? []) as readonly JsonObject[]).map(attributeText).join(',');
}

/** `prod-eu-1 (uid 5d0b5d5e-…)`, whatever of it is known; empty: nothing. */
export function clusterText(value: JsonValue | undefined): string {
  const { name, uid } = (value ?? {}) as JsonObject;
  if (text(uid) === '') return text(name);
  return text(name) === '' ? `uid ${text(uid)}` : `${text(name)} (uid ${text(uid)})`;
}

/** `S3 (aws, eu-west-1) 52.218.0.0/17` of a named range. */
function networkText(value: JsonValue | undefined): string {
  if (value === undefined) return '';
  const { name, kind, zone, region, range } = value as JsonObject;
  const more = [kind, zone, region].map(text).filter((part) => part !== '');
  return join(`${text(name)}${more.length === 0 ? '' : ` (${more.join(', ')})`}`, text(range));
}

function roleText(holder: JsonObject): string {
  return text(holder['role']).replace('ADDRESS_ROLE_', '');
}

function interval(holder: JsonObject): string {
  const from = text(holder['validFrom']);
  return from === '' ? '' : `${from} – ${text(holder['validTo']) || 'now'}`;
}

/** `Deployment shop/web` of a reference or a workload. */
function of(reference: JsonValue | undefined): string {
  if (reference === undefined) return '';
  const { kind, namespace, name, incomplete, hidden } = reference as JsonObject;
  if (hidden === true) return 'hidden';
  return `${text(kind)} ${path(text(namespace), text(name))}${incomplete === true ? ' (incomplete)' : ''}`;
}

function references(value: JsonValue | undefined): readonly string[] {
  return ((value ?? []) as readonly JsonObject[]).map(of);
}

function nodeAddresses(node: JsonObject): string {
  const addresses = (node['addresses'] ?? []) as readonly JsonObject[];
  return addresses
    .filter(({ type }) => text(type).endsWith('IP'))
    .map(({ address }) => text(address))
    .join(',');
}

function path(namespace: string, name: string): string {
  return namespace === '' ? name : `${namespace}/${name}`;
}

function named(term: string, value: JsonValue | undefined): string {
  return value === undefined || value === '' ? '' : `${term} ${text(value)}`;
}

function join(...parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join('  ');
}

function text(value: JsonValue | undefined): string {
  return typeof value === 'string' || typeof value === 'number' ? printable(String(value)) : '';
}

function texts(value: JsonValue | undefined): readonly string[] {
  return ((value ?? []) as readonly string[]).map(printable);
}

// Kubernetes lets none of these into names, but what prints to a terminal should not have to trust its source.
function printable(value: string): string {
  // oxlint-disable-next-line no-control-regex
  return value.replace(/[\u0000-\u001f\u007f-\u009f]/g, '�');
}
