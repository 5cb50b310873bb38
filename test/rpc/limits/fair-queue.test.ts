// Turns of calls, without sockets: who begins when, and who is not read meanwhile.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';

import {
  type FairConnection,
  FairQueue,
  MAX_AT_ONCE,
  MAX_AT_ONCE_OF_SOURCE,
  MAX_CALLS_PER_TURN,
  MAX_REMEMBERED,
  MAX_RESUMED_PER_TURN,
  READ_BUDGET,
  READ_BUDGET_OF_FLOOD,
  REMEMBERED_MS,
  RESUME_BELOW,
  TURN_MS,
} from '../../../src/rpc/limits/fair-queue.ts';

describe('calls that come at once', () => {
  it('begin where they are read while they are few', () => {
    const world = new World();
    const caller = world.connection('10.0.0.1');
    for (let turn = 0; turn < 100; turn++) {
      world.call(caller, 'a', MAX_CALLS_PER_TURN);
      assert.equal(world.begun.length, (turn + 1) * MAX_CALLS_PER_TURN);
      world.turn();
    }
    assert.deepEqual([world.waited, world.pauses], [0, 0]);
  });

  it('leave room for those of other sources, which begin where they are read, and begin so few a turn', () => {
    const world = new World();
    for (const connection of world.connections('10.0.0.1', 36)) world.call(connection, 'flood', 100);
    world.call(world.connection('10.0.0.2'), 'healthy');
    assert.equal(world.begun.length, MAX_AT_ONCE_OF_SOURCE + 1, 'those that began where they were read');
    assert.equal(world.begun.at(-1), 'healthy');
    world.turn();
    assert.equal(world.begun.length, MAX_AT_ONCE_OF_SOURCE + 1 + MAX_CALLS_PER_TURN);
    world.untilIdle();
    assert.equal(world.begun.length, 36 * 100 + 1, 'all of them begin');
  });

  it('of many sources begin so few where they are read that a call after them is next after one turn', () => {
    const world = new World();
    for (let source = 0; source < 20; source++) world.call(world.connection(`10.0.1.${source}`), 'flood', 100);
    world.call(world.connection('10.0.0.2'), 'healthy');
    assert.equal(world.begun.length, MAX_AT_ONCE, 'those that began where they were read');
    world.turn();
    assert.ok(world.begun.includes('healthy'));
    assert.ok(world.begun.indexOf('healthy') <= MAX_AT_ONCE + 20, `${world.begun.indexOf('healthy')} before it`);
    assert.equal(world.begun.length, MAX_AT_ONCE + MAX_CALLS_PER_TURN);
  });

  it('of one source come from its connections in turn', () => {
    const world = new World();
    const [many, one] = world.connections('10.0.0.1', 2);
    assert.ok(many && one);
    world.call(many, 'many', 500);
    world.call(one, 'one');
    world.turn();
    assert.ok(world.begun.indexOf('one') <= MAX_AT_ONCE_OF_SOURCE + 1, `${world.begun.indexOf('one')} before it`);
  });

  it('begin one a turn when each of them takes long', () => {
    const world = new World();
    world.call(world.connection('10.0.0.1'), 'flood', 100);
    world.takesMs = 8;
    for (let turn = 1; turn <= 5; turn++) {
      world.turn();
      assert.equal(world.begun.length, MAX_AT_ONCE_OF_SOURCE + turn);
    }
    world.takesMs = TURN_MS / 4;
    world.turn();
    assert.equal(world.begun.length, MAX_AT_ONCE_OF_SOURCE + 5 + 4);
  });

  it('that have ended while they waited take no turn from others', () => {
    const world = new World();
    const attacker = world.connection('10.0.0.1');
    world.call(attacker, 'begun', MAX_AT_ONCE_OF_SOURCE);
    world.call(attacker, 'reset', 900, false);
    world.call(attacker, 'kept');
    world.turn();
    assert.equal(world.begun.at(-1), 'kept');
    assert.equal(world.queue.waiting, 0);
  });

  it('that have ended while they waited, in thousands, take several turns all the same', () => {
    const world = new World();
    const attacker = world.connection('10.0.0.1');
    world.call(attacker, 'begun', MAX_AT_ONCE_OF_SOURCE);
    world.endedTakeMs = 0.01;
    world.call(attacker, 'reset', 5_000, false);
    world.turn();
    const passed = 5_000 - world.queue.waiting;
    assert.ok(passed > 0 && passed <= 200, `${passed} in one turn`);
    world.untilIdle();
    assert.equal(world.queue.waiting, 0);
  });
});

describe('a source of which many calls wait', () => {
  it('is not read, on none of its connections, until few are left; others are', () => {
    const world = new World();
    const flood = world.connections('10.0.0.1', 10);
    const [first] = flood;
    const other = world.connection('10.0.0.2');
    assert.ok(first);
    world.call(first, 'flood', MAX_AT_ONCE_OF_SOURCE + READ_BUDGET - 1);
    assert.equal(world.queue.paused, 0);
    world.call(first, 'flood');
    assert.deepEqual(
      flood.map(({ isRead }) => isRead),
      flood.map(() => false),
    );
    assert.equal(other.isRead, true);
    while (world.queue.waiting >= RESUME_BELOW) {
      assert.equal(
        flood.some(({ isRead }) => isRead),
        false,
      );
      world.turn();
    }
    const read = (): number => flood.filter(({ isRead }) => isRead).length;
    assert.equal(read(), MAX_RESUMED_PER_TURN);
    world.turn();
    assert.equal(read(), 10);
    assert.equal(world.pauses, 10);
  });

  it('has few of its connections read again in a turn, and others of them in the next: none is left out', () => {
    const world = new World();
    const flood = world.connections('10.0.0.1', 100);
    // The system tells of those first that have been waited for first.
    const bring = (): void => {
      for (const connection of flood.toSorted((a, b) => a.resumedAt - b.resumedAt)) {
        if (connection.isRead) world.call(connection, 'flood', 32);
      }
    };
    bring();
    for (let turn = 0; turn < 400; turn++) {
      world.turn();
      assert.ok(flood.filter(({ isRead }) => isRead).length <= MAX_RESUMED_PER_TURN);
      bring();
    }
    world.untilIdle();
    for (const connection of flood) assert.ok(connection.begun >= 32, 'each has been read');
  });

  it('has all of its calls wait for their turn for a while, and is read for fewer of them', () => {
    const world = new World();
    const [first, second] = world.connections('10.0.0.1', 2);
    assert.ok(first && second);
    world.call(first, 'flood', 100);
    world.untilIdle();
    assert.equal(world.queue.isFlooding('10.0.0.1'), true);
    const before = world.begun.length;
    world.takesMs = TURN_MS;
    world.call(first, 'flood', READ_BUDGET_OF_FLOOD);
    assert.equal(world.begun.length, before, 'none where it was read');
    assert.deepEqual([first.isRead, second.isRead], [false, false]);
    world.turn();
    assert.equal(world.begun.length, before + 1, 'the clock ends the turn');
    world.untilIdle();
    world.pass(REMEMBERED_MS + 1);
    assert.equal(world.queue.isFlooding('10.0.0.1'), false);
    world.call(first, 'later');
    assert.equal(world.begun.at(-1), 'later');
  });

  it('is not taken for one that floods when it was for handshakes, or for calls that ended', () => {
    const world = new World();
    const connection = world.connection('10.0.0.1');
    world.queue.noteEffort(connection, READ_BUDGET);
    assert.deepEqual([world.queue.remembered, world.queue.isFlooding('10.0.0.1')], [1, false]);
    for (let count = 0; count < READ_BUDGET; count++) world.queue.noteRefused(world.connection('10.0.0.2'));
    assert.equal(world.queue.isFlooding('10.0.0.2'), true);
  });

  it('has a connection that opens meanwhile wait like the others', () => {
    const world = new World();
    world.call(world.connection('10.0.0.1'), 'flood', MAX_AT_ONCE_OF_SOURCE + READ_BUDGET);
    const late = world.connection('10.0.0.1');
    assert.equal(late.isRead, true);
    world.call(late, 'late');
    assert.equal(late.isRead, false);
    world.untilIdle();
    assert.equal(late.isRead, true);
  });

  it('is not read either when its calls came a few a turn', () => {
    const world = new World();
    const [first, second] = world.connections('10.0.0.1', 2);
    assert.ok(first && second);
    world.call(first, 'flood', MAX_AT_ONCE_OF_SOURCE);
    for (let turn = 0; turn < 20 && first.isRead; turn++) {
      world.call(first, 'flood', MAX_CALLS_PER_TURN + 10);
      world.turn();
    }
    assert.ok(world.queue.waiting < READ_BUDGET + MAX_CALLS_PER_TURN, `${world.queue.waiting} wait`);
    assert.deepEqual([first.isRead, second.isRead], [false, false]);
    world.untilIdle();
    assert.deepEqual([first.isRead, second.isRead], [true, true]);
  });

  it('is read again alone, and the next one after it: several together would each bring all they may', () => {
    const world = new World();
    const sources = ['10.0.0.1', '10.0.0.2', '10.0.0.3'].map((source) => world.connections(source, 2));
    for (const [first] of sources) {
      assert.ok(first);
      for (let count = 0; count < READ_BUDGET; count++) world.queue.noteEffort(first);
    }
    const read = (): number[] => sources.map((connections) => connections.filter(({ isRead }) => isRead).length);
    assert.deepEqual(read(), [0, 0, 0]);
    world.turn();
    assert.deepEqual(read(), [2, 0, 0]);
    world.turn();
    assert.deepEqual(read(), [2, 2, 0]);
    world.turn();
    assert.deepEqual(read(), [2, 2, 2]);
  });

  it('is remembered: once one of those was read in a turn, the others are not, until the next', () => {
    const world = new World();
    const sources = ['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4'].map((source) => world.connections(source, 2));
    const bring = (): number => {
      let calls = 0;
      for (const connections of sources) {
        for (const connection of connections) {
          if (!connection.isRead) continue;
          calls += 100;
          world.call(connection, 'flood', 100);
        }
      }
      return calls;
    };
    const healthy = world.connection('10.0.0.5');
    assert.equal(bring(), 400, 'of sources that nothing is known of each is read once');
    world.untilIdle();
    assert.equal(world.queue.remembered, 4);
    assert.ok(sources.flat().every(({ isRead }) => isRead));
    const brought: number[] = [];
    for (let turn = 0; turn < 200; turn++) {
      brought.push(bring());
      assert.equal(healthy.isRead, true);
      world.turn();
    }
    assert.equal(Math.max(...brought), 100, `${brought.join(' ')} in a turn`);
    world.untilIdle();
    for (const source of sources) assert.ok(world.begunFrom(source) > 1_000, 'each in its turn');
  });

  it('is forgotten after a while, and at the bound of those that are remembered the oldest is', () => {
    const world = new World();
    for (let source = 0; source < MAX_REMEMBERED + 10; source++) {
      world.call(world.connection(`10.1.${source >> 8}.${source & 255}`), 'flood', 100);
    }
    assert.equal(world.queue.remembered, MAX_REMEMBERED);
    world.untilIdle();
    world.pass(REMEMBERED_MS + 1);
    world.call(world.connection('10.0.0.1'), 'flood', 100);
    assert.equal(world.queue.remembered, 1);
  });

  it('is stopped again when something else has begun to read it', () => {
    const world = new World();
    const connection = world.connection('10.0.0.1');
    world.call(connection, 'flood', MAX_AT_ONCE_OF_SOURCE + READ_BUDGET);
    connection.isRead = true;
    world.call(connection, 'flood');
    assert.equal(connection.isRead, false);
  });

  it('is paused for calls that are refused as for those that wait, and read again in the next turn', () => {
    const world = new World();
    const connection = world.connection('10.0.0.1');
    for (let count = 0; count < READ_BUDGET; count++) world.queue.noteEffort(connection);
    assert.equal(connection.isRead, false);
    world.turn();
    assert.deepEqual([connection.isRead, world.queue.paused], [true, 0]);
  });

  it('is forgotten with its connections', () => {
    const world = new World();
    const connection = world.connection('10.0.0.1');
    world.call(connection, 'flood', MAX_AT_ONCE_OF_SOURCE + READ_BUDGET, false);
    world.queue.forget(connection);
    world.untilIdle();
    assert.deepEqual([world.queue.waiting, world.queue.paused, connection.isRead], [0, 0, false]);
  });
});

it('whatever comes: every call begins once, those of a connection in order, at most 32 of those that wait a turn; all are read in the end', () => {
  const arrival = fc.record({
    source: fc.nat({ max: 3 }),
    connection: fc.nat({ max: 2 }),
    calls: fc.nat({ max: 300 }),
    turns: fc.nat({ max: 3 }),
    takesMs: fc.constantFrom(0, 0.05, 4),
  });
  fc.assert(
    fc.property(fc.array(arrival, { maxLength: 20 }), (arrivals) => {
      const world = new World();
      const connections = [0, 1, 2, 3].map((source) => world.connections(`10.0.0.${source}`, 3));
      let sent = 0;
      for (const { source, connection, calls, turns, takesMs } of arrivals) {
        const from = connections[source]?.[connection];
        assert.ok(from);
        for (let count = 0; count < calls; count++) world.call(from, `${source}.${connection} ${sent++}`);
        world.takesMs = takesMs;
        for (let turn = 0; turn < turns; turn++) {
          const before = world.begun.length;
          world.turn();
          assert.ok(world.begun.length - before <= MAX_CALLS_PER_TURN);
        }
      }
      world.untilIdle();
      assert.equal(new Set(world.begun).size, sent);
      assert.equal(world.begun.length, sent);
      const newest = new Map<string, number>();
      for (const call of world.begun) {
        const [from = '', number] = call.split(' ');
        assert.ok(Number(number) > (newest.get(from) ?? -1), 'in order');
        newest.set(from, Number(number));
      }
      assert.equal(
        connections.flat().every(({ isRead }) => isRead),
        true,
      );
      assert.deepEqual([world.queue.waiting, world.queue.paused], [0, 0]);
    }),
  );
});

interface TestConnection extends FairConnection {
  isRead: boolean;
  /** A count of all that are read again. */
  resumedAt: number;
  begun: number;
}

/** A loop whose turns are taken by hand. */
class World {
  readonly queue: FairQueue;
  readonly begun: string[] = [];
  waited = 0;
  pauses = 0;
  /** What a call does after it has begun. */
  takesMs = 0;
  /** What it takes to find that a call has ended. */
  endedTakeMs = 0;
  #nowMs = 0;
  #resumed = 0;
  #steps: (() => void)[] = [];
  readonly #connections: TestConnection[] = [];

  constructor() {
    this.queue = new FairQueue({
      connectionsOf: (source) => this.#connections.filter((connection) => connection.source === source),
      afterReads: (run) => void this.#steps.push(run),
      nowMs: () => this.#nowMs,
      countWaited: () => {
        this.waited += 1;
      },
      countPaused: () => {
        this.pauses += 1;
      },
    });
  }

  connections(source: string, count: number): readonly TestConnection[] {
    return Array.from({ length: count }, () => this.connection(source));
  }

  connection(source: string): TestConnection {
    const connection: TestConnection = {
      source,
      isRead: true,
      resumedAt: 0,
      begun: 0,
      pauseReading: () => {
        connection.isRead = false;
      },
      resumeReading: () => {
        connection.isRead = true;
        this.#resumed += 1;
        connection.resumedAt = this.#resumed;
      },
    };
    this.#connections.push(connection);
    return connection;
  }

  begunFrom(connections: readonly TestConnection[]): number {
    return connections.reduce((sum, { begun }) => sum + begun, 0);
  }

  pass(ms: number): void {
    this.#nowMs += ms;
  }

  call(connection: TestConnection, name: string, times = 1, stays = true): void {
    for (let count = 0; count < times; count++) {
      if (this.queue.mayBegin(connection)) {
        this.begun.push(name);
        connection.begun += 1;
      } else {
        this.queue.add(connection, () => {
          if (!stays) {
            this.#nowMs += this.endedTakeMs;
            return false;
          }
          this.begun.push(name);
          connection.begun += 1;
          this.#nowMs += this.takesMs;
          return true;
        });
      }
    }
  }

  /** What was planned before the turn, and nothing that is planned in it. */
  turn(): void {
    const steps = this.#steps;
    this.#steps = [];
    for (const step of steps) step();
  }

  untilIdle(): void {
    while (this.#steps.length > 0) this.turn();
  }
}
