// `digger history ADDRESS`: who was behind an address, drawn as a line through time, newest first.

import type { HistoryOrder } from '../line/orders.ts';
import type { Connection } from './connection.ts';
import type { AskEdge } from './edge.ts';
import { historyLines } from './answer-text.ts';
import { EXIT_NOT_RESOLVED, EXIT_OK } from './exit-codes.ts';
import { isTable, objectText, shownForm } from './output.ts';
import type { JsonObject } from '../../wire/proto-json.ts';
import { queryOf } from './resolve.ts';

/** Rejects with a ServiceError. */
export async function history(order: HistoryOrder, connection: Connection, edge: AskEdge): Promise<number> {
  const answer = await connection.call(
    'LookupService/GetAddressTimeline',
    { ...queryOf(order.question, order.protocol, undefined, order.network), view: 'VIEW_BASIC' },
    order.connection.timeoutMs,
  );
  const form = shownForm(order.output, edge);
  edge.stdout.write(isTable(form) ? `${historyLines(answer).join('\n')}\n` : objectText(form, answer));
  const intervals = (answer['intervals'] ?? []) as readonly JsonObject[];
  return intervals.some(({ outcome }) => outcome === 'OUTCOME_RESOLVED') ? EXIT_OK : EXIT_NOT_RESOLVED;
}
