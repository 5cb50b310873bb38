// Follows every call from its start to its end, whatever service it belongs to and however it ends: for the metrics,
// and for the drain, which has to know what still runs.
//
// An interceptor sees this best. grpc-js reports the end of every call as a cancellation, after the status was sent or
// when there is no peer left to send it to; a call that was cancelled before it could start is not counted at all.

import { type Metadata, type ServerInterceptingCall, type ServerInterceptor, status } from '@grpc/grpc-js';

import { type CallStatus, ForwardingCall, type LowerCall } from './forwarding-call.ts';
import type { MethodCounters, RpcMetrics } from '../metrics.ts';

export class OpenCalls {
  readonly interceptor: ServerInterceptor;
  /** Streams of the standard services, which do not know about drains. */
  readonly #standardStreams = new Set<ObservedCall>();
  #count = 0;
  #draining = false;
  #onNone: (() => void) | undefined;

  /** `nowMs`: a monotonic clock, for durations. */
  constructor(metrics: RpcMetrics, nowMs: () => number) {
    const observer: CallObserver = {
      nowMs,
      started: (call) => {
        // What starts during a drain is refused at once and need not be waited for.
        const isCounted = !this.#draining;
        if (isCounted) this.#count += 1;
        if (call.isStandardStream) {
          if (isCounted) this.#standardStreams.add(call);
          // It would hold its connection, and with it the drain, until the deadline.
          else call.endAfterMessages(DRAINING);
        }
        return isCounted;
      },
      ended: (call, wasCounted) => {
        if (call.isStandardStream) this.#standardStreams.delete(call);
        if (!wasCounted) return;
        this.#count -= 1;
        if (this.#count === 0) this.#onNone?.();
      },
    };
    this.interceptor = ({ path, requestStream, responseStream }, nextCall) => {
      const counters = metrics.method(path, requestStream, responseStream);
      const isStandardStream = (requestStream || responseStream) && !path.startsWith(OWN_SERVICES);
      // grpc-js asks for its class where it needs no more than the interface.
      return new ObservedCall(nextCall, counters, observer, isStandardStream) as unknown as ServerInterceptingCall;
    };
  }

  /** Calls that have not ended. */
  get size(): number {
    return this.#count;
  }

  /**
   * Ends the streams of the standard services (health, reflection) after what they were to be told, and resolves when
   * every call that began before has ended, or when the deadline aborts.
   */
  async drain(deadline: AbortSignal): Promise<void> {
    this.#draining = true;
    for (const stream of this.#standardStreams) stream.endAfterMessages(DRAINING);
    if (this.#count === 0 || deadline.aborted) return;
    await new Promise<void>((resolve) => {
      this.#onNone = resolve;
      deadline.addEventListener('abort', () => resolve(), { once: true });
    });
  }
}

const OWN_SERVICES = '/digger.v1.';

const DRAINING: CallStatus = { code: status.UNAVAILABLE, details: 'this replica is draining', metadata: null };

/** What OpenCalls does for each of its calls. */
interface CallObserver {
  readonly nowMs: () => number;
  /** Whether the call counts as open. */
  started(call: ObservedCall): boolean;
  ended(call: ObservedCall, wasCounted: boolean): void;
}

/** One call: notes what passes. */
class ObservedCall extends ForwardingCall {
  readonly isStandardStream: boolean;
  readonly #counters: MethodCounters;
  readonly #observer: CallObserver;
  readonly #startedMs: number;
  #code: status | undefined;
  #isCounted = false;
  #hasEnded = false;
  /** Of those that were sent; grpc-js keeps what its handler has written meanwhile, and sends the next one then. */
  #untakenMessages = 0;
  /** What the call ends with when its messages are taken. */
  #lastStatus: CallStatus | undefined;

  constructor(nextCall: LowerCall, counters: MethodCounters, observer: CallObserver, isStandardStream: boolean) {
    super(nextCall);
    this.isStandardStream = isStandardStream;
    this.#counters = counters;
    this.#observer = observer;
    this.#startedMs = observer.nowMs();
  }

  override onReceiveMetadata(metadata: Metadata): void {
    this.#counters.started.inc();
    this.#isCounted = this.#observer.started(this);
    super.onReceiveMetadata(metadata);
  }

  override onReceiveMessage(message: unknown): void {
    // A message can still be decoded after its call has ended; it is of no use then.
    if (this.#hasEnded) return;
    this.#counters.received.inc();
    super.onReceiveMessage(message);
  }

  override onReceiveHalfClose(): void {
    if (!this.#hasEnded) super.onReceiveHalfClose();
  }

  override onCancel(): void {
    this.#hasEnded = true;
    this.#counters.handled(this.#code ?? this.#codeOfAbandoned()).inc();
    this.#counters.handling.observe((this.#observer.nowMs() - this.#startedMs) / 1000);
    this.#observer.ended(this, this.#isCounted);
    super.onCancel();
  }

  override sendMessage(message: unknown, callback: () => void): void {
    // The status was the last word: to write behind it would reset the stream, and it would not arrive.
    if (this.#code !== undefined) return;
    this.#counters.sent.inc();
    this.#untakenMessages += 1;
    super.sendMessage(message, () => {
      this.#untakenMessages -= 1;
      // Sends the next one, where there is one.
      callback();
      this.#endIfTold();
    });
  }

  /** Ends the call once all that its handler has written has been taken: a status must not overtake it. */
  endAfterMessages(last: CallStatus): void {
    this.#lastStatus = last;
    this.#endIfTold();
  }

  override sendStatus(given: CallStatus): void {
    this.#code ??= given.code ?? status.UNKNOWN;
    super.sendStatus(given);
  }

  #endIfTold(): void {
    if (this.#lastStatus === undefined || this.#untakenMessages > 0 || this.#hasEnded) return;
    const last = this.#lastStatus;
    this.#lastStatus = undefined;
    this.sendStatus(last);
  }

  /** The code of a call that ended without a status of ours. */
  #codeOfAbandoned(): status {
    const deadlinePassed = Number(this.getDeadline()) <= Date.now();
    return deadlinePassed ? status.DEADLINE_EXCEEDED : status.CANCELLED;
  }
}
