// `digger get`: one object by name.

import type { GetOrder } from '../line/orders.ts';
import type { Connection } from './connection.ts';
import type { AskEdge } from './edge.ts';
import { entityLines, namespaceLines } from './entity-text.ts';
import { EXIT_OK } from './exit-codes.ts';
import { toSecondsAndNanos } from '../../wire/seconds-and-nanos.ts';
import { isTable, objectText, shownForm } from './output.ts';
import type { JsonObject } from '../../wire/proto-json.ts';

/** Rejects with a ServiceError; NOT_FOUND is one. */
export async function get(order: GetOrder, connection: Connection, edge: AskEdge): Promise<number> {
  const { kind, object, namespace, waitMs } = order;
  const request = {
    name: object.name,
    ...(kind === 'node' || kind === 'namespace' ? {} : { namespace }),
    ...(kind === 'workload' ? { kind: object.kind, apiGroup: object.group } : {}),
    ...(waitMs === 0 ? {} : { wait: toSecondsAndNanos(waitMs) }),
  };
  const method = `LookupService/Get${kind.charAt(0).toUpperCase()}${kind.slice(1)}`;
  const answer = await connection.call(method, request, order.connection.timeoutMs + waitMs);
  const entity = (answer[kind] ?? {}) as JsonObject;
  const form = shownForm(order.output, edge);
  if (isTable(form)) {
    const lines = [...entityLines({ [kind]: entity }, form === 'wide')];
    if (form === 'wide' && kind !== 'namespace') lines.push(...namespaceLines([answer['namespace']]));
    edge.stdout.write(`${lines.join('\n')}\n`);
  } else edge.stdout.write(objectText(form, entity));
  if (answer['staleness'] !== undefined)
    edge.stderr.write(`digger: the picture may be ${String(answer['staleness'])} old\n`);
  return EXIT_OK;
}
