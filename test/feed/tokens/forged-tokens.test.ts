// Tokens that were made up, with everything right that can be right: the service lives, others are served, and what
// the forger gets is bounded.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { encodeToken, parseToken } from '../../../src/feed/tokens/resume-token.ts';
import { type MomentRange, sourceSet } from '../../../src/feed/tokens/token-sources.ts';
import { Picture } from '../cluster.ts';
import { Harness } from '../harness.ts';

const POD = { kind: 'Pod', namespace: 'shop', name: 'web-0', nodeName: 'node-a' } as const;
const sequence = fc.oneof({ weight: 6, arbitrary: fc.nat(8) }, { weight: 1, arbitrary: fc.maxSafeNat() });
const version = fc.oneof(fc.nat(12).map(String), fc.bigInt(0n, 2n ** 64n - 1n).map(String));
const moment = fc.record({ version, digest: fc.oneof(fc.nat(12), fc.maxSafeNat()) });
const range = fc.oneof(
  moment.map((each): MomentRange => ({ low: each, high: each })),
  fc.record({ low: moment, high: moment }),
);

describe('a forged token', () => {
  it('gets an answer, costs others nothing, and leaves nothing', async () => {
    const seen = { resumed: 0, reset: 0, behind: 0 };
    const forged = fc.record({
      isOurs: fc.boolean(),
      issuedMs: fc.oneof(fc.constant(0), fc.constant(1_700_000_000_000), fc.maxSafeNat()),
      cursor: sequence,
      floor: sequence,
      held: sequence,
      names: fc.constantFrom(['pods'], ['pods', 'nodes'], []),
      ranges: fc.array(range, { minLength: 1, maxLength: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(forged, async ({ isOurs, names, ranges, ...numbers }) => {
        const harness = new Harness();
        const { feed, scheduler } = harness;
        const picture: Picture = new Picture((batch) =>
          feed.onBatch({ ...batch, position: { ...batch.position, digest: picture.sequence } }),
        );
        for (let revision = 0; revision < 6; revision++) picture.set({ ...POD, name: `web-${revision % 3}`, revision });
        picture.remove('Pod', 'shop', 'web-2');
        const healthy = harness.subscribe();
        scheduler.settle();
        const own = parseToken(healthy.consumer.token);
        assert.ok(typeof own === 'object');
        const resumeToken = encodeToken({
          ...own,
          ...numbers,
          epoch: isOurs ? own.epoch : Buffer.alloc(16, 9),
          sources: { set: sourceSet(names), ranges },
        });
        const timers = scheduler.timers;
        const forger = harness.subscribe({ resumeToken });
        scheduler.advance(5_000);
        if (forger.ended === 'behind') seen.behind += 1;
        else if (forger.consumer.story[0]?.startsWith('reset')) seen.reset += 1;
        else seen.resumed += 1;
        assert.ok(forger.ended === 'behind' || forger.consumer.synced, forger.consumer.story.join());
        assert.ok(forger.frames.length <= 20, `${forger.frames.length} frames`);
        if (forger.consumer.story[0]?.startsWith('reset')) {
          assert.deepEqual(forger.consumer.held, healthy.consumer.held, 'it starts over like any other');
        }
        picture.set({ ...POD, revision: 50 });
        scheduler.advance(1_000);
        assert.equal(healthy.consumer.copy.size, 2);
        forger.close();
        assert.equal(feed.stats().subscribers, 1);
        assert.ok(scheduler.timers <= timers, `${scheduler.timers} timers`);
      }),
      { numRuns: 1_000 },
    );
    assert.ok(seen.resumed > 50 && seen.reset > 20, JSON.stringify(seen));
  });
});
