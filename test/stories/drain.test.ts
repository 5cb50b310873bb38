// SIGTERM with calls open: everybody who waits is told at once, and the process ends by itself with 0.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ServiceError, status } from '@grpc/grpc-js';
import { done, eventually, notYet } from '../observers/eventually.ts';
import { errorDetails } from '../observers/rpc-error.ts';
import { Story } from './story.ts';

const DRAIN_TIMEOUT_MS = 20_000;

describe('a digger that is asked to end', () => {
  it('closes the feed with a last frame, tells waiting callers DRAINING, and exits with 0 within its time', async () => {
    await using story = await Story.begin();
    const digger = await story.startReadyDigger('--drain-timeout', `${DRAIN_TIMEOUT_MS}ms`);
    await story.assertWholeState(digger);
    const subscriber = digger.watch();
    await eventually('the snapshot is complete', () => {
      const kinds = subscriber.frames.map((frame) => frame['frame']);
      return kinds.includes('synced') ? done(undefined) : notYet(kinds);
    });
    const waiting = digger
      .call('LookupService', 'ResolveAddress', { address: '10.244.1.250', wait: { seconds: 9 } })
      .then(
        (answer) => assert.fail(`answered ${JSON.stringify(answer)}`),
        (error: unknown) => error as ServiceError,
      );
    await eventually('the lookup waits', async () => {
      const [, waiters] = /^digger_address_waiters (\d+)$/m.exec(await digger.metrics()) ?? [];
      return waiters === '1' ? done(undefined) : notYet(waiters);
    });

    const sentAt = performance.now();
    digger.terminate();
    for (const error of [await waiting, await subscriber.ended]) {
      assert.equal(error?.code, status.UNAVAILABLE, String(error));
      const { ErrorInfo, RetryInfo } = errorDetails(error);
      assert.equal(ErrorInfo?.['reason'], 'DRAINING', String(error));
      assert.ok(RetryInfo?.['retry_delay'], 'says when to ask again');
    }
    const last = subscriber.frames.at(-1);
    assert.equal(last?.['progress']?.['closing'], true, JSON.stringify(last));
    assert.ok(last['resumeToken'].length > 0, 'a token to go on with elsewhere');

    assert.deepEqual(await digger.ended, { code: 0, signal: null }, digger.log);
    const tookMs = performance.now() - sentAt;
    assert.ok(tookMs < DRAIN_TIMEOUT_MS, `${tookMs} ms`);

    // What it knew is not lost to the subscriber: the next process goes on from the cluster.
    const successor = await story.startReadyDigger();
    await story.assertWholeState(successor);
  });
});
