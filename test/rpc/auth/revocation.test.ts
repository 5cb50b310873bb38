// A caller of an open stream is looked at again: what ends the stream, what does not, and when nothing is left of it.

import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { type TestContext, test } from 'node:test';
import { Metadata, status } from '@grpc/grpc-js';

import type { CallIdentity } from '../../../src/rpc/auth/authenticator.ts';
import { UNDECIDED_RECHECKS, watchForRevocation } from '../../../src/rpc/auth/revocation.ts';
import { CallError } from '../../../src/rpc/errors/call-error.ts';
import { permissionDenied } from '../../../src/rpc/errors/outcomes.ts';

const INTERVAL_MS = 1_000;
const UNDECIDED = new CallError(status.UNAVAILABLE, 'TOO_MANY_REVIEWS', 'too many', { retryDelayMs: 1_000 });

class FakeCall extends EventEmitter {
  cancelled = false;
}

function follow(t: TestContext, verdicts: () => CallError | undefined | Promise<CallError | undefined>) {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const call = new FakeCall();
  const asked: CallIdentity[] = [];
  const identity = {
    method: '/digger.v1.ChangeFeedService/Watch',
    metadata: new Metadata(),
    getPeer: () => '10.0.0.1:1',
  };
  const authenticate = (given: CallIdentity) => {
    asked.push(given);
    return verdicts();
  };
  const begin = (): AbortSignal => watchForRevocation(authenticate, identity, call, INTERVAL_MS);
  const pass = async (): Promise<void> => {
    t.mock.timers.tick(INTERVAL_MS);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { call, asked, begin, pass };
}

test('13.3 a caller who cannot be looked at again keeps its stream for five intervals, and no longer', async (t) => {
  const { begin, pass, asked } = follow(t, () => UNDECIDED);
  const signal = begin();
  for (let interval = 1; interval < UNDECIDED_RECHECKS; interval++) await pass();
  assert.equal(signal.aborted, false);
  await pass();
  const reason = signal.reason as CallError;
  assert.deepEqual(
    [reason.code, reason.reason, reason.message, reason.facts],
    [status.UNAVAILABLE, 'TOO_MANY_REVIEWS', 'too many, 5 times in a row; subscribe again', { retryDelayMs: 1_000 }],
  );
  await pass();
  assert.equal(asked.length, UNDECIDED_RECHECKS, 'asked no further');
  assert.ok(asked.every(({ admitted }) => admitted === true));
});

test('an answer in between begins the count anew, and a refusal ends the stream at once', async (t) => {
  let verdict: CallError | undefined = UNDECIDED;
  const { begin, pass } = follow(t, () => verdict);
  const signal = begin();
  for (let round = 0; round < 3; round++) {
    verdict = UNDECIDED;
    for (let interval = 1; interval < UNDECIDED_RECHECKS; interval++) await pass();
    verdict = undefined;
    await pass();
  }
  assert.equal(signal.aborted, false);
  verdict = permissionDenied('not you', '/m');
  await pass();
  assert.equal(signal.reason, verdict);
});

test('an answer that takes longer than an interval is waited for, and counts once', async (t) => {
  const gate = Promise.withResolvers<CallError | undefined>();
  const { begin, pass, asked } = follow(t, () => gate.promise);
  const signal = begin();
  for (let interval = 0; interval < 10; interval++) await pass();
  assert.deepEqual([asked.length, signal.aborted], [1, false]);
});

test('13.7 a stream that has ended leaves no timer, also when it ended while its caller was looked at', async (t) => {
  const { call, begin, pass, asked } = follow(t, () => undefined);
  begin();
  await pass();
  assert.equal(asked.length, 1);
  call.emit('cancelled');
  await pass();
  assert.equal(asked.length, 1, 'not after its end');
  call.cancelled = true;
  begin();
  await pass();
  await pass();
  assert.equal(asked.length, 1, 'never after an end that came first');
});
