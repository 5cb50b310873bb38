// A gRPC server that refuses the first calls of a method with UNAVAILABLE, as a replica does that starts or drains.

import { promisify } from 'node:util';
import { type handleUnaryCall, Server, ServerCredentials, status } from '@grpc/grpc-js';

export async function startFlakyServer({ refusals, method }: { refusals: number; method: string }): Promise<{
  readonly address: string;
  readonly calls: () => number;
  readonly stop: () => void;
}> {
  let calls = 0;
  const bytes = (value: Buffer): Buffer => value;
  const handle: handleUnaryCall<Buffer, Buffer> = (_call, callback) => {
    calls += 1;
    if (calls <= refusals) callback({ code: status.UNAVAILABLE, details: 'draining' });
    else callback(null, Buffer.alloc(0));
  };
  const server = new Server();
  const definition = {
    path: method,
    requestStream: false,
    responseStream: false,
    requestSerialize: bytes,
    requestDeserialize: bytes,
    responseSerialize: bytes,
    responseDeserialize: bytes,
  };
  server.addService({ flaky: definition }, { flaky: handle });
  const bind = promisify(server.bindAsync.bind(server)) as (
    at: string,
    credentials: ServerCredentials,
  ) => Promise<number>;
  const port = await bind('127.0.0.1:0', ServerCredentials.createInsecure());
  return { address: `127.0.0.1:${port}`, calls: () => calls, stop: () => server.forceShutdown() };
}
