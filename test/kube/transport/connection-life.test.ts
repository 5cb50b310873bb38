// The life of a connection against every order of events: it never throws, never goes back, and always ends.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  ConnectionLife,
  ENDED_LIMIT_MS,
  LEAVING_LIMIT_MS,
  type LivingConnection,
} from '../../../src/kube/transport/connection-life.ts';
import { PING } from '../../../src/kube/transport/transport.ts';

const ORDER = ['open', 'leaving', 'ended', 'gone'];

/** A connection with a peer that answers as told, and a clock that a test moves. */
class Imagined implements LivingConnection {
  nowMs = 0;
  bytes = 0;
  peerAnswers = true;
  asked = 0;
  cuts: string[] = [];
  finished = 0;
  goneTimes = 0;
  readonly timers = new Map<number, { readonly callback: () => void; readonly atMs: number }>();
  readonly life: ConnectionLife;
  #timerCount = 0;

  constructor() {
    this.life = new ConnectionLife(this, PING, {
      now: () => this.nowMs,
      setTimer: (callback, delayMs) => {
        this.#timerCount += 1;
        const id = this.#timerCount;
        this.timers.set(id, { callback, atMs: this.nowMs + delayMs });
        return () => void this.timers.delete(id);
      },
      afterInput: (callback) => callback(),
    });
  }

  bytesRead(): number {
    return this.bytes;
  }

  ask(answered: () => void): void {
    this.asked += 1;
    if (!this.peerAnswers) return;
    this.bytes += 17;
    answered();
  }

  finish(): void {
    this.finished += 1;
  }

  cut(reason: Error): void {
    this.cuts.push((reason as Error & { code: string }).code);
    this.life.leave();
    while (this.life.requests > 0) this.life.requestEnds();
    this.life.closed();
  }

  gone(): void {
    this.goneTimes += 1;
  }

  pass(ms: number): void {
    const endMs = this.nowMs + ms;
    for (;;) {
      const [next] = [...this.timers].toSorted(([, a], [, b]) => a.atMs - b.atMs);
      if (next === undefined || next[1].atMs > endMs) break;
      this.timers.delete(next[0]);
      // A process that was suspended calls back late.
      this.nowMs = Math.max(this.nowMs, next[1].atMs);
      next[1].callback();
    }
    this.nowMs = Math.max(this.nowMs, endMs);
  }
}

test('12.1 in every order of events a life goes forward only, keeps one timer, and finds a dead peer in 25 s', () => {
  const step = fc.oneof(
    fc.constantFrom('begin', 'end', 'leave', 'closed', 'silent', 'answering', 'bytes').map((what) => ({ what, ms: 0 })),
    fc.integer({ min: 1, max: 30_000 }).map((ms) => ({ what: 'pass', ms })),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const peer = new Imagined();
      const { life } = peer;
      let seen = 0;
      for (const { what, ms } of steps) {
        if (what === 'begin' && life.state === 'open') life.requestBegins();
        if (what === 'end' && life.requests > 0) life.requestEnds();
        if (what === 'leave') life.leave();
        if (what === 'closed') life.closed();
        if (what === 'silent') peer.peerAnswers = false;
        if (what === 'answering') peer.peerAnswers = true;
        if (what === 'bytes' && peer.peerAnswers) peer.bytes += 1;
        peer.pass(ms);
        const now = ORDER.indexOf(life.state);
        assert.ok(now >= seen, `from ${ORDER[seen]} back to ${life.state}`);
        seen = now;
        assert.equal(peer.timers.size, life.state === 'gone' ? 0 : 1);
        assert.equal(peer.goneTimes, life.state === 'gone' ? 1 : 0);
        if (life.state === 'leaving') assert.ok(life.requests > 0, 'a leaving connection without a request has ended');
      }
      // A question may be out already, with bytes behind it whose moment is not known: then one more has to go
      // unanswered.
      peer.peerAnswers = false;
      peer.pass(2 * PING.pingAfterMs + PING.pingTimeoutMs);
      assert.equal(life.state, 'gone');
    }),
  );
});

test('12.1 a peer that falls silent is cut 25 s after its last byte, open or leaving', () => {
  for (const leaving of [false, true]) {
    const peer = new Imagined();
    peer.life.requestBegins();
    if (leaving) peer.life.leave();
    peer.pass(60_000);
    const heardAtMs = peer.life.heardAtMs;
    assert.ok(peer.nowMs - heardAtMs <= PING.pingAfterMs, 'a quiet peer is asked four times a second');
    peer.peerAnswers = false;
    peer.pass(heardAtMs + 24_999 - peer.nowMs);
    assert.deepEqual(peer.cuts, []);
    peer.pass(2);
    assert.deepEqual(peer.cuts, ['ERR_PING_TIMEOUT']);
  }
});

test('12.1 a process that was suspended gives a peer 5 s to answer before it takes it for dead', () => {
  const peer = new Imagined();
  peer.life.requestBegins();
  peer.peerAnswers = false;
  peer.nowMs += 600_000;
  peer.pass(4_999);
  assert.deepEqual([peer.asked, peer.cuts], [1, []]);
  peer.pass(2);
  assert.deepEqual(peer.cuts, ['ERR_PING_TIMEOUT']);
});

test('12.2 leaving is bounded, although the peer answers, and so is the wait for its FIN', () => {
  const leaving = new Imagined();
  leaving.life.requestBegins();
  leaving.life.leave();
  leaving.pass(LEAVING_LIMIT_MS - 1);
  assert.equal(leaving.life.state, 'leaving');
  leaving.pass(2);
  assert.equal(leaving.life.state, 'gone');

  const ended = new Imagined();
  ended.life.requestBegins();
  ended.life.leave();
  ended.life.requestEnds();
  assert.deepEqual([ended.life.state, ended.finished], ['ended', 1]);
  const asked = ended.asked;
  ended.pass(ENDED_LIMIT_MS - 1);
  assert.deepEqual([ended.life.state, ended.asked], ['ended', asked]);
  ended.pass(2);
  assert.equal(ended.life.state, 'gone');
});
