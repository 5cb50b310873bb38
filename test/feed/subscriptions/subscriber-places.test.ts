// Places of subscribers: a number in all, a smaller one for each caller, and every end of a subscription gives one
// back.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { SubscriberPlaces } from '../../../src/feed/subscriptions/subscriber-places.ts';
import { Harness } from '../harness.ts';

describe('places of subscribers', () => {
  it('are as many as were taken and not given back, in whatever order', () => {
    const callers = ['a', 'b', 'c'];
    const act = fc.record({ caller: fc.constantFrom(...callers), takes: fc.boolean() });
    fc.assert(
      fc.property(fc.array(act, { maxLength: 200 }), fc.nat(6), fc.nat(4), (acts, maxSubscribers, perCaller) => {
        const places = new SubscriberPlaces({ maxSubscribers, maxSubscribersPerCaller: perCaller });
        const held = new Map(callers.map((caller) => [caller, 0]));
        const of = (caller: string): number => held.get(caller) ?? 0;
        for (const { caller, takes } of acts) {
          const all = callers.reduce((sum, each) => sum + of(each), 0);
          if (takes) {
            const expected = all >= maxSubscribers ? 'replica' : of(caller) >= perCaller ? 'caller' : undefined;
            assert.equal(places.take(caller), expected);
            if (expected === undefined) held.set(caller, of(caller) + 1);
          } else if (of(caller) > 0) {
            places.free(caller);
            held.set(caller, of(caller) - 1);
          }
          assert.equal(places.mostOfACaller, Math.max(...held.values()));
        }
      }),
    );
  });

  it('are free again however a subscription ends', () => {
    const harness = new Harness({ maxSubscribersPerCaller: 1, stallTimeoutMs: 5_000 });
    const take = (request: object = {}) => harness.subscribe({ caller: 'address:10.0.0.1', ...request });
    const closed = take();
    const refused = take();
    assert.equal(refused.outcome, 'too-many-subscribers');
    assert.equal(take({ caller: 'address:10.0.0.2' }).outcome, 'opened');
    closed.close();
    closed.close();
    const complete = take({ snapshotOnly: true });
    harness.scheduler.settle();
    assert.equal(complete.ended, 'complete');
    const stalled = take();
    stalled.pause();
    harness.scheduler.advance(6_000);
    assert.equal(stalled.ended, 'stalled');
    assert.equal(take({ resumeToken: Buffer.from('no token') }).outcome, 'not-a-token');
    assert.equal(take().outcome, 'opened');
    assert.equal(take().outcome, 'too-many-subscribers');
  });
});
