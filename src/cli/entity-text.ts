// Entities and answers as lines for people. Takes the JSON form of messages; what is unset is left out, never guessed.

import type { JsonObject, JsonValue } from './proto-json.ts';

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
        detail: join(texts(object['clusterAddresses']).join(','), references(object['workloads']).join(', ')),
      };
    case 'node':
      return { ...base, kind: 'Node', detail: join(nodeAddresses(object), named('zone', object['zone'])) };
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

/** The JSON form of digger.v1.Resolution as lines of `TERM  text`, without line ends. */
export function resolutionLines(resolution: JsonObject): readonly string[] {
  const rows: [string, string][] = [['OUTCOME', text(resolution['outcome']).replace('OUTCOME_', '')]];
  const add = (term: string, value: string): void => {
    if (value !== '') rows.push([term, value]);
  };
  add('TARGET', targetText(resolution));
  const pod = (resolution['pod'] ?? {}) as JsonObject;
  add('ROLE', roleText(resolution));
  add('WORKLOAD', of(resolution['workload']));
  add('NODE', text(pod['nodeName']));
  add('SERVICES', references(pod['services']).join(', '));
  add('HELD', interval(resolution));
  add('HISTORY', named('since', resolution['historySince']));
  if (resolution['uncertain'] === true) add('UNCERTAIN', 'a watch was down when the claim began or ended');
  add('STALENESS', text(resolution['staleness']));
  const lines = rows.map(([term, value]) => `${term.padEnd(TERM_WIDTH)}  ${value}`);
  const candidates = (resolution['candidates'] ?? []) as readonly JsonObject[];
  if (candidates.length > 0) {
    const table = candidates.map((each) => [targetText(each), roleText(each), of(each['workload']), interval(each)]);
    lines.push('', ...tableLines(['CANDIDATE', 'ROLE', 'WORKLOAD', 'HELD'], table));
  }
  return lines;
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

function targetText(holder: JsonObject): string {
  for (const field of ['pod', 'service', 'node']) {
    const target = holder[field];
    if (target === undefined) continue;
    const { kind, namespace, name } = entityRow({ [field]: target });
    return `${kind} ${path(namespace, name)}`;
  }
  const endpoint = holder['externalEndpoint'] as JsonObject | undefined;
  return endpoint === undefined ? '' : `endpoint ${text(endpoint['address'])} of ${of(endpoint['service'])}`;
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
  const { kind, namespace, name, incomplete } = reference as JsonObject;
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

// Kubernetes lets none of these into names, but what prints to a terminal should not have to trust anybody.
function printable(value: string): string {
  // oxlint-disable-next-line no-control-regex
  return value.replace(/[\u0000-\u001f\u007f-\u009f]/g, '�');
}
