// What is common to all calls of a server, and how a call fails: the error that its caller gets, counted and logged.

import { randomBytes } from 'node:crypto';

import type { Logger } from '../../telemetry/logger.ts';
import { CallError, type Limit } from '../errors/call-error.ts';
import { internalError } from '../errors/outcomes.ts';
import { callerRateExceeded } from '../errors/over-limits.ts';
import { type CallFailure, toServerError } from '../errors/status-details.ts';
import type { CallerRates } from '../limits/caller-rates.ts';
import type { Drain } from './drain.ts';
import type { WokenCalls } from './woken-calls.ts';

export interface CallEnvironment {
  readonly logger: Logger;
  readonly nowMs: () => number;
  readonly drain: Drain;
  readonly woken: WokenCalls;
  /** See `caller-rates.ts`; unset: callers may ask for as much as they like. */
  readonly rates: CallerRates | undefined;
  /** Counts a call that met a bound. */
  readonly countRefusal: (limit: Limit) => void;
}

/** As `toCallFailure`, and counts what met a bound. */
export function failCall(
  environment: Pick<CallEnvironment, 'logger' | 'countRefusal'>,
  error: unknown,
  method: string,
): CallFailure {
  if (error instanceof CallError && error.facts.limit !== undefined) environment.countRefusal(error.facts.limit);
  return toCallFailure(error, method, environment.logger);
}

/** Takes the cost of a call from what its caller may ask for; throws RESOURCE_EXHAUSTED when that is not enough. */
export function chargeCaller({ rates }: Pick<CallEnvironment, 'rates'>, caller: string, cost: number): void {
  if (rates === undefined) return;
  const verdict = rates.take(caller, cost);
  if (!verdict.allowed) throw callerRateExceeded(caller, { ...verdict, cost, perSecond: rates.perSecond });
}

/** The grpc-js error for anything that was thrown while a call was handled; logs what nothing here expects. */
export function toCallFailure(error: unknown, method: string, logger: Logger): CallFailure {
  const requestId = nextRequestId();
  if (error instanceof CallError) {
    logger.debug({ requestId, method, code: error.code, reason: error.reason }, error.message);
    return toServerError(error, requestId);
  }
  logger.error({ requestId, method, err: error }, 'a call failed unexpectedly');
  return toServerError(internalError(), requestId);
}

/** Ids only have to tell failures in the logs of several replicas apart: a prefix per process, then a count. */
const REQUEST_ID_PREFIX = randomBytes(6).toString('base64url');
let requestCount = 0;

function nextRequestId(): string {
  requestCount += 1;
  return `${REQUEST_ID_PREFIX}-${requestCount}`;
}
