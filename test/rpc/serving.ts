// Serves a hand-written picture on a loopback port and calls it as a client does, over real sockets.

import {
  type CallOptions,
  type ChannelCredentials,
  Client,
  credentials,
  type Metadata,
  ServerCredentials,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { Registry } from '@prometheus-io/client';

import type { CallError } from '../../src/rpc/errors/call-error.ts';
import { createRpcServer, type RpcServer, type RpcServerOptions } from '../../src/rpc/server.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { messageType } from '../../src/wire/schema.ts';
import { FakePicture } from './fake-picture.ts';

/** A running server, and a client of it. */
export interface Serving {
  readonly picture: FakePicture;
  readonly server: RpcServer;
  readonly registry: Registry;
  readonly target: string;
  readonly client: TestClient;
  stop(): Promise<void>;
}

export async function serve(options: Partial<RpcServerOptions> = {}, picture = new FakePicture()): Promise<Serving> {
  const registry = new Registry();
  const server = createRpcServer(picture, {
    credentials: ServerCredentials.createInsecure(),
    logger: createLogger({ level: 'silent', pretty: false }),
    registry,
    // The same tests with connections that another thread carries.
    threads: Number(process.env['DIGGER_SERVING_THREADS'] ?? 1),
    ...options,
  });
  const { port } = await server.start({ host: '127.0.0.1', port: 0 });
  server.setReady(true);
  const target = `127.0.0.1:${port}`;
  const client = new TestClient(target);
  return {
    picture,
    server,
    registry,
    target,
    client,
    async stop() {
      client.close();
      await server.drain(AbortSignal.abort());
    },
  };
}

/** A decoded message: field names in camel case, enums by name. */
export type Json = Record<string, unknown>;

/** Calls methods by name with messages as objects, or as bytes where a test wants to send something else. */
export class TestClient extends Client {
  constructor(target: string, channel: ChannelCredentials = credentials.createInsecure()) {
    super(target, channel, { 'grpc.use_local_subchannel_pool': 1, 'grpc.enable_retries': 0 });
  }

  /** `method`: `digger.v1.LookupService/GetPod`, or without package and service for the lookup service. */
  async call(method: string, request: Json | Buffer, options: CallOptions = {}, metadata?: Metadata): Promise<Json> {
    const path = method.includes('/') ? `/${method}` : `/digger.v1.LookupService/${method}`;
    const bytes = Buffer.isBuffer(request) ? request : encodeMessage(`${typeOf(path)}Request`, request);
    const answer = await this.callBytes(path, bytes, options, metadata);
    return decodeMessage(`${typeOf(path)}Response`, answer);
  }

  callBytes(path: string, request: Buffer, options: CallOptions = {}, metadata?: Metadata): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const done = (error: ServiceError | null, value?: Buffer): void => {
        if (error !== null || value === undefined) reject(error ?? new Error('no answer'));
        else resolve(value);
      };
      if (metadata === undefined) this.makeUnaryRequest(path, same, same, request, options, done);
      else this.makeUnaryRequest(path, same, same, request, metadata, options, done);
    });
  }

  /** The failure of a call that is expected to fail. */
  async failure(method: string, request: Json | Buffer, options: CallOptions = {}): Promise<Failure> {
    let answer: Json;
    try {
      answer = await this.call(method, request, options);
    } catch (error) {
      return toFailure(error);
    }
    throw new Error(`expected a failure, got ${JSON.stringify(answer)}`);
  }
}

/** What a client sees of a CallError. */
export interface Failure {
  readonly code: string | undefined;
  readonly message: string;
  /** Decoded details by the last part of their type's name. */
  readonly details: Readonly<Record<string, Json>>;
}

export function toFailure(error: unknown): Failure {
  const { code, details: message, metadata } = error as ServiceError;
  const [trailer] = metadata?.get('grpc-status-details-bin') ?? [];
  const details = Buffer.isBuffer(trailer) ? decodeDetails(decodeMessage('google.rpc.Status', trailer)) : {};
  return { code: status[code], message, details };
}

/** The `details` of a decoded `google.rpc.Status`. */
export function decodeDetails(decoded: Json): Readonly<Record<string, Json>> {
  const entries = (decoded['details'] as readonly { type_url: string; value: Uint8Array }[]).map((detail) => {
    const typeName = detail.type_url.replace('type.googleapis.com/', '');
    return [typeName.slice(typeName.lastIndexOf('.') + 1), decodeMessage(typeName, detail.value)] as const;
  });
  return Object.fromEntries(entries);
}

export function encodeMessage(typeName: string, message: Json): Buffer {
  const type = messageType(typeName);
  return Buffer.from(type.encode(type.fromObject(message)).finish());
}

export function decodeMessage(typeName: string, bytes: Uint8Array): Json {
  const type = messageType(typeName);
  return type.toObject(type.decode(bytes), { enums: String, longs: Number, arrays: false, objects: false });
}

/** Resolves when `condition` holds; rejects with what `describe` says when it does not within 5 s. */
export async function eventually(condition: () => boolean, describe: () => string): Promise<void> {
  const deadline = Date.now() + 5_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`not within 5 s: ${describe()}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** An authenticator that refuses every call. */
export function refuseWith(error: CallError): { authenticate: NonNullable<RpcServerOptions['authenticate']> } {
  return { authenticate: async () => error };
}

const same = (bytes: Buffer): Buffer => bytes;

function typeOf(path: string): string {
  const [, service = '', method = ''] = path.split('/');
  return `${service.slice(0, service.lastIndexOf('.'))}.${method}`;
}
