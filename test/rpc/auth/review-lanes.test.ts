// A lane of reviews: its bounds, whose turn is next, which one is refused at the bound, and that nothing is left of
// those who waited.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';

import { type LaneLimits, ReviewLane, UndecidedError } from '../../../src/rpc/auth/review-lanes.ts';

const LIMITS: LaneLimits = { underWay: 3, underWayOfPeer: 2, waiting: 4, waitMs: 1_000 };

/** Reviews of named peers that a test answers, in the order in which they began. */
class Reviews {
  readonly lane: ReviewLane;
  readonly begun: string[] = [];
  readonly busy: string[] = [];
  readonly #open: { readonly name: string; readonly end: () => void }[] = [];
  readonly #all: Promise<void>[] = [];

  constructor(limits: LaneLimits) {
    this.lane = new ReviewLane(limits);
  }

  ask(peer: string, name: string): void {
    const review = (): Promise<string> => {
      this.begun.push(name);
      const { promise, resolve } = Promise.withResolvers<string>();
      this.#open.push({ name, end: () => resolve(name) });
      return promise;
    };
    const answered = this.lane.run(peer, review).then(
      (answer) => assert.equal(answer, name, 'each gets its own answer'),
      (error: unknown) => {
        assert.ok(error instanceof UndecidedError && error.why === 'busy', String(error));
        this.busy.push(name);
      },
    );
    this.#all.push(answered);
  }

  get open(): number {
    return this.#open.length;
  }

  /** The oldest of those under way ends; the lane hears of it in microtasks. */
  async end(): Promise<void> {
    this.#open.shift()?.end();
    await new Promise((resolve) => setImmediate(resolve));
  }

  async endAll(): Promise<void> {
    while (this.#open.length > 0) await this.end();
    await Promise.all(this.#all);
  }
}

test('13.3 a peer has its share of the room, and peers take turns at what becomes free', async () => {
  const reviews = new Reviews(LIMITS);
  for (const name of ['a1', 'a2', 'a3', 'a4']) reviews.ask('a', name);
  reviews.ask('b', 'b1');
  reviews.ask('b', 'b2');
  assert.deepEqual(reviews.begun, ['a1', 'a2', 'b1'], 'two of a, and b finds the third free');
  await reviews.end();
  await reviews.end();
  assert.deepEqual(reviews.begun.slice(3).toSorted(), ['a3', 'b2']);
  await reviews.endAll();
  assert.deepEqual(reviews.begun.at(-1), 'a4');
  assert.deepEqual(reviews.busy, []);
});

test('13.3 when no more may wait, the newest of the peer with most is refused, not one of a peer with few', async () => {
  const reviews = new Reviews({ ...LIMITS, underWay: 1, underWayOfPeer: 1 });
  for (let index = 0; index < 10; index++) reviews.ask('crowd', `crowd${index}`);
  reviews.ask('honest', 'honest1');
  await reviews.endAll();
  assert.deepEqual(reviews.busy.toSorted(), ['crowd4', 'crowd5', 'crowd6', 'crowd7', 'crowd8', 'crowd9'].toSorted());
  assert.deepEqual(reviews.begun, ['crowd0', 'crowd1', 'honest1', 'crowd2', 'crowd3']);
  assert.equal(reviews.lane.refused, 6);
});

test('13.3 a review that waits too long is undecided, and leaves nothing behind', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const reviews = new Reviews(LIMITS);
  for (const name of ['a1', 'a2', 'a3']) reviews.ask('a', name);
  t.mock.timers.tick(999);
  assert.equal(reviews.lane.waiting, 1);
  t.mock.timers.tick(1);
  assert.equal(reviews.lane.waiting, 0);
  await reviews.endAll();
  assert.deepEqual([reviews.busy, reviews.begun], [['a3'], ['a1', 'a2']]);
});

test('a review that fails gives its place to the next one', async () => {
  const lane = new ReviewLane({ ...LIMITS, underWay: 1 });
  const failing = lane.run('a', () => Promise.reject(new Error('down')));
  const next = lane.run('a', async () => 'next');
  await assert.rejects(failing, /down/);
  assert.equal(await next, 'next');
  assert.equal(lane.underWay, 0);
});

test('whatever peers do, bounds hold, every review gets an answer, and a lane with room never keeps one waiting', async () => {
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom('a', 'b', 'c', 'd') },
    { weight: 2, arbitrary: fc.constant('end') },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 80 }), async (steps) => {
      const reviews = new Reviews(LIMITS);
      let asked = 0;
      for (const each of steps) {
        if (each === 'end') await reviews.end();
        else reviews.ask(each, `${each}${(asked += 1)}`);
        const { underWay, waiting } = reviews.lane;
        assert.equal(underWay, reviews.open);
        assert.ok(underWay <= LIMITS.underWay && waiting <= LIMITS.waiting, `${underWay} and ${waiting}`);
        // Who waits does so because the lane is full, or because its peer has its share.
        if (waiting > 0) assert.ok(underWay >= LIMITS.underWayOfPeer, `${waiting} wait beside ${underWay}`);
      }
      await reviews.endAll();
      assert.equal(reviews.begun.length + reviews.busy.length, asked);
      assert.deepEqual([reviews.lane.underWay, reviews.lane.waiting], [0, 0]);
    }),
    { numRuns: 300 },
  );
});
