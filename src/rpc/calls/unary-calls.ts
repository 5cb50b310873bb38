// Carries the unary methods of ours in grpc-js's place: behind the same gate, through the same layers, with the same
// handlers, and for half of what grpc-js takes (docs/decisions/unary-calls-without-grpc-js.md). Streams, the standard
// services, methods that do not exist and requests that are not gRPC go to grpc-js.

import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import {
  Metadata,
  type MethodDefinition,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
  type ServiceDefinition,
  status,
} from '@grpc/grpc-js';

import type { CallListener, CallStatus, LowerCall } from './forwarding-call.ts';
import type { AskedCall, Respond, UnaryHandler } from './unary-call.ts';
import { ANSWERED, UnaryStream } from './unary-stream.ts';

export interface UnaryCallsOptions {
  /** What every call passes, as grpc-js takes them: the last one is outermost. */
  readonly interceptors: readonly ServerInterceptor[];
  /** Whether anything looks at what callers send about themselves. */
  readonly needsMetadata: boolean;
  /** Resolves when a call whose deadline has passed may end (`woken-calls.ts`); unset: at once. */
  readonly turn: () => Promise<void> | undefined;
}

export class UnaryCalls {
  readonly #options: UnaryCallsOptions;
  readonly #methods = new Map<string, Method>();

  constructor(options: UnaryCallsOptions) {
    this.#options = options;
  }

  /** Takes the calls of a service, all of whose methods are unary. */
  addService(service: ServiceDefinition, handlers: Readonly<Record<string, UnaryHandler<never>>>): void {
    for (const [name, definition] of Object.entries(service)) {
      const handler = handlers[name];
      if (handler === undefined || definition.requestStream || definition.responseStream) {
        throw new Error(`bug: ${definition.path} has no handler, or is a stream`);
      }
      this.#methods.set(definition.path, { definition, handler: handler as UnaryHandler<unknown> });
    }
  }

  /** Begins a call that has passed the gate; false: it is grpc-js's. */
  take(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): boolean {
    const method = this.#methods.get(headers[':path'] ?? '');
    if (method === undefined || headers['content-type']?.startsWith('application/grpc') !== true) return false;
    const { definition, handler } = method;
    const { interceptors, needsMetadata, turn } = this.#options;
    const metadata = needsMetadata ? Metadata.fromHttp2Headers(headers) : NO_METADATA;
    let call: LowerCall = new UnaryStream(stream, headers, metadata, definition.requestDeserialize, turn);
    // They are written for grpc-js, and need no more of a call than this.
    for (const intercept of interceptors) call = intercept(definition, call as ServerInterceptingCallInterface);
    call.start(new UnaryCall(call, definition.path, handler));
    return true;
  }
}

interface Method {
  readonly definition: MethodDefinition<unknown, unknown>;
  readonly handler: UnaryHandler<unknown>;
}

/** The uppermost layer: brings the request to its handler, and the answer back. */
class UnaryCall implements CallListener, AskedCall<unknown> {
  /** Under this name the caller's identity is found (`gated-call.ts`), as on grpc-js's own. */
  readonly call: LowerCall;
  request: unknown = undefined;
  cancelled = false;
  readonly #path: string;
  readonly #handler: UnaryHandler<unknown>;
  /** A call waits for one thing at most. */
  #onCancelled: (() => void) | undefined;

  constructor(call: LowerCall, path: string, handler: UnaryHandler<unknown>) {
    this.call = call;
    this.#path = path;
    this.#handler = handler;
  }

  getPath(): string {
    return this.#path;
  }

  once(_event: 'cancelled', listener: () => void): void {
    if (this.#onCancelled !== undefined) throw new Error('bug: a unary call has one listener');
    this.#onCancelled = listener;
  }

  onReceiveMetadata(): void {
    this.call.startRead();
  }

  onReceiveMessage(message: unknown): void {
    this.request = message;
  }

  onReceiveHalfClose(): void {
    if (this.request === undefined) {
      // As grpc-js says it, also of methods that stream nothing.
      const details = `Received no request message for server streaming method ${this.#path}`;
      this.call.sendStatus({ code: status.UNIMPLEMENTED, details, metadata: null });
      return;
    }
    const respond: Respond = (error, answer) => {
      if (error === null && answer !== undefined) this.call.sendMessage(answer, () => this.call.sendStatus(ANSWERED));
      else this.call.sendStatus(error ?? UNKNOWN);
    };
    try {
      this.#handler(this, respond);
    } catch {
      this.call.sendStatus(UNKNOWN);
    }
  }

  onCancel(): void {
    this.cancelled = true;
    this.#onCancelled?.();
  }
}

const NO_METADATA = new Metadata();

/** What a handler that fails to tell how ends with. */
const UNKNOWN: CallStatus = { code: status.UNKNOWN, details: 'Unknown error', metadata: null };
