// Follows every call from its start to its end, whatever service it belongs to and however it ends: for the metrics, and
// for the drain, which has to know what still runs.
//
// An interceptor sees this best. grpc-js reports the end of every call as a cancellation, after the status was sent or
// when there is nobody left to send it to; a call that was cancelled before it could start is not counted at all.

import {
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
  ServerInterceptingCall,
  type ServerListener,
  status,
} from '@grpc/grpc-js';

import type { RpcMetrics } from './metrics.ts';

export class OpenCalls {
  readonly interceptor: ServerInterceptor;
  /** Streams of the standard services, which do not know about drains. */
  readonly #standardStreams = new Set<ServerInterceptingCallInterface>();
  #count = 0;
  #draining = false;
  #onNone: (() => void) | undefined;

  /** `nowMs`: a monotonic clock, for durations. */
  constructor(metrics: RpcMetrics, nowMs: () => number) {
    this.interceptor = (definition, call) => {
      const { path, requestStream, responseStream } = definition;
      const counters = metrics.method(path, requestStream, responseStream);
      const isStandardStream = (requestStream || responseStream) && !path.startsWith(OWN_SERVICES);
      const startedMs = nowMs();
      let counted = false;
      let code: status | undefined;
      const listener: ServerListener = {
        onReceiveMetadata: (metadata, next) => {
          counters.started.inc();
          // What starts during a drain is refused at once and need not be waited for.
          counted = !this.#draining;
          if (counted) this.#count += 1;
          if (isStandardStream) this.#standardStreams.add(observed);
          next(metadata);
        },
        onReceiveMessage: (message, next) => {
          counters.received.inc();
          next(message);
        },
        onCancel: () => {
          const deadlinePassed = Number(call.getDeadline()) <= Date.now();
          counters.handled(code ?? (deadlinePassed ? status.DEADLINE_EXCEEDED : status.CANCELLED)).inc();
          counters.handling.observe((nowMs() - startedMs) / 1000);
          this.#standardStreams.delete(observed);
          if (!counted) return;
          this.#count -= 1;
          if (this.#count === 0) this.#onNone?.();
        },
      };
      const observed: ServerInterceptingCallInterface = new ServerInterceptingCall(call, {
        start: (next) => next(listener),
        sendMessage: (message, next) => {
          counters.sent.inc();
          next(message);
        },
        sendStatus: (given, next) => {
          code ??= given.code ?? status.UNKNOWN;
          next(given);
        },
      });
      return observed as ServerInterceptingCall;
    };
  }

  /** Calls that have not ended. */
  get size(): number {
    return this.#count;
  }

  /**
   * Ends the streams of the standard services (health, reflection), and resolves when every call that began before has
   * ended, or when the deadline aborts.
   */
  async drain(deadline: AbortSignal): Promise<void> {
    this.#draining = true;
    for (const stream of this.#standardStreams) {
      stream.sendStatus({ code: status.UNAVAILABLE, details: 'this replica is draining', metadata: null });
    }
    if (this.#count === 0 || deadline.aborted) return;
    await new Promise<void>((resolve) => {
      this.#onNone = resolve;
      deadline.addEventListener('abort', () => resolve(), { once: true });
    });
  }
}

const OWN_SERVICES = '/digger.v1.';
