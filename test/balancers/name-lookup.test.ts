// What one name resolved to: when to ask again, which addresses to let go of, and the bounds of hostile answers.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseHostName } from '../../src/balancers/host-name.ts';
import { MAX_ADDRESSES, NameLookup } from '../../src/balancers/name-lookup.ts';

const answerOf = (ttlSeconds: number, ...addresses: string[]) => ({
  addresses: addresses.map((address) => ({ address, ttlSeconds })),
});

describe('16.8 the name of a load balancer', () => {
  it('is asked for again at its TTL, a TTL of 0 every 10 s and a long one every hour', () => {
    for (const [ttl, ms] of [
      [60, 60_000],
      [0, 10_000],
      [1_000_000, 3_600_000],
    ] as const) {
      const lookup = new NameLookup(0);
      lookup.answer(answerOf(ttl, '192.0.2.1'), 1_000);
      assert.equal(lookup.nextMs, 1_000 + ms);
    }
  });

  it('keeps an address until four answers in a row lacked it, and says between which moments it went', () => {
    const lookup = new NameLookup(0);
    assert.deepEqual(lookup.answer(answerOf(60, '192.0.2.1', '192.0.2.2'), 1_000).added, ['192.0.2.1', '192.0.2.2']);
    const second = lookup.answer(answerOf(60, '192.0.2.2', '192.0.2.3'), 61_000);
    assert.deepEqual([second.added, second.addedSinceMs, second.ended], [['192.0.2.3'], 1_000, []]);
    for (const atMs of [121_000, 181_000]) {
      assert.deepEqual(lookup.answer(answerOf(60, '192.0.2.2', '192.0.2.3'), atMs).ended, []);
    }
    const last = lookup.answer(answerOf(60, '192.0.2.2', '192.0.2.3'), 241_000);
    assert.deepEqual([last.ended, last.endedSinceMs], [['192.0.2.1'], 1_000]);
    assert.deepEqual(lookup.addresses, ['192.0.2.2', '192.0.2.3']);
  });

  it('that does not exist now and then loses nothing, and one that is gone for good loses all', () => {
    const lookup = new NameLookup(0);
    lookup.answer(answerOf(60, '192.0.2.1'), 0);
    for (let at = 1; at <= 20; at += 1) {
      const change = lookup.answer(at % 2 === 0 ? answerOf(60, '192.0.2.1') : answerOf(60), at * 60_000);
      assert.deepEqual([change.added, change.ended], [[], []]);
    }
    const ended = [21, 22, 23, 24].map((at) => lookup.answer(answerOf(60), at * 60_000).ended);
    assert.deepEqual(ended, [[], [], [], ['192.0.2.1']]);
  });

  it('keeps what it has while name servers fail, asks ever less often, and gives up after an hour', () => {
    const lookup = new NameLookup(0);
    lookup.answer(answerOf(60, '192.0.2.1'), 0);
    const delays: number[] = [];
    let nowMs = 60_000;
    for (let at = 0; at < 8; at += 1) {
      assert.deepEqual(lookup.fail(nowMs, 0).ended, []);
      delays.push(lookup.nextMs - nowMs);
      nowMs = lookup.nextMs;
    }
    assert.deepEqual(delays, [5_000, 10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000]);
    assert.ok(lookup.isFailing);
    const change = lookup.fail(3_600_001, 0);
    assert.deepEqual([change.ended, change.endedSinceMs], [['192.0.2.1'], 0]);
    lookup.answer(answerOf(60, '192.0.2.1'), 3_700_000);
    assert.ok(!lookup.isFailing);
  });

  it('with 10,000 addresses has 64 of them, the same ones each time, and says how many it has not', () => {
    const all = Array.from({ length: 10_000 }, (_, at) => `10.9.${at >> 8}.${at & 255}`);
    const lookup = new NameLookup(0);
    const first = lookup.answer(answerOf(0, ...all), 0);
    assert.deepEqual([first.added.length, first.cut], [MAX_ADDRESSES, 10_000 - MAX_ADDRESSES]);
    const second = lookup.answer(answerOf(0, ...all.toReversed()), 10_000);
    assert.deepEqual([second.added, second.ended], [[], []]);
    // Other ones at every answer never make it grow.
    for (let at = 2; at < 20; at += 1) {
      lookup.answer(answerOf(0, ...all.map((each) => each.replace('10.9', `10.${at + 20}`))), at * 10_000);
      assert.equal(lookup.addresses.length, MAX_ADDRESSES);
    }
  });

  it('has what recent answers had, whatever the answers, and ends nothing before it was told', () => {
    const step = fc.oneof(
      fc.array(fc.constantFrom('192.0.2.1', '192.0.2.2', '192.0.2.3'), { maxLength: 3 }),
      fc.constant('fails' as const),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const lookup = new NameLookup(0);
        const held = new Set<string>();
        const answers: string[][] = [];
        for (const [at, each] of steps.entries()) {
          const nowMs = at * 60_000;
          const change = each === 'fails' ? lookup.fail(nowMs, 0.5) : lookup.answer(answerOf(60, ...each), nowMs);
          if (each !== 'fails') answers.push(each);
          assert.ok(lookup.nextMs > nowMs);
          for (const address of change.added) assert.ok(!held.has(address));
          for (const address of change.ended) assert.ok(held.delete(address));
          assert.ok((change.endedSinceMs ?? nowMs) <= nowMs && (change.addedSinceMs ?? nowMs) <= nowMs);
          for (const address of change.added) held.add(address);
          assert.deepEqual([...held].sort(), [...lookup.addresses].sort());
          const recent = new Set(answers.slice(-4).flat());
          assert.deepEqual([...held].sort(), [...recent].sort());
        }
      }),
    );
  });

  it('is a name of two labels and more, and nothing else', () => {
    assert.equal(
      parseHostName('My-LB-1234.eu-central-1.ELB.amazonaws.com.'),
      'my-lb-1234.eu-central-1.elb.amazonaws.com',
    );
    const wrong = ['', '.', 'localhost', '10.0.0.1', '::1', 'a..b', '-a.b', 'a.b-', 'a b.c', 'a.b/c', 'ä.de', 'a.123'];
    for (const text of [...wrong, `${'a'.repeat(64)}.de`, `${'a.'.repeat(200)}de`, 'a.'.repeat(500_000)]) {
      assert.equal(parseHostName(text), undefined, text.slice(0, 30));
    }
  });
});
