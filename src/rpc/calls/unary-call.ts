// How a unary method of ours is called: checks that hold for every call, then the method, then the answer or the error
// as gRPC wants it. Methods themselves know nothing of gRPC.
//
// A method answers at once where it can: no promise, no AbortController, no timer is made for a call that does not wait.

import { randomBytes } from 'node:crypto';

import type { handleUnaryCall, Metadata, sendUnaryData, ServerUnaryCall } from '@grpc/grpc-js';

import type { Logger } from '../../telemetry/logger.ts';
import type { Authenticator, CallIdentity } from '../auth/authenticator.ts';
import type { CallContext } from '../methods/call-context.ts';
import { callerOf } from '../limits/caller.ts';
import type { CallerRates } from '../limits/caller-rates.ts';
import {
  CallError,
  callerRateExceeded,
  cancelled,
  draining,
  internalError,
  type CallFailure,
  type Limit,
  toServerError,
} from '../errors.ts';
import { RefusedRequest } from '../services.ts';
import type { UntakenAnswers } from '../limits/untaken-answers.ts';

/** What is common to all calls of a server. */
export interface CallGate {
  /** Unset: everybody may call everything. */
  readonly authenticate: Authenticator | undefined;
  readonly logger: Logger;
  readonly nowMs: () => number;
  /** Aborts when the server begins to drain. */
  readonly drainSignal: AbortSignal;
  /** See `caller-rates.ts`; unset: callers may ask for as much as they like. */
  readonly rates: CallerRates | undefined;
  /** Counts a call that met a bound. */
  readonly countRefusal: (limit: Limit) => void;
  readonly untakenAnswers: UntakenAnswers;
}

/** When a method answers. */
export type Precondition = () => CallError | undefined;

export type UnaryMethod<Request> = (request: Request, context: CallContext) => Uint8Array | Promise<Uint8Array>;

/** The grpc-js handler of a method. `precondition` is asked after authentication, before the request is looked at. */
export function unaryHandler<Request>(
  gate: CallGate,
  precondition: Precondition,
  method: UnaryMethod<Request>,
): handleUnaryCall<Request | RefusedRequest, Uint8Array> {
  return (call, callback) => {
    const answer = (): Uint8Array | Promise<Uint8Array> => {
      const refusal = precondition();
      if (refusal !== undefined) throw refusal;
      if (call.request instanceof RefusedRequest) throw call.request.error;
      return method(call.request, new UnaryContext(gate, call, identity));
    };
    const identity = toIdentity(call);
    try {
      const allowed = gate.authenticate?.(identity);
      if (allowed instanceof Promise) {
        const checked = allowed.then((refusal) => {
          if (refusal !== undefined) throw refusal;
          return answer();
        });
        void settle(checked, call, gate, callback);
        return;
      }
      if (allowed !== undefined) throw allowed;
      const answered = answer();
      if (answered instanceof Promise) {
        void settle(answered, call, gate, callback);
      } else {
        gate.untakenAnswers.add(call, answered.length);
        callback(null, answered);
      }
    } catch (error) {
      callback(failCall(gate, error, call.getPath()));
    }
  };
}

/** As `toCallFailure`, and counts what met a bound. */
export function failCall(gate: CallGate, error: unknown, method: string): CallFailure {
  if (error instanceof CallError && error.facts.limit !== undefined) gate.countRefusal(error.facts.limit);
  return toCallFailure(error, method, gate.logger);
}

/** Takes the cost of a call from what its caller may ask for; throws RESOURCE_EXHAUSTED when that is not enough. */
export function chargeCaller({ rates }: CallGate, identity: CallIdentity, cost: number): void {
  if (rates === undefined) return;
  const caller = callerOf(identity);
  const verdict = rates.take(caller, cost);
  if (!verdict.allowed) throw callerRateExceeded(caller, { ...verdict, cost, perSecond: rates.perSecond });
}

/** What an authenticator looks at. */
export function toIdentity(call: AuthenticatedCall): CallIdentity {
  return new PeerIdentity(call);
}

/** The grpc-js error for anything that was thrown while a call was handled; logs what nobody expected. */
export function toCallFailure(error: unknown, method: string, logger: Logger): CallFailure {
  const requestId = nextRequestId();
  if (error instanceof CallError) {
    logger.debug({ requestId, method, code: error.code, reason: error.reason }, error.message);
    return toServerError(error, requestId);
  }
  logger.error({ requestId, method, err: error }, 'a call failed unexpectedly');
  return toServerError(internalError(), requestId);
}

type AuthenticatedCall = Pick<ServerUnaryCall<unknown, unknown>, 'getPath' | 'getPeer' | 'metadata'>;

/** Made for every call, hence a class, and nothing is asked of the call before somebody wants it. */
class PeerIdentity implements CallIdentity {
  name: string | undefined;
  readonly #call: AuthenticatedCall;

  constructor(call: AuthenticatedCall) {
    this.#call = call;
  }

  get method(): string {
    return this.#call.getPath();
  }

  get metadata(): Metadata {
    return this.#call.metadata;
  }

  getPeer(): string {
    return this.#call.getPeer();
  }
}

/** Ids only have to tell failures in the logs of several replicas apart: a prefix per process, then a count. */
const REQUEST_ID_PREFIX = randomBytes(6).toString('base64url');
let requestCount = 0;

function nextRequestId(): string {
  requestCount += 1;
  return `${REQUEST_ID_PREFIX}-${requestCount}`;
}

async function settle(
  answered: Promise<Uint8Array>,
  call: ServerUnaryCall<unknown, Uint8Array>,
  gate: CallGate,
  callback: sendUnaryData<Uint8Array>,
): Promise<void> {
  let bytes: Uint8Array;
  try {
    bytes = await answered;
  } catch (error) {
    callback(failCall(gate, error, call.getPath()));
    return;
  }
  gate.untakenAnswers.add(call, bytes.length);
  callback(null, bytes);
}

interface Cancellable {
  readonly cancelled: boolean;
  once(event: 'cancelled', listener: () => void): unknown;
}

/** Made for every call, hence a class: an object of closures and a getter cost 1 µs more. */
class UnaryContext implements CallContext {
  readonly #gate: CallGate;
  readonly #call: Cancellable;
  readonly #identity: CallIdentity;

  constructor(gate: CallGate, call: Cancellable, identity: CallIdentity) {
    this.#gate = gate;
    this.#call = call;
    this.#identity = identity;
  }

  get draining(): boolean {
    return this.#gate.drainSignal.aborted;
  }

  nowMs(): number {
    return this.#gate.nowMs();
  }

  charge(cost: number): void {
    chargeCaller(this.#gate, this.#identity, cost);
  }

  throwIfOver(): void {
    if (this.#call.cancelled) throw cancelled();
    if (this.draining) throw draining();
  }

  waitSignal(timeoutMs: number): AbortSignal {
    return createWaitSignal(this.#gate.drainSignal, this.#call, timeoutMs);
  }
}

function createWaitSignal(drainSignal: AbortSignal, call: Cancellable, timeoutMs: number): AbortSignal {
  const controller = new AbortController();
  // `cancelled` comes at every end of the call (answered, given up, deadline), so nothing outlives it.
  const timer = setTimeout(() => controller.abort(), timeoutMs);
  const abort = (): void => {
    clearTimeout(timer);
    drainSignal.removeEventListener('abort', abort);
    controller.abort();
  };
  drainSignal.addEventListener('abort', abort);
  call.once('cancelled', abort);
  if (call.cancelled || drainSignal.aborted) abort();
  return controller.signal;
}
