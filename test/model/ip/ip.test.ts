// One canonical form for an address, and nothing else taken for an address.

import assert from 'node:assert/strict';
import { SocketAddress } from 'node:net';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { canonicalIps, parseApiIp, parseIp } from '../../../src/model/ip/ip.ts';

describe('parseIp', () => {
  for (const [text, canonical] of [
    ['10.0.0.1', '10.0.0.1'],
    ['::ffff:10.0.0.1', '10.0.0.1'],
    ['::FFFF:A00:1', '10.0.0.1'],
    ['FD00:10:128:0::42', 'fd00:10:128::42'],
    ['2001:0db8:0000:0000:0001:0000:0000:0001', '2001:db8::1:0:0:1'],
    ['::', '::'],
  ] as const) {
    it(`takes ${text} as ${canonical}`, () => assert.equal(parseIp(text), canonical));
  }

  for (const text of [
    '',
    '1',
    '10.1',
    '010.0.0.1',
    '10.0.0.1/32',
    '10.0.0.1:80',
    '[::1]',
    'fe80::1%eth0',
    'None',
    ' 10.0.0.1',
    '10.0.0.256',
    '1'.repeat(1_000_000),
  ]) {
    it(`refuses ${JSON.stringify(text.slice(0, 30))}`, () => assert.equal(parseIp(text), undefined));
  }

  it('gives every spelling of an IPv6 address the same form, which is its own canonical form', () => {
    fc.assert(
      fc.property(fc.ipV6(), (text) => {
        const canonical = parseIp(text);
        assert.ok(canonical !== undefined, text);
        assert.equal(parseIp(text.toUpperCase()), canonical);
        assert.equal(parseIp(canonical), canonical);
      }),
    );
  });
});

/** Groups with many zeros, written with a gap anywhere, leading zeros, and a dotted quad at the end. */
const spelling = fc
  .record({
    groups: fc.array(fc.oneof(fc.constantFrom(0, 0, 1, 0xffff, 0xa00), fc.nat(0xffff)), { minLength: 8, maxLength: 8 }),
    gap: fc.tuple(fc.nat(7), fc.nat(7)),
    isQuad: fc.boolean(),
    width: fc.integer({ min: 1, max: 4 }),
  })
  .map(({ groups, gap: [from, length], isQuad, width }) => {
    const [high = 0, low = 0] = groups.slice(6);
    const quad = `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
    const parts = groups.map((group) => group.toString(16).padStart(width, '0'));
    const texts = isQuad ? [...parts.slice(0, 6), quad] : parts;
    const until = Math.min(from + length, isQuad ? 6 : 8);
    const isZero = until > from && groups.slice(from, until).every((group) => group === 0);
    if (!isZero) return texts.join(':');
    return `${texts.slice(0, from).join(':')}::${texts.slice(until).join(':')}`;
  });

it('writes IPv6 as inet_ntop does, but for mapped addresses, which are IPv4', () => {
  fc.assert(
    fc.property(spelling, (text) => {
      const theirs = new SocketAddress({ address: text, family: 'ipv6' }).address;
      assert.equal(parseIp(text), theirs.replace(/^::ffff:(?=[\d.]+$)/, ''), text);
    }),
    { numRuns: 5_000 },
  );
});

it('canonicalIps keeps the order, drops duplicates in any spelling and anything that is not an address', () => {
  assert.deepEqual(canonicalIps(['10.0.0.2', 'x', '::ffff:10.0.0.2', '10.0.0.1']), ['10.0.0.2', '10.0.0.1']);
});

// https://github.com/kubernetes/kubernetes/issues/108074; ParseIPSloppy of k8s.io/utils/net.
describe('an address in an object of the API', () => {
  for (const [text, canonical] of [
    ['010.000.01.009', '10.0.1.9'],
    ['000.0.00.0', '0.0.0.0'],
    ['192.168.001.010', '192.168.1.10'],
    ['::ffff:010.0.0.01', '10.0.0.1'],
    ['64:ff9b::010.0.0.1', '64:ff9b::a00:1'],
    ['2001:0db8::0010', '2001:db8::10'],
    ['10.0.0.1', '10.0.0.1'],
    ['010.0.0.256', undefined],
    ['010.0.1', undefined],
    ['0x0a.0.0.1', undefined],
    ['010.0.0.1%eth0', undefined],
    ['010.0.0.1/8', undefined],
    ['', undefined],
    [`${'0'.repeat(60)}10.0.0.1`, undefined],
  ] as const) {
    it(`${JSON.stringify(text)} is ${canonical ?? 'none'}: leading zeros mean nothing there`, () => {
      assert.equal(parseApiIp(text), canonical);
    });
  }

  it('is read as in a question whenever that can be read', () => {
    fc.assert(fc.property(spelling, (text) => assert.equal(parseApiIp(text), parseIp(text))));
  });
});
