// One canonical form for an address, and nothing else taken for an address.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { canonicalIps, parseIp } from '../../src/model/ip.ts';

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

it('canonicalIps keeps the order, drops duplicates in any spelling and anything that is not an address', () => {
  assert.deepEqual(canonicalIps(['10.0.0.2', 'x', '::ffff:10.0.0.2', '10.0.0.1']), ['10.0.0.2', '10.0.0.1']);
});
