// Ranges in either family, and nothing else taken for a range.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { parseCidr } from '../../../src/model/ip/cidr.ts';

it('takes ranges of both families apart', () => {
  assert.deepEqual(parseCidr('10.0.0.0/8'), { network: '10.0.0.0', prefixLength: 8, family: 'ipv4' });
  assert.deepEqual(parseCidr('FD00:0::/48'), { network: 'fd00::', prefixLength: 48, family: 'ipv6' });
});

it('refuses what is not a range', () => {
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
