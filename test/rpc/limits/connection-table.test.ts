// Which connections may be open, with a clock and chance of our own.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';

import {
  type ConnectionLimits,
  ConnectionTable,
  MAX_SWEPT_AT_ONCE,
  TrackedConnection,
} from '../../../src/rpc/limits/connection-table.ts';

const LIMITS: ConnectionLimits = {
  maxConnections: 5,
  maxConnectionsPerSource: 3,
  maxIdleMs: 1_000,
  maxAgeMs: 10_000,
  ageGraceMs: 500,
};

class Connection extends TrackedConnection {
  readonly source: string;
  ends: string[] = [];
  constructor(source: string) {
    super();
    this.source = source;
  }
  destroy(): void {
    this.ends.push('destroyed');
  }
  retire(): void {
    this.ends.push('retired');
  }
}

function create(limits: Partial<ConnectionLimits> = {}, random = 0.5) {
  const clock = { nowMs: 0 };
  const closed: string[] = [];
  const table = new ConnectionTable({
    limits: { ...LIMITS, ...limits },
    nowMs: () => clock.nowMs,
    random: () => random,
    countClosed: (reason) => closed.push(reason),
  });
  const open = (source: string, busy = false): Connection | undefined => {
    const connection = new Connection(source);
    if (!table.admit(connection)) return undefined;
    if (busy) table.callOpened(connection);
    return connection;
  };
  return { table, clock, closed, open };
}

describe('at a bound of connections', () => {
  it('the one of that address goes that is idle for longest, and those of others stay', () => {
    const { open, closed, table } = create();
    const other = open('b');
    const [first, second] = [open('a'), open('a'), open('a')];
    assert.ok(open('a'));
    assert.deepEqual([first?.ends, second?.ends, other?.ends], [['destroyed'], [], []]);
    assert.deepEqual(closed, ['evicted']);
    assert.equal(table.size, 4);
    assert.equal(table.mostOfASource, 3);
  });

  it('of all, the one that is idle for longest goes, whosever it is', () => {
    const { open } = create();
    const [first] = [open('a'), open('b'), open('c'), open('d'), open('e')];
    assert.ok(open('f'));
    assert.deepEqual(first?.ends, ['destroyed']);
  });

  it('one that has a call stays; when all have one, the new one is refused', () => {
    const { open, table } = create();
    const busy = [open('a', true), open('a', true), open('a', true)];
    assert.equal(open('a'), undefined);
    const idle = open('b');
    open('c', true);
    assert.ok(open('d', true));
    assert.deepEqual(idle?.ends, ['destroyed']);
    assert.equal(open('e'), undefined);
    const [first] = busy;
    assert.ok(first);
    table.callClosed(first);
    assert.ok(open('e'));
    assert.deepEqual(first.ends, ['destroyed']);
  });
});

describe('time on a connection', () => {
  it('without a call ends it, and a call starts it anew', () => {
    const { open, clock, table, closed } = create();
    const [idle, used] = [open('a'), open('b')];
    assert.ok(used);
    clock.nowMs = 900;
    table.callOpened(used);
    table.callClosed(used);
    clock.nowMs = 1_000;
    table.sweep();
    assert.deepEqual([idle?.ends, used.ends], [['retired'], []]);
    table.sweep();
    clock.nowMs = 1_500;
    table.sweep();
    table.sweep();
    assert.deepEqual(idle?.ends, ['retired', 'destroyed'], 'it did not go by itself');
    assert.deepEqual(closed, ['idle']);
  });

  for (const [random, atMs] of [
    [0, 9_000],
    [0.5, 10_000],
    [0.999_999, 11_000],
  ] as const) {
    it(`in all ends it after the age, give or take a tenth (${random}), and by force after the grace`, () => {
      const { open, clock, table } = create({}, random);
      const connection = open('a', true);
      clock.nowMs = atMs - 10;
      table.sweep();
      assert.deepEqual(connection?.ends, []);
      clock.nowMs = atMs;
      table.sweep();
      assert.deepEqual(connection?.ends, ['retired']);
      clock.nowMs = atMs + 499;
      table.sweep();
      assert.deepEqual(connection?.ends, ['retired']);
      clock.nowMs = atMs + 500;
      table.sweep();
      assert.deepEqual(connection?.ends, ['retired', 'destroyed']);
    });
  }

  it('ends a few of those at once that have been idle, or are old, for as long as each other', () => {
    const { open, clock, table, closed } = create({ maxConnections: 1_000, maxConnectionsPerSource: 1_000 }, 0.5);
    const [idle, busy] = [
      Array.from({ length: 50 }, () => open('a')),
      Array.from({ length: 50 }, () => open('b', true)),
    ];
    clock.nowMs = 1_000;
    assert.equal(table.sweep(), true, 'there are more');
    assert.equal(closed.length, MAX_SWEPT_AT_ONCE);
    let turns = 2;
    while (table.sweep()) turns += 1;
    assert.deepEqual([closed.length, turns], [50, Math.ceil(50 / MAX_SWEPT_AT_ONCE)]);
    clock.nowMs = 10_000;
    turns = 1;
    while (table.sweep()) turns += 1;
    assert.equal(turns, Math.ceil(100 / MAX_SWEPT_AT_ONCE), 'the idle ones by force, the others told to go');
    assert.ok(busy.every((connection) => connection?.ends.length === 1));
    assert.ok(idle.every((connection) => connection?.ends.length === 2));
  });

  it('is no matter when there is no age limit', () => {
    const { open, clock, table } = create({ maxAgeMs: 0 });
    const connection = open('a', true);
    clock.nowMs = 1e12;
    table.sweep();
    assert.deepEqual(connection?.ends, []);
  });
});

it('whatever connections do: bounds hold, one with a call is never pushed out, sums are right', () => {
  const step = fc.record({
    do: fc.constantFrom('open', 'open', 'call', 'end', 'close', 'wait'),
    source: fc.constantFrom('a', 'b', 'c'),
    which: fc.nat(20),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const { table, clock } = create();
      let open: Connection[] = [];
      for (const { do: what, source, which } of steps) {
        const known = open[which % Math.max(1, open.length)];
        if (what === 'open') {
          const connection = new Connection(source);
          if (table.admit(connection)) open.push(connection);
        } else if (what === 'call' && known) table.callOpened(known);
        else if (what === 'end' && known && known.openCalls > 0) table.callClosed(known);
        else if (what === 'close' && known) {
          table.remove(known);
          open = open.filter((each) => each !== known);
        } else if (what === 'wait') {
          clock.nowMs += 300;
        }
        for (const each of open) if (each.ends.length > 0) assert.equal(each.openCalls, 0);
        open = open.filter(({ ends }) => ends.length === 0);
        assert.equal(table.size, open.length);
        assert.ok(open.length <= LIMITS.maxConnections);
        for (const each of ['a', 'b', 'c']) {
          assert.ok(open.filter((connection) => connection.source === each).length <= LIMITS.maxConnectionsPerSource);
        }
      }
    }),
    { numRuns: 300 },
  );
});
