// Since when a resource may have changed unheard of: a clock by hand, and every way in which a watch begins and ends.

import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { Blindness, DELIVERY_MS } from '../../../src/kube/reflector/blindness.ts';
import type { Clock } from '../../../src/kube/clock.ts';

class ManualClock implements Clock {
  nowMs = 1_000_000;
  readonly #timers = new Map<object, { readonly atMs: number; readonly callback: () => void }>();

  now(): number {
    return this.nowMs;
  }

  setTimer(callback: () => void, delayMs: number): () => void {
    const timer = {};
    this.#timers.set(timer, { atMs: this.nowMs + delayMs, callback });
    return () => this.#timers.delete(timer);
  }

  get pending(): number {
    return this.#timers.size;
  }

  pass(ms: number): void {
    const endMs = this.nowMs + ms;
    for (;;) {
      const due = [...this.#timers].filter(([, { atMs }]) => atMs <= endMs).sort((a, b) => a[1].atMs - b[1].atMs)[0];
      if (due === undefined) break;
      this.#timers.delete(due[0]);
      this.nowMs = due[1].atMs;
      due[1].callback();
    }
    this.nowMs = endMs;
  }
}

describe('a followed resource', () => {
  let clock: ManualClock;
  let blindness: Blindness;
  let caughtUp: number;

  beforeEach(() => {
    clock = new ManualClock();
    caughtUp = 0;
    blindness = new Blindness(clock, { onChange: () => {}, onCaughtUp: () => (caughtUp += 1) });
    blindness.listed(clock.now());
    clock.pass(20);
    blindness.contact();
    blindness.watching();
  });

  it('is not blind once its watch is accepted right after its list', () => {
    assert.equal(blindness.sinceMs, undefined);
    assert.deepEqual(blindness.observe(), { atMs: clock.now() });
  });

  it('12.15: was seen for as long as anything came on the connection of a watch that was cut, less a delivery', () => {
    clock.pass(20_000);
    blindness.lost('cut', clock.now() - 300);
    assert.equal(blindness.sinceMs, clock.now() - 300 - DELIVERY_MS);
  });

  it('was seen until a whole millisecond, although the clock of connections has fractions of them', () => {
    clock.pass(20_000);
    blindness.lost('cut', clock.now() - 299.6);
    assert.equal(blindness.sinceMs, clock.now() - 300 - DELIVERY_MS);
  });

  it('12.15: is blind from its own last byte on when the watch was given up while its connection lived', () => {
    const heardMs = clock.now();
    clock.pass(20_000);
    blindness.lost('silent', clock.now());
    assert.equal(blindness.sinceMs, heardMs);
  });

  it('does not look stale between a planned end and the next watch', () => {
    clock.pass(400_000);
    blindness.contact();
    blindness.lost('planned');
    clock.pass(30);
    blindness.watching();
    assert.equal(blindness.sinceMs, undefined);
  });

  it('is blind since a cut, until the next watch was silent for 2 s', () => {
    clock.pass(10_000);
    caughtUp = 0;
    blindness.contact();
    const cutMs = clock.now();
    blindness.lost('cut');
    clock.pass(3_000);
    assert.equal(blindness.sinceMs, cutMs);
    blindness.watching();
    clock.pass(500);
    blindness.heard();
    assert.deepEqual(blindness.observe(), { atMs: clock.now(), sinceMs: cutMs });
    clock.pass(1_900);
    assert.equal(blindness.sinceMs, cutMs);
    clock.pass(200);
    assert.equal(blindness.sinceMs, undefined);
    assert.equal(caughtUp, 1);
    assert.equal(clock.pending, 0);
  });

  it('has caught up with a bookmark', () => {
    blindness.lost('cut');
    clock.pass(3_000);
    blindness.watching();
    blindness.caughtUp();
    assert.equal(blindness.sinceMs, undefined);
  });

  it('has caught up after 5 s although something comes all the time', () => {
    blindness.lost('cut');
    clock.pass(3_000);
    blindness.watching();
    for (let ms = 0; ms < 4_900; ms += 100) {
      clock.pass(100);
      blindness.heard();
    }
    assert.notEqual(blindness.sinceMs, undefined);
    clock.pass(200);
    assert.equal(blindness.sinceMs, undefined);
  });

  it('was blind since its last byte when it was given up for its silence', () => {
    clock.pass(5_000);
    blindness.contact();
    const heardMs = clock.now();
    clock.pass(45_000);
    blindness.lost('silent');
    assert.equal(blindness.sinceMs, heardMs);
  });

  it('was alive not long ago when its quiet connection was cut', () => {
    clock.pass(300_000);
    blindness.lost('cut');
    assert.equal(blindness.sinceMs, clock.now() - 30_000);
  });

  it('stays blind since the first loss however often it fails to come back', () => {
    blindness.lost('cut');
    const since = blindness.sinceMs;
    assert.notEqual(since, undefined);
    clock.pass(10_000);
    blindness.contact();
    blindness.lost('cut');
    assert.equal(blindness.sinceMs, since);
  });

  it('tells that a list after a gap may have missed objects that came and went', () => {
    blindness.lost('cut');
    const sinceMs = blindness.sinceMs;
    clock.pass(3_000);
    assert.deepEqual(blindness.observeByList(), { atMs: clock.now(), sinceMs, relisted: true });
  });
});

it('a first list was not blind before: there is nothing to compare it with', () => {
  const clock = new ManualClock();
  const blindness = new Blindness(clock, { onChange: () => {}, onCaughtUp: () => {} });
  assert.deepEqual(blindness.observeByList(), { atMs: clock.now() });
});
