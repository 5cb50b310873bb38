// Answers of lookups as lines for people: who holds an address, whose container it is, the history of an address. Takes
// the JSON form of messages; what is unset is left out, never guessed.

import type { JsonObject, JsonValue } from '../../wire/proto-json.ts';
import { addLabels, addPlace, clusterText, containerType, entityRow } from './entity-text.ts';
import { join, named, referenceText, fullName, references, termLines, text, texts, tableLines } from './lines.ts';

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
  add('WORKLOAD', referenceText(resolution['workload']));
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
    const table = candidates.map((each) => [
      targetText(each),
      roleText(each),
      referenceText(each['workload']),
      interval(each),
    ]);
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
  add('POD', fullName(text(pod['namespace']), text(pod['name'])));
  add('UID', text(pod['uid']));
  add('WORKLOAD', referenceText(resolution['workload']));
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
      referenceText(holder['workload']),
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
  return [text(resolution['outcome']).replace('OUTCOME_', ''), target, referenceText(resolution['workload'])];
}

function targetText(holder: JsonObject): string {
  for (const field of ['pod', 'service', 'node']) {
    const target = holder[field];
    if (target === undefined) continue;
    const { kind, namespace, name } = entityRow({ [field]: target });
    return `${kind} ${fullName(namespace, name)}`;
  }
  if (holder['hidden'] === true) return 'hidden';
  const endpoint = holder['externalEndpoint'] as JsonObject | undefined;
  return endpoint === undefined ? '' : `endpoint ${text(endpoint['address'])} of ${referenceText(endpoint['service'])}`;
}

function addAttributes(rows: [string, string][], resolution: JsonObject): void {
  for (const attribute of (resolution['otelAttributes'] ?? []) as readonly JsonObject[]) {
    rows.push(['ATTRIBUTE', `${text(attribute['key'])}=${attributeText(attribute['value'])}`]);
  }
}

/** Of `digger.v1.AttributeValue`. */
function attributeText(value: JsonValue | undefined): string {
  const { stringValue, arrayValue } = (value ?? {}) as JsonObject;
  if (arrayValue === undefined) return text(stringValue);
  return (((arrayValue as JsonObject)['values'] ?? []) as readonly JsonObject[]).map(attributeText).join(',');
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
