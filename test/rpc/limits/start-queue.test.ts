// Turns of connections that begin, without sockets.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import fc from 'fast-check';

import {
  LEAST_PER_WINDOW,
  MAX_STARTS_PER_TURN,
  MAX_WAITING_STARTS,
  START_TURN_MS,
  StartQueue,
  WINDOW_MS,
} from '../../../src/rpc/limits/start-queue.ts';

describe('connections that come at once', () => {
  it('begin a few a turn, and one of another source is next, however many came before it', () => {
    const world = new World();
    world.add('10.0.0.1', 500);
    world.add('10.0.0.2');
    world.turn();
    assert.equal(world.begun.length, MAX_STARTS_PER_TURN);
    assert.ok(world.begun.indexOf('10.0.0.2') <= 1, world.begun.join(' '));
    world.untilEmpty();
    assert.equal(world.begun.length, 501);
    assert.equal(world.queue.waiting, 0);
  });

  it('begin, of one source, a twentieth of what it may have in each window, and others are not held up', () => {
    const world = new World(1_000);
    world.add('10.0.0.1', 120);
    world.untilIdle();
    assert.equal(world.begun.length, 50);
    world.add('10.0.0.2');
    world.turn();
    assert.equal(world.begun.at(-1), '10.0.0.2');
    world.add('10.0.0.1', 1, false);
    world.turn();
    assert.deepEqual([world.begun.at(-1), world.begun.length], ['10.0.0.1', 52], 'what has begun goes on');
    world.passWindow();
    assert.equal(world.begun.length, 102);
    assert.equal(world.queue.waiting, 20);
    world.passWindow();
    assert.deepEqual([world.begun.length, world.queue.waiting], [122, 0]);
    world.passWindow();
    assert.equal(world.windows, 0, 'no timer runs while none come');
  });

  it('begin at once where a source opens a few, however few it may have', () => {
    const world = new World(10);
    world.add('10.0.0.1', LEAST_PER_WINDOW);
    world.untilIdle();
    assert.equal(world.begun.length, LEAST_PER_WINDOW);
  });

  it('begin one a turn when each takes long, as a handshake does', () => {
    const world = new World();
    world.add('10.0.0.1', 20);
    world.takesMs = START_TURN_MS * 1.5;
    for (let turn = 1; turn <= 5; turn++) {
      world.turn();
      assert.equal(world.begun.length, turn);
    }
    world.untilIdle();
    assert.equal(world.begun.length, 20);
  });

  it('go, beyond the bound, from the source that has most waiting, its latest first', () => {
    const world = new World();
    world.add('10.0.0.2', 1, false);
    world.untilIdle();
    world.add('10.0.0.1', MAX_WAITING_STARTS);
    world.add('10.0.0.2', 10);
    assert.equal(world.queue.waiting, MAX_WAITING_STARTS);
    assert.deepEqual(
      world.dropped,
      Array.from({ length: 10 }, () => '10.0.0.1'),
    );
    world.untilEmpty();
    assert.equal(world.begun.filter((source) => source === '10.0.0.2').length, 11);
  });

  it('go all when the service stops', () => {
    const world = new World();
    world.add('10.0.0.1', 5);
    world.queue.dropAll();
    assert.equal(world.dropped.length, 5);
    world.untilIdle();
    assert.deepEqual([world.begun.length, world.queue.waiting], [0, 0]);
    world.add('10.0.0.1');
    world.untilIdle();
    assert.equal(world.begun.length, 1, 'the turns go on');
  });
});

it('whatever comes: each step begins or is dropped once, and no source begins more in a window than it may', () => {
  const step = fc.oneof(
    fc.record({ source: fc.constantFrom('a', 'b', 'c'), times: fc.integer({ min: 1, max: 30 }), isNew: fc.boolean() }),
    fc.constantFrom('turn', 'window'),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const world = new World(10);
      let added = 0;
      for (const each of steps) {
        if (each === 'turn') world.turn();
        else if (each === 'window') world.passWindow();
        else {
          world.add(each.source, each.times, each.isNew);
          added += each.times;
        }
        assert.equal(world.begun.length + world.dropped.length + world.queue.waiting, added);
        for (const count of world.newInWindow.values()) assert.ok(count <= LEAST_PER_WINDOW, `${count}`);
      }
      world.untilEmpty();
      assert.equal(world.begun.length, added);
    }),
  );
});

/** A loop whose turns, and a clock whose windows, are taken by hand. */
class World {
  readonly queue: StartQueue;
  readonly begun: string[] = [];
  readonly dropped: string[] = [];
  /** By source. */
  readonly newInWindow = new Map<string, number>();
  takesMs = 0;
  #nowMs = 0;
  #steps: (() => void)[] = [];
  #windowEnds: (() => void)[] = [];

  constructor(maxConnectionsPerSource = 100_000) {
    this.queue = new StartQueue({
      maxConnectionsPerSource,
      afterReads: (run) => void this.#steps.push(run),
      after: (run, ms) => {
        assert.equal(ms, WINDOW_MS);
        this.#windowEnds.push(run);
      },
      nowMs: () => this.#nowMs,
    });
  }

  /** Windows that are open. */
  get windows(): number {
    return this.#windowEnds.length;
  }

  add(source: string, times = 1, isNew = true): void {
    for (let count = 0; count < times; count++) {
      this.queue.add(source, {
        isNew,
        run: () => {
          this.begun.push(source);
          if (isNew) this.newInWindow.set(source, (this.newInWindow.get(source) ?? 0) + 1);
          this.#nowMs += this.takesMs;
        },
        drop: () => void this.dropped.push(source),
      });
    }
  }

  turn(): void {
    const steps = this.#steps;
    this.#steps = [];
    for (const step of steps) step();
  }

  /** The window ends, and turns are taken until none is planned. */
  passWindow(): void {
    const ends = this.#windowEnds;
    this.#windowEnds = [];
    this.newInWindow.clear();
    for (const end of ends) end();
    this.untilIdle();
  }

  /** Takes turns until none is planned. */
  untilIdle(): void {
    while (this.#steps.length > 0) this.turn();
  }

  untilEmpty(): void {
    this.untilIdle();
    while (this.queue.waiting > 0) this.passWindow();
  }
}
