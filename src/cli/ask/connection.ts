// A client's connection to a running service, and the calls that the commands for people make on it.
//
// Bytes in, bytes out: messages are made and read through the same .proto files as the service's. TLS and the token are
// the business of src/grpc-client/connection-security.ts; no command knows of them.

import { type ClientReadableStream, Client, type ServiceError } from '@grpc/grpc-js';
import { messageType } from '../../wire/schema.ts';
import { createCallMetadata, createChannelCredentials } from '../../grpc-client/connection-credentials.ts';
import type { ConnectionSecurity } from '../../grpc-client/connection-security.ts';
import { decodeToJson, type JsonObject } from '../../wire/proto-json.ts';

/** Where the service is, and how long it may take. */
export interface ConnectionOptions {
  /** `127.0.0.1:50051`, `digger.example:50051`, `[::1]:50051`. */
  readonly address: string;
  /** For an answer, a wait that was asked for not included. */
  readonly timeoutMs: number;
  /** Unset: plaintext, and nothing to show. */
  readonly security?: ConnectionSecurity;
}

export class Connection implements Disposable {
  readonly #client: Client;
  readonly #security: ConnectionSecurity | undefined;

  /** Throws a SecurityFileError. */
  constructor({ address, security }: ConnectionOptions) {
    this.#security = security;
    this.#client = new Client(address, createChannelCredentials(security), {
      // A frame of a snapshot, or a batch of large entities, may exceed the default of 4 MiB.
      'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
      // A person waits: try again soon.
      'grpc.max_reconnect_backoff_ms': 2_000,
      // grpc-js goes through `http_proxy` of the environment. A proxy on the way would read a call in plaintext, token
      // and all, and "this machine" would be the proxy's; TLS goes through it sealed.
      'grpc.enable_http_proxy': security?.tls === true ? 1 : 0,
    });
  }

  /** `method`: `LookupService/ResolveAddress`. Rejects with a ServiceError, or with a SecurityFileError. */
  call(method: string, request: Record<string, unknown>, timeoutMs: number): Promise<JsonObject> {
    const [type, path] = [typeOf(method), `/digger.v1.${method}`];
    return new Promise((resolve, reject) => {
      const done = (error: ServiceError | null, answer?: JsonObject): void => {
        if (error !== null) reject(error);
        else resolve(answer ?? {});
      };
      const options = { deadline: Date.now() + timeoutMs };
      const [serialize, deserialize] = [encode(`${type}Request`), decode(`${type}Response`)];
      const metadata = createCallMetadata(this.#security);
      this.#client.makeUnaryRequest(path, serialize, deserialize, request, metadata, options, done);
    });
  }

  /**
   * A server's stream of messages, as objects in the JSON form; ends with `end` or `error`, a ServiceError. Throws a
   * SecurityFileError.
   */
  stream(method: string, request: Record<string, unknown>): ClientReadableStream<JsonObject> {
    const [type, path] = [typeOf(method), `/digger.v1.${method}`];
    const [serialize, deserialize] = [encode(`${type}Request`), decode(`${type}Response`)];
    const metadata = createCallMetadata(this.#security);
    return this.#client.makeServerStreamRequest(path, serialize, deserialize, request, metadata);
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }
}

/** Larger than any frame: the feed ends one at 256 KiB, a batch of 1,000 entities stays far below. */
const MAX_MESSAGE_BYTES = 256 * 1024 * 1024;

function typeOf(method: string): string {
  return `digger.v1.${method.slice(method.indexOf('/') + 1)}`;
}

function encode(typeName: string): (request: Record<string, unknown>) => Buffer {
  const type = messageType(typeName);
  return (request) => Buffer.from(type.encode(type.fromObject(request)).finish());
}

function decode(typeName: string): (bytes: Buffer) => JsonObject {
  return (bytes) => decodeToJson(typeName, bytes);
}
