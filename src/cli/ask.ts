// Runs `digger resolve` and `digger watch`: asks, shows, and says by the exit code how it went.
//
// Answers go to stdout and nothing else does; progress and trouble go to stderr.

import type { ResolveOrder, WatchOrder } from './ask-line.ts';
import { Connection } from './connection.ts';
import { SecurityFileError } from './connection-security.ts';
import type { AskEdge } from './edge.ts';
import { resolutionLines } from './entity-text.ts';
import { EXIT_NOT_RESOLVED, EXIT_OK, EXIT_USAGE, exitCodeOf } from './exit-codes.ts';
import type { JsonObject } from './proto-json.ts';
import { failureText, toServiceError } from './service-error.ts';
import { watch } from './watch.ts';

/** Resolves with the exit code. */
export async function ask(order: ResolveOrder | WatchOrder, edge: AskEdge): Promise<number> {
  try {
    // Awaited below: the connection has to outlive the call.
    using connection = new Connection(order.connection);
    switch (order.command) {
      case 'resolve':
        return await resolve(order, connection, edge);
      case 'watch':
        return await watch(order, connection, edge);
    }
  } catch (error) {
    if (!(error instanceof SecurityFileError)) throw error;
    edge.stderr.write(`digger: ${error.message}\n`);
    return EXIT_USAGE;
  }
}

async function resolve(order: ResolveOrder, connection: Connection, { stdout, stderr }: AskEdge): Promise<number> {
  const { question, atMs, waitMs, protocol } = order;
  let answer: JsonObject;
  try {
    answer = await connection.call(
      'LookupService/ResolveAddress',
      {
        address: question.address,
        ...(question.port === undefined ? {} : { port: question.port }),
        ...(protocol === undefined ? {} : { protocol }),
        ...(atMs === undefined ? {} : { at: secondsAndNanos(atMs) }),
        ...(waitMs === 0 ? {} : { wait: secondsAndNanos(waitMs) }),
      },
      order.connection.timeoutMs + waitMs,
    );
  } catch (thrown) {
    const error = toServiceError(thrown);
    stderr.write(`digger: ${failureText(error, order.connection.address)}\n`);
    return exitCodeOf(error.code);
  }
  const resolution = (answer['resolution'] ?? {}) as JsonObject;
  const table = order.output === 'table' || (order.output === 'auto' && stdout.isTTY === true);
  stdout.write(table ? `${resolutionLines(resolution).join('\n')}\n` : `${JSON.stringify(resolution)}\n`);
  return resolution['outcome'] === 'OUTCOME_RESOLVED' ? EXIT_OK : EXIT_NOT_RESOLVED;
}

/** google.protobuf.Timestamp and Duration. */
function secondsAndNanos(ms: number): { readonly seconds: number; readonly nanos: number } {
  const seconds = Math.floor(ms / 1000);
  return { seconds, nanos: Math.round((ms - seconds * 1000) * 1e6) };
}
