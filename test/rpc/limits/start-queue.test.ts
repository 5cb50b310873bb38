// Turns of connections that begin, without sockets.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import {
  MAX_STARTS_PER_TURN,
  MAX_WAITING_STARTS,
  START_TURN_MS,
  StartQueue,
} from '../../../src/rpc/limits/start-queue.ts';

describe('connections that come at once', () => {
  it('begin a few a turn, and one of another source is next, however many came before it', () => {
    const world = new World();
    world.add('10.0.0.1', 500);
    world.add('10.0.0.2');
    world.turn();
    assert.equal(world.begun.length, MAX_STARTS_PER_TURN);
    assert.ok(world.begun.indexOf('10.0.0.2') <= 1, world.begun.join(' '));
    world.untilIdle();
    assert.equal(world.begun.length, 501);
    assert.equal(world.queue.waiting, 0);
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
    world.add('10.0.0.1', MAX_WAITING_STARTS);
    world.add('10.0.0.2', 10);
    assert.equal(world.queue.waiting, MAX_WAITING_STARTS);
    assert.deepEqual(
      world.dropped,
      Array.from({ length: 10 }, () => '10.0.0.1'),
    );
    world.untilIdle();
    assert.equal(world.begun.filter((source) => source === '10.0.0.2').length, 10);
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

/** A loop whose turns are taken by hand. */
class World {
  readonly queue: StartQueue;
  readonly begun: string[] = [];
  readonly dropped: string[] = [];
  takesMs = 0;
  #nowMs = 0;
  #steps: (() => void)[] = [];

  constructor() {
    this.queue = new StartQueue({ afterReads: (run) => void this.#steps.push(run), nowMs: () => this.#nowMs });
  }

  add(source: string, times = 1): void {
    for (let count = 0; count < times; count++) {
      this.queue.add(source, {
        run: () => {
          this.begun.push(source);
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

  untilIdle(): void {
    while (this.#steps.length > 0) this.turn();
  }
}
