// Bounds what answers take that nobody takes, over all connections: HTTP/2 lets a client open no window and ask on, and
// grpc-js keeps every answer until the window opens.
//
// At the bound, and after a while without it, the call whose answer has waited longest is reset, and its connection is
// told to go. A client that reads takes its answers within milliseconds, so it is never the oldest. Answers only:
// subscriptions have bounds of their own, in the feed.

import type { Limit } from '../errors.ts';
import { accountOf, CALL_COST_BYTES } from './call-account.ts';
import { resetStream } from '../calls/stream-reset.ts';

export interface UntakenAnswersOptions {
  readonly maxBytes: number;
  readonly countRefusal: (limit: Limit) => void;
  /** Ends the connection of a peer at once, with everything on it. */
  readonly disconnect: (peer: string) => void;
}

/** A server call of grpc-js. */
export interface AnsweredCall {
  getPeer(): string;
}

/** How often `endLate` is called in the time that an answer may wait. */
export const ANSWER_TURNS = 10;

export class UntakenAnswers {
  readonly #options: UntakenAnswersOptions;
  /** In the order of their answers. */
  readonly #waiting = new Set<Answer>();
  #bytes = 0;
  #turn = 0;

  constructor(options: UntakenAnswersOptions) {
    this.#options = options;
  }

  /** What they take, about. */
  get bytes(): number {
    return this.#bytes;
  }

  /** To be called when an answer is handed to grpc-js. */
  add(call: AnsweredCall, bytes: number): void {
    const answer = { call, cost: CALL_COST_BYTES + bytes, sinceTurn: this.#turn };
    this.#waiting.add(answer);
    this.#bytes += answer.cost;
    // When answer and status have left, or nobody is there any more.
    accountOf(call).onEnd = () => this.#forget(answer);
    if (this.#bytes > this.#options.maxBytes) this.#makeRoom(answer);
  }

  /** Ends calls whose answers nobody has taken for too long; to be called ANSWER_TURNS times in that time. */
  endLate(): void {
    this.#turn += 1;
    for (const answer of this.#waiting) {
      if (this.#turn - answer.sinceTurn <= ANSWER_TURNS) return;
      this.#reset(answer);
    }
  }

  #makeRoom(latest: Answer): void {
    for (const oldest of this.#waiting) {
      // A single answer may be larger than the bound; nobody had the time to take it yet.
      if (this.#bytes <= this.#options.maxBytes || oldest === latest) return;
      this.#reset(oldest);
    }
  }

  #reset(answer: Answer): void {
    this.#forget(answer);
    const { countRefusal, disconnect } = this.#options;
    countRefusal('untaken_answers');
    const peer = answer.call.getPeer();
    resetStream(answer.call, RESET_GRACE_MS, () => disconnect(peer));
  }

  #forget(answer: Answer): void {
    if (this.#waiting.delete(answer)) this.#bytes -= answer.cost;
  }
}

interface Answer {
  readonly call: AnsweredCall;
  readonly cost: number;
  readonly sinceTurn: number;
}

/** What a reset gets to leave before the connection is cut. */
const RESET_GRACE_MS = 5_000;
