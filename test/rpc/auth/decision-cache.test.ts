// The memory of reviews against a slow model: never an allowance older than its time, never more than the bounds, and
// never a second question while the first is open.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';

import { type Decision, DecisionCache, UndecidedError } from '../../../src/rpc/auth/decision-cache.ts';

const ALLOWED_TTL_MS = 100;
const DENIED_TTL_MS = 40;
const MAX_ENTRIES = 3;
const MAX_UNDER_WAY = 2;

type Step =
  | { readonly do: 'ask'; readonly key: string }
  | { readonly do: 'answer'; readonly how: 'allow' | 'deny' | 'fail' }
  | { readonly do: 'wait'; readonly ms: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('ask'), key: fc.constantFrom('a', 'b', 'c', 'd', 'e') }),
  },
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
      const cache = new DecisionCache<Decision>({
        allowedTtlMs: ALLOWED_TTL_MS,
        deniedTtlMs: DENIED_TTL_MS,
        maxEntries: MAX_ENTRIES,
        maxUnderWay: MAX_UNDER_WAY,
        nowMs: () => nowMs,
      });
      const open: { readonly key: string; readonly answer: PromiseWithResolvers<Decision> }[] = [];
      const last = new Map<string, { readonly allowed: boolean; readonly atMs: number }>();
      const waiting: Promise<unknown>[] = [];
      for (const each of steps) {
        if (each.do === 'wait') nowMs += each.ms;
        else if (each.do === 'ask') {
          const { key } = each;
          const decided = cache.decide(key, () => {
            assert.ok(!open.some((other) => other.key === key), `${key} is asked about twice at once`);
            const answer = Promise.withResolvers<Decision>();
            open.push({ key, answer });
            return answer.promise;
          });
          assert.ok(open.length <= MAX_UNDER_WAY, `${open.length} under way`);
          if (decided instanceof Promise) {
            waiting.push(decided.catch((error: unknown) => assert.ok(error instanceof UndecidedError, String(error))));
          } else {
            served += 1;
            const decision = last.get(key);
            assert.equal(decided.allowed, decision?.allowed);
            const ageMs = nowMs - (decision?.atMs ?? Number.NaN);
            assert.ok(ageMs < (decided.allowed ? ALLOWED_TTL_MS : DENIED_TTL_MS), `served after ${ageMs} ms`);
          }
        } else {
          const question = open.shift();
          if (question === undefined) continue;
          const { key, answer } = question;
          if (each.how === 'fail') answer.reject(new UndecidedError('down'));
          else {
            last.set(key, { allowed: each.how === 'allow', atMs: nowMs });
            answer.resolve({ allowed: each.how === 'allow' });
          }
          // The cache hears of it in microtasks.
          await new Promise((resolve) => setImmediate(resolve));
        }
        assert.ok(cache.size <= 2 * MAX_ENTRIES, `${cache.size} entries`);
      }
      for (const { answer } of open) answer.reject(new UndecidedError('the end'));
      await Promise.all(waiting);
    }),
    { numRuns: 300 },
  );
  assert.ok(served > 100, `only ${served} were served from memory`);
});

test('denials never push out allowances, however many there are', async () => {
  const cache = new DecisionCache<Decision>({
    allowedTtlMs: ALLOWED_TTL_MS,
    deniedTtlMs: DENIED_TTL_MS,
    maxEntries: MAX_ENTRIES,
    maxUnderWay: MAX_UNDER_WAY,
    nowMs: () => 0,
  });
  await cache.decide('good', async () => ({ allowed: true }));
  for (let index = 0; index < 100; index++) await cache.decide(`bad-${index}`, async () => ({ allowed: false }));
  assert.deepEqual(
    cache.decide('good', () => assert.fail('asked again')),
    { allowed: true },
  );
  assert.equal(cache.size, 1 + MAX_ENTRIES);
});
