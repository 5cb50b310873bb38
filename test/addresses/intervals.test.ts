// Questions about a whole interval, and the history of an address, against what questions about every millisecond of it
// say.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AddressAnswer } from '../../src/addresses/reader.ts';
import { createRandom } from '../random.ts';
import { createHistory } from './adversary.ts';
import { pod, serviceCidr, T0, World } from './world.ts';

const A = '10.1.0.1';

describe('15.2: a question about an interval', () => {
  const passed = (): World => {
    const world = new World();
    world.at(1_000).put(pod('a', { addresses: [A] }));
    world.at(10_000).remove('a');
    world.at(20_000).put(pod('b', { addresses: [A] }));
    return world.at(30_000);
  };
  const who = (world: World, at: number, until: number): readonly string[] => {
    const answer = world.book.resolve({ address: A, atMs: T0 + at, untilMs: T0 + until });
    const holders =
      answer.outcome === 'RESOLVED' ? [answer.holder] : answer.outcome === 'AMBIGUOUS' ? answer.candidates : [];
    const shown = holders.map(
      ({ entity, fromMs, toMs, uncertain }) =>
        `${entity.name}${uncertain ? '?' : ''} ${fromMs - T0}–${toMs === undefined ? '' : toMs - T0}`,
    );
    return [answer.outcome, ...shown];
  };

  it('is RESOLVED when one holds the address throughout, with the interval of its claim', () => {
    assert.deepEqual(who(passed(), 2_000, 8_000), ['RESOLVED', 'a 1000–10000']);
    assert.deepEqual(who(passed(), 25_000, 60_000), ['RESOLVED', 'b 20000–'], 'as far as now');
  });

  it('is uncertain when the address had no holder at some of its moments', () => {
    assert.deepEqual(who(passed(), 5_000, 15_000), ['RESOLVED', 'a? 1000–10000']);
    assert.deepEqual(who(passed(), 12_000, 15_000), ['UNASSIGNED']);
  });

  it('is AMBIGUOUS when the address changes hands, with the part of the interval that each had', () => {
    assert.deepEqual(who(passed(), 5_000, 25_000), ['AMBIGUOUS', 'b 19500–25000', 'a 5000–10500'], 'slack included');
  });

  it('says what every millisecond of it says', () => {
    for (let seed = 1; seed <= 6; seed++) {
      const random = createRandom(seed);
      const history = createHistory(random);
      const world = new World({ clusterRanges: history.areRangesKnown ? ['10.0.0.0/8'] : [] });
      world.putRange(serviceCidr('kubernetes', ['10.96.0.0/15']));
      for (const { atMs, gapSinceMs, put, removeName } of history.deliveries) {
        world.at(atMs);
        if (put !== undefined) world.put(put, gapSinceMs);
        if (removeName !== undefined) world.remove(removeName, gapSinceMs);
      }
      world.at(history.endMs);
      for (let i = 0; i < 40; i++) {
        const place = random.chance(0.3) ? random.pick(history.ports) : { address: random.pick(history.addresses) };
        const atMs = T0 + random.between(0, history.endMs - 1);
        const untilMs = Math.min(world.nowMs, atMs + random.between(0, 3_000));
        const moments = Array.from({ length: untilMs - atMs + 1 }, (_, at) =>
          world.book.resolve({ ...place, atMs: atMs + at }),
        );
        const answer = world.book.resolve({ ...place, atMs, untilMs });
        assert.deepEqual(summary(answer), expected(moments), `seed ${seed}: ${JSON.stringify(place)} ${atMs - T0}`);
      }
    }
  });
});

describe('15.2: the history of an address', () => {
  it('has a stretch of time for every answer, newest first, without gaps, back to the beginning', () => {
    const world = new World();
    world.at(1_000).put(pod('a', { addresses: [A] }));
    world.at(10_000).remove('a');
    world.at(20_000).put(pod('b', { addresses: [A] }));
    const { stretches, historySinceMs } = world.at(30_000).book.history({ address: A }, 100);
    const shown = stretches.map(({ fromMs, toMs, outcome, holders }) => {
      const names = holders.map(({ entity, uncertain }) => `${entity.name}${uncertain ? '?' : ''}`);
      return `${fromMs - T0}–${toMs === undefined ? '' : toMs - T0} ${names.join('|') || outcome}`;
    });
    assert.deepEqual(shown, ['19500– b', '10500–19500 UNASSIGNED', '500–10500 a', '0–500 UNASSIGNED']);
    assert.equal(historySinceMs, T0);
    assert.equal(world.book.history({ address: A }, 2).stretches.length, 2);
  });
});

interface Summary {
  readonly outcome: string;
  readonly holders: readonly string[];
  readonly uncertain: boolean | undefined;
}

function holdersOf(answer: AddressAnswer): readonly { key: string; uncertain: boolean }[] {
  const holders =
    answer.outcome === 'RESOLVED' ? [answer.holder] : answer.outcome === 'AMBIGUOUS' ? answer.candidates : [];
  return holders.map(({ role, entity, uncertain }) => ({ key: `${role} ${entity.uid}`, uncertain }));
}

function summary(answer: AddressAnswer): Summary {
  const holders = holdersOf(answer);
  const isOne = answer.outcome === 'RESOLVED';
  return {
    outcome: answer.outcome,
    holders: [...new Set(holders.map(({ key }) => key))].sort(),
    uncertain: isOne ? holders[0]?.uncertain : undefined,
  };
}

function expected(moments: readonly AddressAnswer[]): Summary {
  const all = moments.map(holdersOf);
  const keys = [...new Set(all.flat().map(({ key }) => key))].sort();
  if (keys.length === 0) {
    const outcomes = new Set(moments.map(({ outcome }) => outcome));
    return { outcome: outcomes.size === 1 ? [...outcomes][0]! : 'UNKNOWN', holders: [], uncertain: undefined };
  }
  const isOne = keys.length === 1 && all.every(({ length }) => length <= 1);
  if (!isOne) return { outcome: 'AMBIGUOUS', holders: keys, uncertain: undefined };
  const uncertain = all.some(([holder]) => holder === undefined || holder.uncertain);
  return { outcome: 'RESOLVED', holders: keys, uncertain };
}
