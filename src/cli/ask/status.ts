// `digger status`: how a running service is doing, as a table for people or the message itself.

import type { StatusOrder } from '../line/orders.ts';
import type { Connection } from './connection.ts';
import type { AskEdge } from './edge.ts';
import { clusterText } from './entity-text.ts';
import { tableLines } from './lines.ts';
import { EXIT_OK, EXIT_UNREACHABLE } from './exit-codes.ts';
import { coloured, isTable, objectText, shownForm } from './output.ts';
import type { JsonObject, JsonValue } from '../../wire/proto-json.ts';

/** Ends with EXIT_UNREACHABLE while the service is not ready. Rejects with a ServiceError. */
export async function showStatus(order: StatusOrder, connection: Connection, edge: AskEdge): Promise<number> {
  const status = await connection.call('StatusService/GetStatus', {}, order.connection.timeoutMs);
  const form = shownForm(order.output, edge);
  if (isTable(form)) {
    const now = edge.nowMs?.() ?? Date.now();
    edge.stdout.write(`${statusLines(status, now, form === 'wide', edge).join('\n')}\n`);
  } else edge.stdout.write(objectText(form, status));
  return status['ready'] === true ? EXIT_OK : EXIT_UNREACHABLE;
}

function statusLines(status: JsonObject, nowMs: number, wide: boolean, edge: AskEdge): readonly string[] {
  const isReady = status['ready'] === true;
  const pending = (status['pending'] ?? []) as readonly string[];
  const namespaces = (status['namespaces'] ?? []) as readonly string[];
  const lines = [
    coloured(isReady ? 'ready' : 'not ready', isReady ? 'green' : 'red', edge) +
      `, digger ${text(status['version'])}, started ${age(status['startTime'], nowMs)} ago`,
    ...pending.map((each) => `waits for  ${each}`),
  ];
  const credentials = text(status['credentialsMessage']);
  if (credentials !== '') lines.push(coloured(`credentials: ${credentials}`, 'yellow', edge));
  const cluster = clusterText(status['cluster']);
  const clusterProblem = text(status['clusterMessage']);
  if (cluster !== '') lines.push(`cluster ${cluster}`);
  if (clusterProblem !== '') lines.push(coloured(`uid of the cluster: ${clusterProblem}`, 'yellow', edge));
  if (status['staleness'] !== undefined) lines.push(coloured(`stale by ${text(status['staleness'])}`, 'yellow', edge));
  if (status['historySince'] !== undefined) lines.push(`history since ${text(status['historySince'])}`);
  lines.push(...inheritedLines(status['inheritedHistory'] as JsonObject | undefined, edge));
  if (namespaces.length > 0) lines.push(`namespaces ${namespaces.join(', ')}`);
  for (const file of (status['namedRanges'] ?? []) as readonly JsonObject[]) {
    const problem = text(file['message']).split('\n')[0] ?? '';
    lines.push(
      `named ranges ${text(file['path'])}: ${text(file['ranges']) || '0'}, written ${age(file['modifiedTime'], nowMs)} ago`,
      ...(problem === '' ? [] : [coloured(`  not taken: ${problem}`, 'yellow', edge)]),
    );
  }
  const balancers = status['loadBalancerNames'] as JsonObject | undefined;
  if (balancers !== undefined) {
    const [names, addresses, failing, leftOut] = ['names', 'addresses', 'failing', 'leftOut'].map(
      (field) => text(balancers[field]) || '0',
    );
    lines.push(`load balancers by name: ${names}, with ${addresses} addresses`);
    const problem = text(balancers['message']);
    if (failing !== '0') lines.push(coloured(`  not resolved: ${failing}; ${problem}`, 'yellow', edge));
    if (leftOut !== '0') lines.push(coloured(`  left out: ${leftOut}`, 'yellow', edge));
  }
  lines.push(`${text(status['subscribers']) || '0'} subscribers, sequence ${text(status['sequence']) || '0'}`, '');
  const head = [
    'RESOURCE',
    'SYNCED',
    'STATE',
    'OBJECTS',
    'LAST CONTACT',
    ...(wide ? ['LAST CHANGE', 'LISTS', 'RESTARTS'] : []),
    'MESSAGE',
  ];
  const resources = (status['resources'] ?? []) as readonly JsonObject[];
  const rows = resources.map((resource) => [
    text(resource['resource']),
    resource['synced'] === true ? 'yes' : resource['required'] === true ? 'no' : 'no (optional)',
    text(resource['state']).replace('WATCH_STATE_', '').toLowerCase().replaceAll('_', '-'),
    text(resource['objects']) || '0',
    age(resource['lastContact'], nowMs),
    ...(wide
      ? [age(resource['lastChange'], nowMs), text(resource['lists']) || '0', text(resource['watchRestarts']) || '0']
      : []),
    text(resource['message']),
  ]);
  return [...lines, ...tableLines(head, rows)];
}

function inheritedLines(history: JsonObject | undefined, edge: AskEdge): readonly string[] {
  if (history === undefined) return [];
  const from = text(history['from']);
  if (from === '') return [coloured(`history of siblings not taken over: ${text(history['message'])}`, 'yellow', edge)];
  return [`  of it before ${text(history['ownSince'])} from ${from}, ${text(history['claims']) || '0'} ended claims`];
}

/** `3s`, `5m`, `2h`; `never` when unset. */
function age(moment: JsonValue | undefined, nowMs: number): string {
  if (typeof moment !== 'string') return 'never';
  const seconds = Math.max(0, Math.round((nowMs - Date.parse(moment)) / 1000));
  if (seconds < 120) return `${seconds}s`;
  return seconds < 7_200 ? `${Math.round(seconds / 60)}m` : `${Math.round(seconds / 3_600)}h`;
}

function text(value: JsonValue | undefined): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}
