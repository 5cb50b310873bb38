// The bounds of the admin listener without sockets: which connection goes, how long a request waits, how old a page is.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Gauge, Registry } from '@prometheus-io/client';
import fc from 'fast-check';
import { AdminConnections } from '../../src/telemetry/admin-connections.ts';
import { MetricsPage, metricsInParts } from '../../src/telemetry/metrics-page.ts';
import { SourceRates } from '../../src/telemetry/source-rates.ts';

class FakeSocket {
  destroyed = false;

  destroy(): void {
    this.destroyed = true;
  }
}

function connections(max: number, maxOfSource: number) {
  let pushedOut = 0;
  const open = new AdminConnections<FakeSocket>({ max, maxOfSource, onPushedOut: () => (pushedOut += 1) });
  const add = (source: string): FakeSocket => {
    const socket = new FakeSocket();
    open.add(socket, source);
    return socket;
  };
  return { open, add, pushedOut: () => pushedOut };
}

test('at the bound of a source its quietest connection goes, and one that is answered only when there is no other', () => {
  const { open, add, pushedOut } = connections(10, 3);
  const [first, second, third] = [add('a'), add('a'), add('a')];
  const other = add('b');
  assert.ok(open.beginAnswer(first));
  const fourth = add('a');
  assert.deepEqual([first.destroyed, second.destroyed, third.destroyed], [false, true, false]);
  open.beginAnswer(third);
  open.beginAnswer(fourth);
  add('a');
  assert.equal(first.destroyed, true, 'the one that is answered longest');
  assert.deepEqual([other.destroyed, open.size, pushedOut()], [false, 4, 2]);
});

test('at the bound of all it is one of the source that has most', () => {
  const { add } = connections(6, 4);
  const crowd = [add('a'), add('a'), add('a'), add('a')];
  const few = [add('b'), add('c')];
  const newest = add('d');
  assert.deepEqual([...crowd, ...few, newest].map(({ destroyed }) => destroyed).indexOf(true), 0);
  assert.equal([...crowd, ...few, newest].filter(({ destroyed }) => destroyed).length, 1);
});

test('whatever sources do, the bounds hold and the newest connection stays', () => {
  const step = fc.record({
    source: fc.constantFrom('a', 'b', 'c', 'd'),
    does: fc.constantFrom('add', 'begin', 'end', 'go'),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const { open, add } = connections(5, 2);
      const sockets: { readonly source: string; readonly socket: FakeSocket }[] = [];
      for (const { source, does } of steps) {
        const mine = sockets.filter((each) => each.source === source && !each.socket.destroyed);
        const [oldest] = mine;
        if (does === 'add') {
          sockets.push({ source, socket: add(source) });
          assert.equal(sockets.at(-1)?.socket.destroyed, false);
        } else if (oldest === undefined) continue;
        else if (does === 'begin') open.beginAnswer(oldest.socket);
        else if (does === 'end') open.endAnswer(oldest.socket);
        else {
          oldest.socket.destroy();
          open.remove(oldest.socket);
        }
        const alive = sockets.filter(({ socket }) => !socket.destroyed);
        assert.equal(open.size, alive.length);
        assert.ok(alive.length <= 5);
        assert.ok(alive.filter((each) => each.source === source).length <= 2);
      }
    }),
  );
});

test('a source waits when it asks too often, never longer than it may have to, and others do not', () => {
  let nowMs = 0;
  const rates = new SourceRates({ perSecond: 10, burst: 5, maxDelayMs: 300, maxSources: 3, nowMs: () => nowMs });
  assert.deepEqual(
    Array.from({ length: 10 }, () => rates.take('a')),
    [0, 0, 0, 0, 0, 100, 200, 300, 300, 300],
  );
  assert.equal(rates.take('b'), 0);
  nowMs += 300;
  assert.equal(rates.take('a'), 100);
  nowMs += 10_000;
  assert.equal(rates.take('a'), 0);
  for (let index = 0; index < 100; index++) rates.take(`c${index}`);
  assert.equal(rates.size, 3);
});

test('a page is computed again after a second, or when computing it failed, and once for all who wait', async () => {
  let nowMs = 0;
  const results: (string | Error)[] = ['one', new Error('broken'), 'two'];
  let computed = 0;
  const page = new MetricsPage({
    nowMs: () => nowMs,
    compute: async () => {
      const result = results[computed++];
      if (result instanceof Error) throw result;
      return String(result);
    },
  });
  const text = async (): Promise<string> => (await page.bytes()).toString();
  assert.deepEqual(await Promise.all([text(), text()]), ['one', 'one']);
  nowMs += 999;
  assert.equal(await text(), 'one');
  nowMs += 1;
  await assert.rejects(text(), /broken/);
  assert.equal(await text(), 'two');
  assert.equal(computed, 3);
});

test('a page is computed in parts: others have their turn in between, and it reads as if it were computed at once', async () => {
  const registry = new Registry();
  let nowMs = 0;
  for (let index = 0; index < 20; index++) {
    const gauge: Gauge<'of'> = new Gauge({
      name: `digger_part_${index}`,
      help: 'Takes a fifth of a millisecond.',
      labelNames: ['of'],
      registers: [registry],
      collect() {
        nowMs += 0.2;
        gauge.set({ of: 'it' }, index);
      },
    });
  }
  const turns: number[] = [];
  const later = (run: () => void): void => {
    turns.push(nowMs);
    setImmediate(run);
  };
  const parts = await metricsInParts(registry, { nowMs: () => nowMs, later });
  assert.equal(parts, await registry.metrics());
  // Three take longer than half a millisecond.
  assert.deepEqual(
    turns.map((at) => Math.round(at / 0.2)),
    [3, 6, 9, 12, 15, 18],
  );
});
