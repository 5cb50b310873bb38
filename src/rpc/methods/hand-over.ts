// HistoryService.HandOver: what this replica knows of the past, for one that starts. What is told, and to whom, is
// decided elsewhere; here it is sent, a part at a time, as the taker takes it.

import { setImmediate as nextTurn } from 'node:timers/promises';
import { type ServerWritableStream, status } from '@grpc/grpc-js';
import type { HandOverRequest__Output } from '../../wire/generated/digger/v1/HandOverRequest.ts';
import type { Drain } from '../calls/drain.ts';
import { CallError } from '../errors/call-error.ts';
import { draining } from '../errors/outcomes.ts';

/** The history, as a server needs it. */
export interface HistoryGiver {
  open(taker: HandOverRequest__Output): HandedParts | HandOverRefusal;
}

/** Encoded `HandOverResponse`s; disposed of at the end. */
export interface HandedParts extends Disposable {
  readonly parts: Iterable<Uint8Array>;
}

export interface HandOverRefusal {
  readonly reason:
    | 'REPLICA_BEHIND'
    | 'TOO_MANY_TAKERS'
    | 'SAME_REPLICA'
    | 'OTHER_CLUSTER'
    | 'OTHER_CONFIGURATION'
    | 'NO_HISTORY';
  readonly message: string;
}

export type HandOverCall = ServerWritableStream<HandOverRequest__Output, Uint8Array>;

/** Longer than a taker waits. */
const MAX_MS = 60_000;
const BEHIND_RETRY_MS = 200;

/** Resolves when all is sent or the call is gone; rejects with a CallError. */
export async function handOver(call: HandOverCall, giver: HistoryGiver, drain: Drain): Promise<void> {
  const opened = giver.open(call.request);
  if ('reason' in opened) throw toCallError(opened);
  using handed = opened;
  const drained = new AbortController();
  const onDrain = (): void => drained.abort();
  drain.add(onDrain);
  try {
    await send(call, handed, drained.signal);
  } finally {
    drain.delete(onDrain);
  }
}

async function send(call: HandOverCall, handed: HandedParts, drained: AbortSignal): Promise<void> {
  const ended = AbortSignal.any([drained, AbortSignal.timeout(MAX_MS)]);
  for (const part of handed.parts) {
    if (call.cancelled) return;
    if (!call.write(part)) await taken(call, ended);
    if (drained.aborted) throw draining();
    if (ended.aborted)
      throw new CallError(status.DEADLINE_EXCEEDED, 'TAKER_TOO_SLOW', 'the history was not taken in time');
    // Others have their turn between two parts.
    await nextTurn();
  }
  call.end();
}

function taken(call: HandOverCall, ended: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      call.off('drain', done);
      call.off('cancelled', done);
      ended.removeEventListener('abort', done);
      resolve();
    };
    call.once('drain', done);
    call.once('cancelled', done);
    ended.addEventListener('abort', done);
    if (call.cancelled || ended.aborted) done();
  });
}

function toCallError({ reason, message }: HandOverRefusal): CallError {
  switch (reason) {
    case 'REPLICA_BEHIND':
      return new CallError(status.UNAVAILABLE, reason, message, { retryDelayMs: BEHIND_RETRY_MS });
    case 'TOO_MANY_TAKERS':
      return new CallError(status.RESOURCE_EXHAUSTED, reason, message, { retryDelayMs: BEHIND_RETRY_MS });
    default:
      return new CallError(status.FAILED_PRECONDITION, reason, message);
  }
}
