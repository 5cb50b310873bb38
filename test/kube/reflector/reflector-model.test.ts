// A reflector is equal to the cluster at every quiet point, whatever the way there, and lists only where it has to.
//
// Random acts against the modelled API server of this folder; fast-check prints the seed and the path of a failure, and
// makes it small. test/long/reflector-model.test.ts plays a hundred times as many.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Act, ERROR_CODES, run } from './modelled-run.ts';
import { type Mood, REFUSALS } from './modelled-api-server.ts';

const STEPS = Number(process.env['REFLECTOR_STEPS'] ?? 20_000);
const ACTS_PER_RUN = 80;

const name = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f');
const mood: fc.Arbitrary<Partial<Mood>> = fc.record(
  {
    encoding: fc.constantFrom<Mood['encoding'][]>('protobuf', 'json'),
    streamedLists: fc.constantFrom<Mood['streamedLists'][]>('served', 'served', 'refused', 'ignored', 'never complete'),
    pagesAtZero: fc.boolean(),
    forgetsPages: fc.boolean(),
    lags: fc.boolean(),
    sloppy: fc.boolean(),
    errorsAsEvents: fc.boolean(),
    bookmarks: fc.boolean(),
    repeatsContinue: fc.boolean(),
    down: fc.boolean(),
  },
  { requiredKeys: [] },
);
const acts: readonly (readonly [number, fc.Arbitrary<Act>])[] = [
  [
    30,
    fc.record({ act: fc.constantFrom('put' as const, 'put' as const, 'remove' as const, 'recreate' as const), name }),
  ],
  [4, fc.record({ act: fc.constant('write elsewhere' as const), versions: fc.integer({ min: 1, max: 9 }) })],
  [6, fc.record({ act: fc.constantFrom('bookmark' as const, 'bookmark' as const, 'hold' as const) })],
  [1, fc.record({ act: fc.constant('put unreadable' as const), name })],
  [
    2,
    fc.record({ act: fc.constantFrom('poison' as const, 'compact' as const, 'restart' as const, 'damage' as const) }),
  ],
  [6, fc.record({ act: fc.constant('release' as const), pieces: fc.constantFrom(1, 2, 3, undefined, undefined) })],
  [
    1,
    fc.record({
      act: fc.constant('restore' as const),
      versions: fc.integer({ min: 1, max: 12 }),
      how: fc.constantFrom('end' as const, 'reset' as const),
    }),
  ],
  [4, fc.record({ act: fc.constant('cut' as const), how: fc.constantFrom('end', 'reset', 'half a frame') })],
  [2, fc.record({ act: fc.constant('error' as const), code: fc.constantFrom(...ERROR_CODES) })],
  [
    3,
    fc.record({
      act: fc.constant('refuse' as const),
      refusals: fc.array(fc.constantFrom(...REFUSALS), { minLength: 1, maxLength: 4 }),
    }),
  ],
  [3, fc.record({ act: fc.constant('change mood' as const), mood })],
  [12, fc.record({ act: fc.constant('wait' as const), ms: fc.constantFrom(1, 900, 2_000, 10_000, 70_000, 700_000) })],
  [3, fc.constant({ act: 'settle down' } as const)],
];

test('a reflector is equal to the cluster at every quiet point, and lists only where no watch can go on', async (t) => {
  const totals = { steps: 0, comparisons: 0, lists: 0, resumes: 0 };
  const restarts = new Map<string, number>();
  const options = fc.record({
    seed: fc.integer({ min: 0, max: 0x7fffffff }),
    // Versions beyond 64 bits too: they must not be taken for numbers.
    firstVersion: fc.constantFrom(1_000n, 10n ** 25n),
    streamInitialList: fc.boolean(),
    acts: fc.array(fc.oneof(...acts.map(([weight, arbitrary]) => ({ weight, arbitrary }))), {
      minLength: ACTS_PER_RUN / 2,
      maxLength: ACTS_PER_RUN * 1.5,
      size: 'max',
    }),
  });
  await fc.assert(
    fc.asyncProperty(options, async (given) => {
      const report = await run(given);
      totals.steps += report.steps;
      totals.comparisons += report.comparisons;
      totals.lists += report.lists;
      totals.resumes += report.resumes;
      for (const [reason, times] of report.restarts) restarts.set(reason, (restarts.get(reason) ?? 0) + times);
    }),
    { numRuns: Math.ceil(STEPS / ACTS_PER_RUN) + 5 },
  );
  t.diagnostic(JSON.stringify({ ...totals, restarts: Object.fromEntries([...restarts].sort()) }));
  assert.ok(totals.steps > STEPS * 0.9, `${totals.steps} steps`);
  assert.ok(totals.comparisons > totals.steps / 4, `${totals.comparisons} comparisons in ${totals.steps} steps`);
  // Every class of failure was met, and its answer with it.
  for (const kind of [
    'expired',
    'version_too_large',
    'throttled',
    'server_error',
    'unreachable',
    'undecodable',
    'stalled',
    'expired_continue',
    'store_read_error',
    'rejected',
    'short_watch',
    'ended_early',
  ]) {
    assert.ok((restarts.get(kind) ?? 0) > 0, `never ${kind}`);
  }
});

for (const [bookmarks, how] of [
  [true, 'reset'],
  [false, 'reset'],
  [true, 'end'],
  [false, 'end'],
] as const) {
  const ended = how === 'end' ? 'that ended its watches in good order and ' : '';
  test(`a server ${ended}that was restored from a backup is listed afresh before any watch goes on, ${bookmarks ? 'with' : 'without'} bookmarks`, async () => {
    const acts: readonly Act[] = [
      { act: 'change mood', mood: { bookmarks } },
      { act: 'put', name: 'kept' },
      { act: 'wait', ms: 70_000 },
      { act: 'put', name: 'lost' },
      { act: 'restore', versions: 1, how },
    ];
    const { lists, checks, restarts } = await run({ seed: 1, firstVersion: 1_000n, streamInitialList: false, acts });
    assert.equal(restarts.get('version_too_large'), 1);
    // The first list, and one of the latest.
    assert.deepEqual([lists, checks], [2, 1]);
  });
}

for (const [kind, spoil] of [
  ['undecodable', { act: 'put unreadable', name: 'a' }],
  ['server_error', { act: 'poison' }],
] as const) {
  test(`12.9: what every watch from a version meets again (${kind}) is passed over by one list`, async () => {
    const acts: readonly Act[] = [
      { act: 'put', name: 'a' },
      spoil,
      { act: 'cut', how: 'reset' },
      { act: 'wait', ms: 3_600_000 },
      { act: 'put', name: 'b' },
    ];
    const { lists, restarts } = await run({ seed: 1, firstVersion: 1_000n, streamInitialList: false, acts });
    assert.deepEqual([lists, restarts.get(kind)], [2, 3]);
  });
}

test('a server that sends no bookmarks is never listed again, however quiet', async () => {
  const acts: readonly Act[] = [
    { act: 'change mood', mood: { bookmarks: false } },
    { act: 'put', name: 'a' },
    { act: 'wait', ms: 7_200_000 },
    { act: 'cut', how: 'reset' },
    { act: 'wait', ms: 7_200_000 },
  ];
  const { lists, checks } = await run({ seed: 1, firstVersion: 1_000n, streamInitialList: false, acts });
  assert.deepEqual([lists, checks], [1, 1]);
});

test('a server that was away and comes back as it was is asked for one object and not listed, whatever it took', async () => {
  const acts: readonly Act[] = [
    { act: 'put', name: 'a' },
    { act: 'wait', ms: 70_000 },
    { act: 'change mood', mood: { down: true } },
    { act: 'cut', how: 'reset' },
    { act: 'put', name: 'b' },
    { act: 'wait', ms: 700_000 },
    { act: 'change mood', mood: { down: false } },
    { act: 'wait', ms: 10_000 },
    // No event and no bookmark yet, which is nothing to wonder at.
    { act: 'cut', how: 'end' },
    { act: 'wait', ms: 3_600_000 },
  ];
  const { lists, restarts } = await run({ seed: 1, firstVersion: 1_000n, streamInitialList: false, acts });
  assert.equal(lists, 1);
  assert.deepEqual(
    [...restarts],
    [
      ['unreachable', 1],
      ['ended_early', 1],
    ],
  );
});
