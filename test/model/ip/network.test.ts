// Whom peers are counted with: one address of IPv4, the /64 of IPv6, however they are written.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { networkOfPeer } from '../../../src/model/ip/network.ts';

test('13.3 a peer is its IPv4 address, or the /64 of its IPv6 address', () => {
  const expected: Readonly<Record<string, string>> = {
    '10.244.1.7:40312': '10.244.1.7',
    '::ffff:10.244.1.7:40312': '10.244.1.7',
    'fd00:1:2:3:4:5:6:7:40312': 'fd00:1:2:3::/64',
    'fd00:1:2:3::7:40312': 'fd00:1:2:3::/64',
    'fd00::7:40312': 'fd00:0:0:0::/64',
    '::1:40312': '0:0:0:0::/64',
    'fe80::1%eth0:40312': 'fe80:0:0:0::/64',
    'fd00:1:2:0:1::7:40312': 'fd00:1:2:0::/64',
    'somewhere:1': 'somewhere',
    '': '',
  };
  assert.deepEqual(Object.fromEntries(Object.keys(expected).map((peer) => [peer, networkOfPeer(peer)])), expected);
});
