// A replica that restarts and takes over the history of a sibling answers as one that never restarted: outcome,
// holders, workloads, roles, intervals, doubt, and how far back the history reaches.
//
// DIGGER_QUESTIONS sets how many questions are asked, DIGGER_SEED the seed of fast-check; a failure prints both.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { HandedHistory } from '../../src/addresses/heritage/handed-history.ts';
import { workloadOf } from '../../src/addresses/holder-workload.ts';
import type { AddressAnswer, Holder } from '../../src/addresses/reader.ts';
import { Giver } from '../../src/handover/giver.ts';
import { readFirstPart, readPart } from '../../src/handover/parts.ts';
import { createRandom, type Random } from '../random.ts';
import { createHistory, type Delivery, type History } from './adversary.ts';
import { pod, serviceCidr, T0, withBytes, World } from './world.ts';

const QUESTIONS_PER_HISTORY = 200;
const numRuns = Math.ceil(Number(process.env['DIGGER_QUESTIONS'] ?? 20_000) / QUESTIONS_PER_HISTORY);
const seed = process.env['DIGGER_SEED'] === undefined ? {} : { seed: Number(process.env['DIGGER_SEED']) };

type Shown = NonNullable<Delivery['put']>;

describe('15.8: a history that is handed over', () => {
  it('lets a replica that restarted answer as one that never did, on adversarial histories with gaps', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 31 - 1 }), (number) => {
        new Restarts(createRandom(number), number).run();
      }),
      { numRuns, ...seed },
    );
  });
});

describe('15.8: a history from a clock that is ahead', () => {
  it('can be handed on: what began and ended in the time that is still to come here did not end before it began', () => {
    const ahead = new World({}, 0).at(10_700);
    ahead.put(withBytes(pod('brief', { addresses: ['10.1.0.1'] })));
    ahead.at(10_900).remove('brief');
    const taker = new World({}, 10_000);
    taker.book.heritage.inherit(historyOf(ahead), () => false);
    const { claims } = historyOf(taker);
    const [{ startEarliestMs, startLatestMs, firstSeenMs, end } = assert.fail('no claim')] = claims;
    const moments = [startEarliestMs, startLatestMs, firstSeenMs, end?.earliestMs, end?.latestMs, end?.knownAtMs];
    assert.deepEqual(new Set(moments), new Set([taker.nowMs]));
  });

  it('does not let an object begin after it was seen here', () => {
    const ahead = new World({}, 0).at(10_800);
    ahead.put(withBytes(pod('there', { addresses: ['10.1.0.1'] })));
    const taker = new World({ opened: false }, 10_000);
    taker.put(withBytes(pod('there', { addresses: ['10.1.0.1'] })));
    taker.book.open();
    taker.book.heritage.inherit(historyOf(ahead), () => true);
    assert.equal(taker.who('10.1.0.1'), 'there');
    assert.equal(taker.who('10.1.0.1', { at: 10_000 }), 'there');
  });

  it('may tell of what began before 1970, as a status may say, and is taken all the same', () => {
    const giver = new World().at(10_000);
    giver.put(withBytes(pod('old', { addresses: ['10.1.0.1'], sandboxReadyTimeMs: -62_135_596_799_000 })));
    giver.at(20_000).remove('old');
    const [claim] = historyOf(giver).claims;
    assert.equal(claim?.startEarliestMs, -62_135_596_799_000);
  });
});

/** Two replicas: one that never restarts, and one that is replaced again and again, each time from the one before it. */
class Restarts {
  readonly #random: Random;
  readonly #label: string;
  readonly #history: History;
  readonly #steady: World;
  /** As it runs, and one that has listed and has not taken over yet. */
  #current: World;
  #starting: { readonly world: World; readonly atMs: number } | undefined;
  readonly #shown = new Map<string, Shown>();
  #restartMs: number;

  constructor(random: Random, number: number) {
    this.#random = random;
    this.#label = `number ${number}`;
    this.#history = createHistory(random);
    this.#steady = this.#createWorld(0);
    this.#steady.book.open();
    this.#current = this.#steady;
    this.#restartMs = this.#nextRestart(random.between(5_000, 60_000));
  }

  run(): void {
    const { deliveries, endMs } = this.#history;
    const askEveryMs = Math.floor(endMs / QUESTIONS_PER_HISTORY);
    let askMs = askEveryMs;
    for (const delivery of deliveries) {
      for (; askMs < delivery.atMs; askMs += askEveryMs) this.#step(askMs);
      this.#restart(delivery.atMs);
      this.#deliver(delivery);
    }
    for (; askMs < endMs + 20_000; askMs += askEveryMs) this.#step(askMs);
  }

  #step(nowMs: number): void {
    this.#restart(nowMs);
    if (this.#starting !== undefined || this.#current === this.#steady) return;
    const address = this.#random.pick(this.#history.addresses);
    const place = this.#random.chance(0.3) ? this.#random.pick(this.#history.ports) : { address };
    const at = Math.max(0, nowMs - (this.#random.chance(0.2) ? 0 : this.#random.between(0, 70_000)));
    const until = this.#random.chance(0.1) ? { untilMs: T0 + this.#random.between(at, nowMs) } : {};
    const question = { ...place, atMs: T0 + at, ...until };
    const [expected, given] = [this.#steady, this.#current].map((world) => {
      this.#setClock(world, nowMs);
      return world.book.resolve(question);
    });
    assert.deepEqual(
      given && withoutBytes(given),
      expected && withoutBytes(expected),
      `${this.#label}: ${JSON.stringify(question)} ${at} asked ${nowMs}`,
    );
  }

  #restart(nowMs: number): void {
    if (this.#starting === undefined && nowMs > this.#restartMs) {
      const world = this.#createWorld(this.#restartMs);
      for (const entity of this.#shown.values()) world.put(entity);
      world.book.open();
      this.#starting = { world, atMs: this.#restartMs + this.#random.pick([0, 0, 300, 4_000]) };
    }
    const { world, atMs = 0 } = this.#starting ?? {};
    if (world === undefined || nowMs <= atMs) return;
    for (const each of [world, this.#current]) this.#setClock(each, atMs);
    world.book.heritage.inherit(historyOf(this.#current), (uid) =>
      [...this.#shown.values()].some((it) => it.uid === uid),
    );
    this.#current = world;
    this.#starting = undefined;
    this.#restartMs = this.#nextRestart(nowMs + this.#random.between(1_000, 50_000));
  }

  #deliver({ atMs, gapSinceMs, put: bare, removeName }: Delivery): void {
    const put = bare && withBytes(bare);
    for (const world of new Set([this.#steady, this.#current, this.#starting?.world])) {
      if (world === undefined) continue;
      this.#setClock(world, atMs);
      if (put !== undefined) world.put(put, gapSinceMs);
      if (removeName !== undefined) world.remove(removeName, gapSinceMs);
    }
    if (put !== undefined) this.#shown.set(put.name, put);
    if (removeName !== undefined) this.#shown.delete(removeName);
  }

  #setClock(world: World, nowMs: number): void {
    const gap = this.#history.gaps.find(({ sinceMs, untilMs }) => sinceMs <= nowMs && nowMs < untilMs);
    world.at(nowMs).blindSinceMs = gap && T0 + gap.sinceMs;
  }

  /** Not while the watch is down: a replica that sees less than the one that asks it is not asked twice. */
  #nextRestart(fromMs: number): number {
    let ms = fromMs;
    while (this.#history.gaps.some((gap) => gap.sinceMs <= ms + 5_000 && ms <= gap.untilMs + 1_000)) ms += 1_000;
    return ms;
  }

  #createWorld(startMs: number): World {
    const options = this.#history.areRangesKnown ? {} : { clusterRanges: [] };
    const world = new World({ opened: false, ...options }, startMs);
    return world.putRange(serviceCidr('kubernetes', ['10.96.0.0/15']));
  }
}

/** As it comes over the wire. */
function historyOf(world: World): HandedHistory {
  const giver = new Giver({
    past: {
      facts: () => world.book.heritage.facts(),
      claims: () => world.book.heritage.claims(),
      owners: () => [],
    },
    positions: { compare: () => 'level' },
    epoch: Buffer.alloc(16, 1),
    clusterUid: () => 'uid',
    settings: [],
    isSettled: () => true,
    now: () => world.nowMs,
  });
  const opened = giver.open({ epoch: Buffer.alloc(16, 2), clusterUid: 'uid', settings: [], positions: [] });
  assert.ok('parts' in opened, 'refused');
  using handed = opened;
  const [first, ...rest] = [...handed.parts].map((part) => Buffer.from(part));
  assert.ok(first);
  const read = rest.map((part) => readPart(part, () => true));
  assert.deepEqual(read.map(({ isLast }) => isLast).indexOf(true), rest.length - 1);
  return { facts: readFirstPart(first).facts, claims: read.flatMap(({ claims }) => claims) };
}

/** All that an answer tells, without the bytes of the object's message. */
function withoutBytes(answer: AddressAnswer): unknown {
  const tell = ({ role, entity, fromMs, toMs, uncertain }: Holder) => {
    const { kind, uid, namespace, name } = entity;
    return { role, kind, uid, namespace, name, workload: workloadOf({ role, entity }), fromMs, toMs, uncertain };
  };
  switch (answer.outcome) {
    case 'RESOLVED':
      return { ...answer, holder: tell(answer.holder), alternatives: answer.alternatives.map(tell) };
    case 'AMBIGUOUS':
      return { ...answer, candidates: answer.candidates.map(tell) };
    default:
      return answer;
  }
}
