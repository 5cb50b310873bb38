// A failed call as a value: a gRPC status code, one sentence for people, and facts for programs.
//
// A CallError is an expected outcome of a call, never a bug: whatever else is thrown while a call is handled becomes
// INTERNAL without details of ours. Text of a caller is quoted only as a short well-formed prefix: a trailer has to fit
// into what clients accept as headers, and a lone surrogate cannot be percent-encoded.

import type { status } from '@grpc/grpc-js';

import { escapeControls } from '../../telemetry/escape-controls.ts';

/** One wrong field of a request. */
export interface Violation {
  /** Path in the request message, e.g. `queries[3].address`; empty: the message as a whole. */
  readonly field: string;
  /** UPPER_SNAKE_CASE. */
  readonly reason: ViolationReason;
  /** What was given and what is allowed. */
  readonly description: string;
}

export type ViolationReason =
  | 'MALFORMED_MESSAGE'
  | 'REQUIRED'
  | 'NOT_AN_ADDRESS'
  | 'NOT_A_CONTAINER_ID'
  | 'NOT_A_NETWORK'
  | 'OUT_OF_RANGE'
  | 'UNKNOWN_VALUE'
  | 'INVALID_TIMESTAMP'
  | 'IN_THE_FUTURE'
  | 'TOO_MANY'
  | 'MALFORMED_SELECTOR'
  | 'MALFORMED_TOKEN'
  | 'NOT_SERVED';

/** A call that failed as expected. */
export class CallError extends Error {
  override readonly name = 'CallError';
  /** gRPC status code. */
  readonly code: status;
  /** ErrorInfo.reason, UPPER_SNAKE_CASE. */
  readonly reason: string;
  readonly facts: CallErrorFacts;

  constructor(code: status, reason: string, message: string, facts: CallErrorFacts = {}) {
    // Where an expected outcome was found is of no interest, and stacks were a third of what a flood of bad requests
    // costs.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(message);
    Error.stackTraceLimit = stackTraceLimit;
    this.code = code;
    this.reason = reason;
    this.facts = facts;
  }
}

export interface CallErrorFacts {
  /** ErrorInfo.metadata. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** BadRequest. */
  readonly violations?: readonly Violation[];
  /** RetryInfo: when it makes sense to try again. */
  readonly retryDelayMs?: number;
  /** The bound that the call met, for the metric of refusals. */
  readonly limit?: Limit;
}

/** Bounds whose refusals are counted under their name. */
export type Limit = (typeof LIMITS)[number];

export const LIMITS = [
  'message_size',
  'batch_size',
  'caller_rate',
  'arriving_requests',
  'request_timeout',
  'untaken_answers',
  'open_calls',
  'caller_calls',
  'health_watches',
  'header_size',
  'compression',
  'second_message',
  'control_frames',
  'rapid_resets',
  'large_headers',
  'request_pieces',
] as const;

/** Runs something whose errors need no stack. */
export function withoutStack<T>(run: () => T): T {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return run();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** Text of a caller in a form that is short, on one line, and safe to send back, to log and to print. */
export function quote(text: string): string {
  if (text.length <= MAX_QUOTED_LENGTH) return escapeControls(text.toWellFormed());
  return `${escapeControls(text.slice(0, MAX_QUOTED_LENGTH).toWellFormed())}… (${text.length} characters)`;
}

/** Longer than any address and than any label value of Kubernetes (63), so that honest input is quoted whole. */
const MAX_QUOTED_LENGTH = 64;
