// `digger resolve --replica -`: addresses from standard input, answered from a copy in this process of what the service
// knows. The first line is answered when the copy is complete.

import type { ServiceError } from '@grpc/grpc-js';
import { QuestionError } from '../../client/question.ts';
import { Replica } from '../../client/replica.ts';
import { resolutionJson } from '../../client/resolution-json.ts';
import type { JsonObject } from '../../wire/proto-json.ts';
import { parseIp } from '../../model/ip/ip.ts';
import type { Protocol } from '../../model/entities.ts';
import type { ResolveOrder } from '../line/orders.ts';
import { createChannelCredentials } from '../../grpc-client/connection-credentials.ts';
import { readToken } from '../../grpc-client/connection-security.ts';
import type { AskEdge } from './edge.ts';
import { type AskedLine, resolveLines } from './resolve-lines.ts';

/** Rejects with a ServiceError when the service refuses to be followed, or is away for longer than the timeout. */
export async function resolveFromReplica(order: ResolveOrder, edge: AskEdge): Promise<number> {
  const { address, security, timeoutMs } = order.connection;
  const tokenPath = security?.tokenPath;
  using replica = new Replica({
    targets: [address],
    credentials: createChannelCredentials(security),
    ...(tokenPath === undefined ? {} : { token: () => readToken(tokenPath) }),
  });
  await untilReady(replica, timeoutMs);
  return await resolveLines(order, (lines) => lines.map((line) => answer(line, order, replica)), edge);
}

function answer({ question, atMs }: AskedLine, { protocol, network }: ResolveOrder, replica: Replica): JsonObject {
  const { address, port } = question;
  try {
    const found = replica.resolve({
      address,
      port,
      protocol: protocol?.replace('PROTOCOL_', '') as Protocol | undefined,
      at: atMs,
      podNetwork: network,
    });
    return { resolution: resolutionJson(parseIp(address) ?? address, found, replica) };
  } catch (error) {
    if (!(error instanceof QuestionError)) throw error;
    // google.rpc.Code.INVALID_ARGUMENT, as the service says it of an item of a batch.
    return { error: { code: 3, message: error.message } };
  }
}

/** As long as frames come the copy is on its way; without one for the timeout the last failure is told. */
function untilReady(replica: Replica, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let failure: Pick<ServiceError, 'code' | 'details'> | undefined;
    const end = (action: () => void): void => {
      clearInterval(timer);
      replica.off('failover', onFailover);
      action();
    };
    const giveUp = (): void => {
      const { code = 4, details = 'the picture is not complete in time' } = failure ?? {};
      end(() => reject(Object.assign(new Error(details), { code, details, metadata: undefined })));
    };
    const onFailover = ({ code, message, isFinal }: { code: number; message: string; isFinal: boolean }): void => {
      failure = { code, details: message.replace(/^[A-Z_]+: /, '') };
      if (isFinal) giveUp();
    };
    replica.on('failover', onFailover);
    const timer = setInterval(() => {
      if (replica.silentForMs > timeoutMs) giveUp();
    }, 100);
    replica.ready().then(
      () => end(resolve),
      () => {},
    );
  });
}
