// A server of the change feed that says what a test wants it to say.

import { Server, ServerCredentials, type ServerWritableStream } from '@grpc/grpc-js';
import { messageType } from '../../src/wire/schema.ts';

const WatchRequest = messageType('digger.v1.WatchRequest');
const WatchResponse = messageType('digger.v1.WatchResponse');

/** A stream, as the test answers it. */
export interface FakeStream {
  /** `digger.v1.WatchRequest`. */
  readonly request: Readonly<Record<string, unknown>>;
  /** `digger.v1.WatchResponse`, as protobufjs makes it. */
  send(frame: object): void;
  /** Ends it with a status. */
  fail(code: number, details: string): void;
}

export class FakeFeed implements AsyncDisposable {
  readonly address: string;
  readonly #server: Server;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.address = `127.0.0.1:${port}`;
  }

  static async start(onStream: (stream: FakeStream) => void): Promise<FakeFeed> {
    const server = new Server();
    const pass = (bytes: Buffer): Buffer => bytes;
    server.addService(
      {
        Watch: {
          path: '/digger.v1.ChangeFeedService/Watch',
          requestStream: false,
          responseStream: true,
          requestSerialize: pass,
          requestDeserialize: pass,
          responseSerialize: pass,
          responseDeserialize: pass,
        },
      },
      {
        Watch: (call: ServerWritableStream<Buffer, Buffer>) => {
          onStream({
            request: WatchRequest.toObject(WatchRequest.decode(call.request)),
            send: (frame) => call.write(Buffer.from(WatchResponse.encode(WatchResponse.create(frame)).finish())),
            fail: (code, details) => call.emit('error', { code, details }),
          });
        },
      },
    );
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      );
    });
    return new FakeFeed(server, port);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.forceShutdown();
  }
}
