// `digger resolve ADDRESS`: one question, one answer.

import type { ResolveOrder } from '../line/orders.ts';
import type { AddressAndPort } from '../line/values.ts';
import type { Connection } from './connection.ts';
import type { AskEdge } from './edge.ts';
import { namespaceLines } from './entity-text.ts';
import { resolutionLines } from './answer-text.ts';
import { EXIT_NOT_RESOLVED, EXIT_OK } from './exit-codes.ts';
import { toSecondsAndNanos } from '../../wire/seconds-and-nanos.ts';
import { coloured, isTable, objectText, shownForm } from './output.ts';
import type { JsonObject } from '../../wire/proto-json.ts';

/** The fields of an `AddressQuery`, which a `ResolveAddressRequest` has too. */
export function queryOf(
  { address, port }: AddressAndPort,
  protocol: string | undefined,
  atMs: number | undefined,
  network: string | undefined,
): Record<string, unknown> {
  return {
    address,
    ...(port === undefined ? {} : { port }),
    ...(protocol === undefined ? {} : { protocol }),
    ...(atMs === undefined ? {} : { at: toSecondsAndNanos(atMs) }),
    ...(network === undefined ? {} : { podNetwork: network }),
  };
}

/** The field by which a request asks for resource attributes of OpenTelemetry. */
export const OTEL_ATTRIBUTES = { otelAttributes: { wellKnownLabels: true } };

/** Rejects with a ServiceError. */
export async function resolve(
  order: ResolveOrder,
  question: AddressAndPort,
  connection: Connection,
  edge: AskEdge,
): Promise<number> {
  const { atMs, waitMs, protocol, network, otel } = order;
  const answer = await connection.call(
    'LookupService/ResolveAddress',
    {
      ...queryOf(question, protocol, atMs, network),
      ...(waitMs === 0 ? {} : { wait: toSecondsAndNanos(waitMs) }),
      ...(otel ? OTEL_ATTRIBUTES : {}),
    },
    order.connection.timeoutMs + waitMs,
  );
  const resolution = (answer['resolution'] ?? {}) as JsonObject;
  const isResolved = resolution['outcome'] === 'OUTCOME_RESOLVED';
  const form = shownForm(order.output, edge);
  if (isTable(form)) {
    const [outcome = '', ...rest] = resolutionLines(resolution, form === 'wide');
    if (form === 'wide') rest.push(...namespaceLines((answer['namespaces'] ?? []) as readonly JsonObject[]));
    edge.stdout.write(`${[coloured(outcome, isResolved ? 'green' : 'yellow', edge), ...rest].join('\n')}\n`);
  } else edge.stdout.write(objectText(form, resolution));
  return isResolved ? EXIT_OK : EXIT_NOT_RESOLVED;
}
