// Bounds what requests take while they arrive, over all connections: from the headers of a call to the end of its
// request nobody has been asked for credentials yet, so a stranger decides how long that takes and how much it is.
//
// One account for everything that is on its way; at the bound the call that began first is ended, because a request of
// somebody who means to finish it takes milliseconds. A request that is still not complete after a while is ended too.
// What is large and complete counts in a second account until its call ends (it may wait, or be a subscription); at that
// bound large requests are refused. Small ones need none: how many calls may stay is bounded elsewhere.
//
// What a call takes is counted in its `CallAccount`, which hears of every frame.

import { constants } from 'node:http2';
import type { ServerInterceptingCall, ServerInterceptor } from '@grpc/grpc-js';

import { type AccountKeeper, type CallAccount, openAccount } from './call-account.ts';
import {
  type CallError,
  type CallFailure,
  messageTooLarge,
  requestEvicted,
  requestsTooLarge,
  requestTimedOut,
} from '../errors.ts';

export interface RequestIntakeOptions {
  /** Largest message. */
  readonly maxMessageBytes: number;
  /** Of each of the two accounts. */
  readonly maxBytes: number;
  /** From the headers to the end of a request that is one message; kept to a tenth. */
  readonly timeoutMs: number;
  /** Ends a call with an error: counts it, and gives what grpc-js is to send. */
  readonly fail: (error: CallError, method: string) => CallFailure;
}

export class RequestIntake implements AccountKeeper {
  readonly interceptor: ServerInterceptor;
  readonly #options: RequestIntakeOptions;
  /** In the order in which they began. */
  readonly #arriving = new Set<CallAccount>();
  #arrivingBytes = 0;
  #largeBytes = 0;
  /** Turns of `endLate`, which is a clock that costs a call nothing. */
  #turn = 0;

  constructor(options: RequestIntakeOptions) {
    this.#options = options;
    this.interceptor = ({ path, requestStream }, nextCall) => {
      const account = openAccount(this, nextCall, path, requestStream, this.#turn);
      this.#arriving.add(account);
      this.#arrivingBytes += account.cost;
      if (this.#arrivingBytes > options.maxBytes) this.#makeRoom();
      // grpc-js asks for its class where it needs no more than the interface.
      return nextCall as ServerInterceptingCall;
    };
  }

  /** Requests that have begun to arrive and are not complete. */
  get arriving(): number {
    return this.#arriving.size;
  }

  /** What they take, about. */
  get arrivingBytes(): number {
    return this.#arrivingBytes;
  }

  /** Large requests that are complete and whose calls have not ended. */
  get largeBytes(): number {
    return this.#largeBytes;
  }

  /** Ends requests that have taken too long; to be called TURNS times in the time that they have. */
  endLate(): void {
    this.#turn += 1;
    for (const account of this.#arriving) {
      if (this.#turn - account.startedTurn <= TURNS) return;
      // A stream of requests may be silent between two of them.
      if (account.isStream) continue;
      this.#end(account, requestTimedOut(this.#options.timeoutMs));
    }
  }

  /** Whether grpc-js is to see these bytes. */
  onData(account: CallAccount, chunk: Buffer): boolean {
    if (!this.#arriving.has(account)) return true;
    const { maxMessageBytes, maxBytes } = this.#options;
    const costBefore = account.cost;
    account.take(chunk);
    this.#arrivingBytes += account.cost - costBefore;
    if (account.longestBytes > maxMessageBytes) {
      this.#end(account, messageTooLarge(account.longestBytes, maxMessageBytes));
      return false;
    }
    const weight = account.weigh(maxMessageBytes);
    if (weight > 0 && this.#largeBytes + weight > maxBytes) {
      this.#end(account, requestsTooLarge(maxBytes));
      return false;
    }
    if (this.#arrivingBytes > maxBytes) this.#makeRoom();
    return true;
  }

  onComplete(account: CallAccount): void {
    if (!this.#leave(account)) return;
    account.weight = account.weigh(this.#options.maxMessageBytes);
    this.#largeBytes += account.weight;
  }

  /** The call is over; a request that is not complete need not go on (RFC 9113, section 8.1). */
  onEnd(account: CallAccount): void {
    this.#largeBytes -= account.weight;
    account.weight = 0;
    // After the status, which is on its way.
    if (this.#leave(account)) account.stream.close(constants.NGHTTP2_NO_ERROR);
  }

  /** At the bound: whoever began first has had its time. */
  #makeRoom(): void {
    for (const oldest of this.#arriving) {
      if (this.#arrivingBytes <= this.#options.maxBytes) return;
      this.#end(oldest, requestEvicted(this.#options.maxBytes));
    }
  }

  #end(account: CallAccount, error: CallError): void {
    account.call.sendStatus(this.#options.fail(error, account.path));
    // Sending it ended the call already, unless the client had ended it before.
    this.onEnd(account);
  }

  #leave(account: CallAccount): boolean {
    if (!this.#arriving.delete(account)) return false;
    this.#arrivingBytes -= account.cost;
    return true;
  }
}

/** How often `endLate` is called in the time that a request has. */
export const TURNS = 10;
