// The map against a Map, with so many entries that it is in parts, and how even the parts are.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { hashOfText, WideMap, wideMap } from '../../src/collections/wide-map.ts';

const many = <T>(count: number, make: (at: number) => T): T[] => Array.from({ length: count }, (_, at) => make(at));

/** Kinds of keys, as clusters have them. */
const KEYS: Record<string, (at: number) => string> = {
  addresses: (at) => `10.${at >> 16}.${(at >> 8) & 255}.${at & 255}`,
  'addresses of a slice': (at) => `shop 10.${at >> 16}.${(at >> 8) & 255}.${at & 255} `,
  'IPv6 addresses': (at) => `fd00:10:244::${at.toString(16)}`,
  uids: (at) => `7f3c1c9e-5f0a-4d55-9d0b-${(at * 7_919).toString(16).padStart(12, '0')}`,
  'names of a StatefulSet': (at) => `web-${at}`,
  'names that end alike': (at) => `shop-${String(at).padStart(6, '0')}-service`,
};

describe('a map that grows without a pause', () => {
  it('is a Map for those who use it, however many entries it has', () => {
    const key = fc.nat(12_000).map((at) => `key-${at}`);
    const step = fc.oneof(
      { weight: 2, arbitrary: fc.record({ do: fc.constant('set'), key }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('delete'), key }) },
    );
    fc.assert(
      fc.property(fc.nat(9_000), fc.array(step, { maxLength: 400 }), (filled, steps) => {
        const [map, model] = [wideMap<number>(), new Map<string, number>()];
        for (let at = 0; at < filled; at += 1) {
          map.set(`key-${at}`, at);
          model.set(`key-${at}`, at);
        }
        for (const [at, { do: what, key: of }] of steps.entries()) {
          if (what === 'delete') assert.equal(map.delete(of), model.delete(of));
          else {
            map.set(of, at);
            model.set(of, at);
          }
          assert.deepEqual([map.get(of), map.has(of), map.size], [model.get(of), model.has(of), model.size]);
        }
        assert.deepEqual(sorted(map), sorted(model));
        assert.deepEqual([...map.keys()].sort(), [...model.keys()].sort());
        assert.equal([...map.values()].length, model.size);
      }),
      { numRuns: 40 },
    );
  });

  it('may be walked while entries come and go, also when it becomes many at that moment', () => {
    for (const filled of [10, 4_095, 6_000]) {
      const map = wideMap<number>();
      for (let at = 0; at < filled; at += 1) map.set(`key-${at}`, at);
      map.delete('key-0');
      const seen: string[] = [];
      let added = 0;
      for (const [key] of map) {
        seen.push(key);
        if (added < 100) map.set(`late-${(added += 1)}`, 0);
        if (key !== 'key-5') map.delete('key-5');
      }
      assert.equal(new Set(seen).size, seen.length, 'each at most once');
      for (let at = 1; at < filled; at += 1)
        if (at !== 5) assert.ok(seen.includes(`key-${at}`), `key-${at} of ${filled}`);
      map.clear();
      assert.deepEqual([map.size, [...map]], [0, []]);
      map.set('again', 1);
      assert.deepEqual([...map], [['again', 1]]);
    }
  });

  for (const [kind, keyOf] of Object.entries(KEYS)) {
    it(`14.8: no write copies more than a few thousand of 100,000 entries: ${kind}`, () => {
      const map = wideMap<number>();
      for (const key of many(100_000, keyOf)) map.set(key, 0);
      assert.ok(map.largest <= 4_096, `${map.largest} of 100,000`);
    });
  }

  it('goes on when all keys have one hash', () => {
    const map = new WideMap<string, number>(() => 1);
    for (let at = 0; at < 5_000; at += 1) map.set(`key-${at}`, at);
    assert.deepEqual([map.size, map.largest, map.get('key-4999')], [5_000, 5_000, 4_999]);
    assert.equal(hashOfText(''), 0);
  });
});

function sorted(map: Iterable<[string, number]>): [string, number][] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1));
}
