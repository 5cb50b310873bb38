// `digger container`: whose container it is, by its id or by the uid of its pod.

import type { ContainerOrder } from '../line/orders.ts';
import type { Connection } from './connection.ts';
import type { AskEdge } from './edge.ts';
import { containerLines } from './answer-text.ts';
import { namespaceLines } from './entity-text.ts';
import { EXIT_OK } from './exit-codes.ts';
import { isTable, objectText, shownForm } from './output.ts';
import { OTEL_ATTRIBUTES } from './resolve.ts';
import { toSecondsAndNanos } from '../../wire/seconds-and-nanos.ts';
import type { JsonObject } from '../../wire/proto-json.ts';

/** Rejects with a ServiceError; NOT_FOUND is one. */
export async function container(order: ContainerOrder, connection: Connection, edge: AskEdge): Promise<number> {
  const { subject, waitMs, otel } = order;
  const request = {
    ...subject,
    ...(waitMs === 0 ? {} : { wait: toSecondsAndNanos(waitMs) }),
    ...(otel ? OTEL_ATTRIBUTES : {}),
  };
  const answer = await connection.call('LookupService/ResolveContainer', request, order.connection.timeoutMs + waitMs);
  const resolution = (answer['resolution'] ?? {}) as JsonObject;
  const form = shownForm(order.output, edge);
  if (isTable(form)) {
    const lines = [...containerLines(resolution, form === 'wide')];
    if (form === 'wide') lines.push(...namespaceLines((answer['namespaces'] ?? []) as readonly JsonObject[]));
    edge.stdout.write(`${lines.join('\n')}\n`);
  } else edge.stdout.write(objectText(form, resolution));
  return EXIT_OK;
}
