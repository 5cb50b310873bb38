// The memory of reviews against a slow model: never an allowance older than its time, never more than the bounds, and
// never a second question while the first is open.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';

import { type Asker, type Decision, DecisionCache } from '../../../src/rpc/auth/decision-cache.ts';
import { type LaneLimits, UndecidedError } from '../../../src/rpc/auth/review-lanes.ts';

const ALLOWED_TTL_MS = 100;
const DENIED_TTL_MS = 40;
const MAX_ENTRIES = 3;
const LANE: LaneLimits = { underWay: 2, underWayOfPeer: 1, waiting: 2, waitMs: 60_000 };

type Step =
  | { readonly do: 'ask'; readonly key: string; readonly peer: string; readonly admitted: boolean }
  | { readonly do: 'prove'; readonly key: string }
  | { readonly do: 'answer'; readonly how: 'allow' | 'deny' | 'fail' }
  | { readonly do: 'wait'; readonly ms: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('ask'),
      key: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
      peer: fc.constantFrom('p', 'q'),
      admitted: fc.constantFrom(false, false, false, true),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('prove'), key: fc.constantFrom('a', 'b', 'c', 'd', 'e') }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('answer'),
      how: fc.constantFrom('allow', 'allow', 'allow', 'deny', 'deny', 'fail'),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait'), ms: fc.constantFrom(1, 5, 20, 45, 60, 600) }) },
) as fc.Arbitrary<Step>;

test('what is remembered is what was decided last, for no longer than it may be', async () => {
  let served = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 100 }), async (steps) => {
      let nowMs = 0;
      const cache = createCache(() => nowMs);
      const open: { readonly key: string; readonly answer: PromiseWithResolvers<Decision> }[] = [];
      const last = new Map<string, { readonly allowed: boolean; readonly atMs: number }>();
      const waiting: Promise<unknown>[] = [];
      for (const each of steps) {
        if (each.do === 'wait') nowMs += each.ms;
        else if (each.do === 'ask') {
          const { key, peer, admitted } = each;
          const decided = cache.decide(key, { peer: () => peer, admitted }, () => {
            assert.ok(!open.some((other) => other.key === key), `${key} is asked about twice at once`);
            const answer = Promise.withResolvers<Decision>();
            open.push({ key, answer });
            return answer.promise;
          });
          assert.ok(open.length <= 2 * LANE.underWay, `${open.length} under way`);
          for (const lane of ['known', 'new'] as const) {
            const { underWay, waiting } = cache.lane(lane);
            assert.ok(underWay <= LANE.underWay && waiting <= LANE.waiting, `${lane}: ${underWay} and ${waiting}`);
          }
          if (decided instanceof Promise) {
            waiting.push(decided.catch((error: unknown) => assert.ok(error instanceof UndecidedError, String(error))));
          } else {
            served += 1;
            const decision = last.get(key);
            assert.equal(decided.allowed, decision?.allowed);
            const ageMs = nowMs - (decision?.atMs ?? Number.NaN);
            assert.ok(ageMs < (decided.allowed ? ALLOWED_TTL_MS : DENIED_TTL_MS), `served after ${ageMs} ms`);
          }
        } else if (each.do === 'prove') cache.prove(each.key);
        else {
          const question = open.shift();
          if (question === undefined) continue;
          const { key, answer } = question;
          if (each.how === 'fail') answer.reject(new UndecidedError('failed', 'down'));
          else {
            last.set(key, { allowed: each.how === 'allow', atMs: nowMs });
            answer.resolve({ allowed: each.how === 'allow' });
          }
          // The cache hears of it in microtasks.
          await new Promise((resolve) => setImmediate(resolve));
        }
        assert.ok(cache.size <= 3 * MAX_ENTRIES, `${cache.size} entries`);
      }
      // What waits is asked for when what is under way ends.
      while (open.length > 0) {
        for (const { answer } of open.splice(0)) answer.reject(new UndecidedError('failed', 'the end'));
        await new Promise((resolve) => setImmediate(resolve));
      }
      await Promise.all(waiting);
      for (const lane of ['known', 'new'] as const) {
        const { underWay, waiting: stillWaiting } = cache.lane(lane);
        assert.deepEqual([underWay, stillWaiting], [0, 0], lane);
      }
    }),
    { numRuns: 300 },
  );
  assert.ok(served > 100, `only ${served} were served from memory`);
});

const STRANGER: Asker = { peer: () => 'p', admitted: false };

test('denials never push out allowances, nor do tokens that allow nothing push out known callers', async () => {
  const cache = createCache(() => 0);
  const [allow, deny] = [async () => ({ allowed: true }), async () => ({ allowed: false })];
  await cache.decide('known', STRANGER, allow);
  cache.prove('known');
  for (let index = 0; index < 100; index++) await cache.decide(`useless-${index}`, STRANGER, allow);
  await cache.decide('good', STRANGER, allow);
  for (let index = 0; index < 100; index++) await cache.decide(`bad-${index}`, STRANGER, deny);
  for (const key of ['known', 'good']) {
    assert.deepEqual(
      cache.decide(key, STRANGER, () => assert.fail('asked again')),
      { allowed: true },
    );
  }
  assert.equal(cache.size, 1 + 2 * MAX_ENTRIES);
});

test('13.3 newcomers whose reviews hang or fail take neither room nor patience from callers that are known', async () => {
  let nowMs = 0;
  const cache = createCache(() => nowMs, true);
  let asked = 0;
  const allow = async (): Promise<Decision> => {
    asked += 1;
    return { allowed: true };
  };
  await cache.decide('known', STRANGER, allow);
  const fail = Promise.withResolvers<Decision>();
  const crowd = Array.from({ length: 50 }, (_, index) =>
    Promise.resolve(
      cache.decide(`rubbish-${index}`, { peer: () => `peer-${index % 10}`, admitted: false }, () => fail.promise),
    ).then(
      () => assert.fail('allowed'),
      (error: unknown) => error,
    ),
  );
  nowMs += ALLOWED_TTL_MS;
  assert.deepEqual(await cache.decide('known', STRANGER, allow), { allowed: true }, 'its time has run out');
  fail.reject(new UndecidedError('failed', 'down'));
  const failures = (await Promise.all(crowd)) as UndecidedError[];
  assert.equal(failures.filter(({ why }) => why === 'busy').length, 46, 'all that found no room');
  await assert.rejects(
    async () => cache.decide('other', STRANGER, () => assert.fail('asked right after a failure')),
    UndecidedError,
  );
  nowMs += ALLOWED_TTL_MS;
  assert.deepEqual(await cache.decide('known', STRANGER, allow), { allowed: true }, 'right after their failure');
  assert.equal(asked, 3);
});

/** `allowedIsProven`: what is allowed counts as known. */
function createCache(nowMs: () => number, allowedIsProven = false): DecisionCache<Decision> {
  return new DecisionCache<Decision>({
    allowedTtlMs: ALLOWED_TTL_MS,
    deniedTtlMs: DENIED_TTL_MS,
    maxEntries: MAX_ENTRIES,
    allowedIsProven,
    lanes: { known: LANE, new: LANE },
    nowMs,
  });
}
