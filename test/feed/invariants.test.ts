// What a consumer may rely on in every frame, whatever happens around it.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { parseToken } from '../../src/feed/tokens/resume-token.ts';
import { encodedBytes } from '../../src/wire/encoded-entity.ts';
import { everything } from './cluster.ts';
import { decodeEntity } from './consumer.ts';
import { Harness, type Subscriber } from './harness.ts';

const spec = fc.record({
  kind: fc.constant('Pod' as const),
  namespace: fc.constant('shop'),
  name: fc.constantFrom('n0', 'n1', 'n2', 'n3'),
  labels: fc.constantFrom<Record<string, string>[]>({}, { app: 'x' }),
  revision: fc.nat(99),
});

const act = fc.oneof(
  { weight: 6, arbitrary: fc.record({ act: fc.constantFrom('set' as const, 'recreate' as const), spec }) },
  { weight: 2, arbitrary: fc.record({ act: fc.constant('remove' as const), spec }) },
  { weight: 6, arbitrary: fc.record({ act: fc.constantFrom('turn' as const, 'wait' as const) }) },
  { weight: 3, arbitrary: fc.record({ act: fc.constantFrom('pause' as const, 'resume' as const) }) },
);

describe('every frame', () => {
  it('vouches with its token for no sequence whose change is not in the log, and for nothing that the consumer lacks', () => {
    let vouched = 0;
    fc.assert(
      fc.property(
        fc.array(act, { maxLength: 80, size: 'max' }),
        fc.constantFrom(1, 200, 65_536),
        (acts, maxFrameBytes) => {
          const harness = new Harness({ maxFrameBytes });
          const filter = everything({ labels: new Map([['app', 'x']]) });
          /** What the filter shows after each batch. */
          const pictures = new Map([[0, harness.picture.visible(filter)]]);
          const subscriber = harness.subscribe({ filter, heartbeatMs: 1_000 });
          let looked = 0;
          const look = (): void => {
            // Frames are looked at one by one, before the next thing happens.
            assert.ok(subscriber.frames.length - looked <= 1, 'one frame in a turn');
            if (subscriber.frames.length === looked) return;
            looked = subscriber.frames.length;
            const token = parseToken(subscriber.consumer.token);
            assert.ok(typeof token === 'object');
            const { sequence } = harness.feed.stats();
            assert.ok(
              token.cursor <= sequence && sequence <= harness.picture.sequence,
              `${token.cursor} of ${sequence}`,
            );
            // It has passed everything that there is. (Passing a hole says nothing: what was there has moved on.)
            if (token.cursor !== sequence || token.floor !== sequence) return;
            const shown = pictures.get(sequence);
            assert.ok(shown !== undefined, `${token.cursor} is no end of a batch`);
            vouched += 1;
            const expected = [...shown].map(([key, live]) => [key, decodeEntity(live.kind, encodedBytes(live))]);
            assert.deepEqual(Object.fromEntries(subscriber.consumer.copy), Object.fromEntries(expected));
          };
          for (const each of acts) {
            perform(harness, subscriber, each);
            pictures.set(harness.picture.sequence, harness.picture.visible(filter));
            look();
          }
          subscriber.resume();
          while (harness.scheduler.turn()) look();
        },
      ),
      { numRuns: 300 },
    );
    assert.ok(vouched > 1_000, `${vouched} frames that claimed everything`);
  });
});

type Act = typeof act extends fc.Arbitrary<infer T> ? T : never;

function perform({ picture, scheduler }: Harness, subscriber: Subscriber, each: Act): void {
  switch (each.act) {
    case 'set':
      picture.set(each.spec);
      return;
    case 'recreate':
      picture.recreate(each.spec);
      return;
    case 'remove':
      picture.remove(each.spec.kind, each.spec.namespace, each.spec.name);
      return;
    case 'turn':
      scheduler.turn();
      return;
    case 'wait':
      scheduler.advanceOneTimer();
      return;
    case 'pause':
      subscriber.pause();
      return;
    case 'resume':
      subscriber.resume();
      return;
  }
}
