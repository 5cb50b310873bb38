// How a unary method of ours is called once its call has passed the gate: checks that hold for every call, then the
// method, then the answer or the error as gRPC wants it. Methods themselves know nothing of gRPC.
//
// A method answers at once where it can: no promise, no AbortController, no timer is made for a call that does not
// wait.

import type { CallError } from '../errors/call-error.ts';
import { cancelled, draining } from '../errors/outcomes.ts';
import type { CallContext } from '../methods/call-context.ts';
import { RefusedRequest } from '../services.ts';
import type { CallFailure } from '../errors/status-details.ts';
import { type CallEnvironment, chargeCaller, failCall } from './call-environment.ts';
import type { Drain } from './drain.ts';
import { identityOf } from './gated-call.ts';

/** When a method answers. */
export type Precondition = () => CallError | undefined;

export type UnaryMethod<Request> = (request: Request, context: CallContext) => Uint8Array | Promise<Uint8Array>;

/** A call whose request is complete, as grpc-js has them too. */
export interface AskedCall<Request> {
  readonly request: Request;
  /** It has ended, however. */
  readonly cancelled: boolean;
  once(event: 'cancelled', listener: () => void): unknown;
  getPath(): string;
}

/** Answers a call, with an error or with the bytes of its answer; once. */
export type Respond = (error: CallFailure | null, answer?: Uint8Array) => void;

/** May be given to grpc-js as well. */
export type UnaryHandler<Request> = (call: AskedCall<Request | RefusedRequest>, respond: Respond) => void;

/** The handler of a method. `precondition` is asked before the request is looked at. */
export function unaryHandler<Request>(
  environment: CallEnvironment,
  precondition: Precondition,
  method: UnaryMethod<Request>,
): UnaryHandler<Request> {
  return (call, respond) => {
    try {
      const refusal = precondition();
      if (refusal !== undefined) throw refusal;
      if (call.request instanceof RefusedRequest) throw call.request.error;
      const answered = method(call.request, new UnaryContext(environment, call));
      if (answered instanceof Promise) void settle(answered, call, environment, respond);
      else respond(null, answered);
    } catch (error) {
      respond(failCall(environment, error, call.getPath()));
    }
  };
}

async function settle(
  answered: Promise<Uint8Array>,
  call: AskedCall<unknown>,
  environment: CallEnvironment,
  respond: Respond,
): Promise<void> {
  let bytes: Uint8Array;
  try {
    bytes = await answered;
  } catch (error) {
    respond(failCall(environment, error, call.getPath()));
    return;
  }
  respond(null, bytes);
}

type Cancellable = Pick<AskedCall<unknown>, 'cancelled' | 'once'>;

/** Made for every call, hence a class: an object of closures and a getter cost 1 µs more. */
class UnaryContext implements CallContext {
  readonly #environment: CallEnvironment;
  readonly #call: Cancellable;

  constructor(environment: CallEnvironment, call: Cancellable) {
    this.#environment = environment;
    this.#call = call;
  }

  get draining(): boolean {
    return this.#environment.drain.hasBegun;
  }

  nowMs(): number {
    return this.#environment.nowMs();
  }

  charge(cost: number): void {
    chargeCaller(this.#environment, identityOf(this.#call).caller, cost);
  }

  turn(): Promise<void> | undefined {
    return this.#environment.woken.turn();
  }

  throwIfOver(): void {
    if (this.#call.cancelled) throw cancelled();
    if (this.draining) throw draining();
  }

  waitSignal(timeoutMs: number): AbortSignal {
    return createWaitSignal(this.#environment.drain, this.#call, timeoutMs);
  }
}

function createWaitSignal(drain: Drain, call: Cancellable, timeoutMs: number): AbortSignal {
  const controller = new AbortController();
  // `cancelled` comes at every end of the call (answered, given up, deadline), so nothing outlives it.
  const timer = setTimeout(() => controller.abort(OVER), timeoutMs);
  const abort = (): void => {
    clearTimeout(timer);
    drain.delete(abort);
    controller.abort(OVER);
  };
  drain.add(abort);
  call.once('cancelled', abort);
  if (call.cancelled || drain.hasBegun) abort();
  return controller.signal;
}

/** Why a wait is over is told by `throwIfOver`. Without a reason node makes an exception with a stack, 10 µs. */
const OVER = 'the wait is over';
