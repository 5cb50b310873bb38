// Runs the commands that ask a service: asks, shows, and says by the exit code how it went.
//
// Answers go to stdout and nothing else does; progress and trouble go to stderr.

import type { Order } from '../line/orders.ts';
import { Connection } from './connection.ts';
import { SecurityFileError } from '../../grpc-client/connection-security.ts';
import type { AskEdge } from './edge.ts';
import { EXIT_USAGE } from './exit-codes.ts';
import { container } from './container.ts';
import { get } from './get.ts';
import { history } from './history.ts';
import { resolve } from './resolve.ts';
import { askAll, resolveLines } from './resolve-lines.ts';
import { resolveFromReplica } from './resolve-replica.ts';
import { exitCodeOf, failureText, toServiceError } from './service-error.ts';
import { showStatus } from './status.ts';
import { watch } from './watch.ts';

/** Resolves with the exit code. */
export async function ask(order: Order, edge: AskEdge): Promise<number> {
  try {
    // Awaited below: the connection has to outlive the call.
    using connection = new Connection(order.connection);
    return await run(order, connection, edge);
  } catch (error) {
    if (error instanceof SecurityFileError) {
      edge.stderr.write(`digger: ${error.message}\n`);
      return EXIT_USAGE;
    }
    const failure = toServiceError(error);
    edge.stderr.write(`digger: ${failureText(failure, order.connection.address)}\n`);
    return exitCodeOf(failure.code);
  }
}

/** Rejects with the ServiceError of a call that failed. */
function run(order: Order, connection: Connection, edge: AskEdge): Promise<number> {
  switch (order.command) {
    case 'resolve':
      if (order.question !== undefined) return resolve(order, order.question, connection, edge);
      if (order.replica) return resolveFromReplica(order, edge);
      return resolveLines(order, (lines) => askAll(lines, order, connection), edge);
    case 'history':
      return history(order, connection, edge);
    case 'get':
      return get(order, connection, edge);
    case 'container':
      return container(order, connection, edge);
    case 'watch':
      return watch(order, connection, edge);
    case 'status':
      return showStatus(order, connection, edge);
  }
}
