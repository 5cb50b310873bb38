// A merged and halved set of ranges says the same as a walk over all of them.

import assert from 'node:assert/strict';
import { BlockList } from 'node:net';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseIp } from '../../src/model/ip.ts';
import { familyOf, IpRangeSet, parseCidr } from '../../src/model/ip-ranges.ts';

describe('a set of ranges', () => {
  for (const [family, anyAddress, bits] of [
    // A small corner of the space, so that ranges overlap, touch and nest.
    ['ipv4', fc.tuple(fc.nat(3), fc.nat(255)).map(([third, fourth]) => `10.0.${third}.${fourth}`), 32],
    ['ipv6', fc.tuple(fc.nat(3), fc.nat(65_535)).map(([a, b]) => `fd00::${a.toString(16)}:${b.toString(16)}`), 128],
  ] as const) {
    it(`answers as a walk over all of them does (${family})`, () => {
      const range = fc.tuple(anyAddress, fc.integer({ min: bits - 20, max: bits }));
      fc.assert(
        fc.property(fc.array(range, { maxLength: 20 }), fc.array(anyAddress, { minLength: 1 }), (written, asked) => {
          const ranges = written.map(([address, length]) => parseCidr(`${address}/${length}`) ?? assert.fail(address));
          const set = new IpRangeSet(family, ranges);
          const walk = new BlockList();
          for (const { network, prefixLength } of ranges) walk.addSubnet(network, prefixLength, family);
          for (const text of asked) {
            const address = parseIp(text) ?? assert.fail(text);
            assert.equal(
              set.includes(address),
              walk.check(address, family),
              `${address} in ${JSON.stringify(written)}`,
            );
          }
        }),
        { numRuns: 300 },
      );
    });
  }

  it('takes any IPv6 address, a dotted tail too', () => {
    const set = new IpRangeSet('ipv6', [parseCidr('::/96') ?? assert.fail()]);
    assert.ok(set.includes('::1.2.3.4'));
    assert.ok(set.includes('::'));
    fc.assert(
      fc.property(fc.ipV6(), (text) => {
        const address = parseIp(text) ?? assert.fail(text);
        if (familyOf(address) === 'ipv4') return;
        const exact = new IpRangeSet('ipv6', [{ network: address, prefixLength: 128, family: 'ipv6' }]);
        assert.ok(exact.includes(address));
      }),
    );
  });

  it('makes one range of neighbouring ones', () => {
    const ranges = Array.from({ length: 256 }, (_, node) => parseCidr(`10.244.${node}.0/24`) ?? assert.fail());
    const set = new IpRangeSet('ipv4', ranges);
    assert.equal(set.size, 1);
    assert.deepEqual([set.includes('10.244.255.255'), set.includes('10.245.0.0')], [true, false]);
  });
});

it('parseCidr refuses what is no range', () => {
  for (const text of [
    '10.0.0.0',
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0.0/-1',
    'fd00::/129',
    'x/8',
    '010.0.0.0/8',
    '/8',
  ]) {
    assert.equal(parseCidr(text), undefined, text);
  }
});
