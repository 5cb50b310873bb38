// How much expensive work a caller may ask for: the bucket against a model, and what callers see of it.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { Metadata } from '@grpc/grpc-js';
import fc from 'fast-check';

import { BURST_SECONDS, CallerRates } from '../../../src/rpc/limits/caller-rates.ts';
import type { CallIdentity } from '../../../src/rpc/auth/authenticator.ts';
import { fakePod, fakeReference, holder, resolved } from '../fake-picture.ts';
import { type Json, serve, type Serving, type TestClient, toFailure } from '../serving.ts';

describe('a bucket for each caller', () => {
  it('lets five seconds of the rate pass at once, then what flows in, and says when there is enough', () => {
    let nowMs = 0;
    const rates = new CallerRates({ perSecond: 100, maxCallers: 10, nowMs: () => nowMs });
    assert.deepEqual(rates.take('a', 450), { allowed: true });
    assert.deepEqual(rates.take('a', 100), { allowed: false, left: 50, retryAfterMs: 500 });
    nowMs = 499;
    assert.equal(rates.take('a', 100).allowed, false);
    nowMs = 500;
    assert.equal(rates.take('a', 100).allowed, true);
    assert.equal(rates.take('b', 500).allowed, true, 'another caller has its own');
  });

  it('lets a call that costs more than it ever holds pass when it is full, and then nothing until that is paid', () => {
    let nowMs = 0;
    const rates = new CallerRates({ perSecond: 10, maxCallers: 10, nowMs: () => nowMs });
    assert.equal(rates.take('a', 1_000).allowed, true);
    nowMs = 95_000;
    assert.equal(rates.take('a', 1).allowed, false);
    nowMs = 95_200;
    assert.equal(rates.take('a', 1).allowed, true);
  });

  it('never gives a caller more than its rate and what it may save up, whatever is asked when', () => {
    const step = fc.record({
      afterMs: fc.nat(3_000),
      caller: fc.constantFrom('a', 'b'),
      cost: fc.integer({ min: 1, max: 400 }),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 200 }), (steps) => {
        let nowMs = 0;
        const rates = new CallerRates({ perSecond: 100, maxCallers: 10, nowMs: () => nowMs });
        const granted: { caller: string; atMs: number; cost: number }[] = [];
        for (const { afterMs, caller, cost } of steps) {
          nowMs += afterMs;
          const verdict = rates.take(caller, cost);
          if (verdict.allowed) granted.push({ caller, atMs: nowMs, cost });
          else assert.ok(verdict.retryAfterMs > 0 && verdict.left < cost);
        }
        // For every interval between two grants of one caller.
        for (const from of granted) {
          let sum = 0;
          for (const { caller, atMs, cost } of granted) {
            if (caller !== from.caller || atMs < from.atMs) continue;
            sum += cost;
            const most = 100 * BURST_SECONDS + ((atMs - from.atMs) / 1000) * 100;
            assert.ok(sum <= most + 1e-6, `${sum} of ${most} in ${atMs - from.atMs} ms`);
          }
        }
      }),
    );
  });

  it('remembers so many callers, and forgets the one that was silent for longest', () => {
    const rates = new CallerRates({ perSecond: 1, maxCallers: 2, nowMs: () => 0 });
    rates.take('a', 5);
    rates.take('b', 5);
    assert.equal(rates.take('a', 1).allowed, false, 'asked last now');
    rates.take('c', 5);
    assert.equal(rates.size, 2);
    assert.equal(rates.take('a', 1).allowed, false);
    assert.equal(rates.take('b', 5).allowed, true, 'begins anew');
  });
});

describe('callers of a server with a rate', () => {
  /** Who they say they are; the server believes them. */
  const believing = (call: CallIdentity): undefined => {
    call.name = String(call.metadata.get('x-name')[0]);
  };
  const queries = (count: number): Json => ({
    queries: Array.from({ length: count }, () => ({ address: '10.0.0.1' })),
  });

  /** One a second: whatever costs more than five empties a bucket for longer than a test takes. */
  async function serveRated(): Promise<Serving> {
    const serving = await serve({ authenticate: believing, limits: { callerRate: 1 } });
    serving.picture.setAnswer('10.0.0.1', resolved(holder(fakePod('web-0', fakeReference('web')), 'POD_IP')));
    return serving;
  }
  function as(name: string): Metadata {
    const metadata = new Metadata();
    metadata.set('x-name', name);
    return metadata;
  }

  it('are refused with what it costs, what is left and when to come back; others are not', async () => {
    const serving = await serveRated();
    try {
      const { client } = serving;
      await client.call('BatchResolveAddresses', queries(1_000), {}, as('greedy'));
      const failure = await client
        .call('BatchResolveAddresses', queries(900), {}, as('greedy'))
        .then(() => assert.fail('was answered'), toFailure);
      assert.equal(failure.code, 'RESOURCE_EXHAUSTED');
      assert.equal(failure.details['ErrorInfo']?.['reason'], 'CALLER_RATE');
      const metadata = failure.details['ErrorInfo']?.['metadata'] as Json;
      assert.equal(metadata['cost'], '900');
      assert.equal(metadata['per_second'], '1');
      const message = 'greedy asks for too much: this call counts as 900 lookups, 0 are left of 1 a second';
      assert.equal(failure.message, message);
      const delay = failure.details['RetryInfo']?.['retryDelay'] as Json;
      assert.ok(Number(delay['seconds'] ?? 0) >= 1, JSON.stringify(delay));
      await client.call('BatchResolveAddresses', queries(1_000), {}, as('modest'));
      // What is cheap is never refused.
      await client.call('ResolveAddress', { address: '10.0.0.1' }, {}, as('greedy'));
      const metrics = await serving.registry.metrics();
      assert.match(metrics, /^digger_limit_refusals_total\{limit="caller_rate"\} 1$/m);
      assert.match(metrics, /^digger_rated_callers 2$/m);
    } finally {
      await serving.stop();
    }
  });

  it('pay for subscriptions and for waiting, and only when they wait', async () => {
    const serving = await serveRated();
    try {
      const { client } = serving;
      assert.equal(await subscribe(client, 'watcher'), 'OPEN');
      assert.equal(await subscribe(client, 'watcher'), 'RESOURCE_EXHAUSTED');
      const held = { address: '10.0.0.1', wait: { seconds: 1 } };
      for (let count = 0; count < 20; count++) await client.call('ResolveAddress', held, {}, as('waiter'));
      const missing = { address: '10.0.0.9', wait: { nanos: 1_000_000 } };
      const outcome = (): Promise<string | undefined> =>
        client.call('ResolveAddress', missing, {}, as('waiter')).then(
          () => 'OK',
          (error: unknown) => toFailure(error).code,
        );
      assert.deepEqual([await outcome(), await outcome()], ['OK', 'RESOURCE_EXHAUSTED']);
    } finally {
      await serving.stop();
    }
  });

  function subscribe(client: TestClient, name: string): Promise<string | undefined> {
    const same = (bytes: Buffer): Buffer => bytes;
    const path = '/digger.v1.ChangeFeedService/Watch';
    const call = client.makeServerStreamRequest(path, same, same, Buffer.alloc(0), as(name));
    return new Promise((resolve) => {
      // The picture's feed says nothing: what is not refused within the time of a call is open.
      call.on('error', (error) => resolve(toFailure(error).code));
      call.resume();
      void client.call('ResolveAddress', { address: '10.0.0.1' }, {}, as('other')).then(() => resolve('OPEN'));
    });
  }
});
