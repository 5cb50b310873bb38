// Who a call from an address is counted on.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { callerAt } from '../../../src/rpc/limits/caller.ts';

describe('a caller without a name', () => {
  for (const [address, caller] of [
    ['10.244.1.7', 'address:10.244.1.7'],
    ['::ffff:10.244.1.7', 'address:10.244.1.7'],
    ['fd00:10:244::7', 'address:fd00:10:244:0::/64'],
    ['fd00:10:244:0:1:2:3:4', 'address:fd00:10:244:0::/64'],
    ['FD00:010:244:0000::9', 'address:fd00:10:244:0::/64'],
    ['fd00:10:244:1::7', 'address:fd00:10:244:1::/64'],
    ['::1', 'address:0:0:0:0::/64'],
    ['64:ff9b::10.0.0.1', 'address:64:ff9b:0:0::/64'],
    ['fe80::1%eth0', 'address:fe80:0:0:0::%eth0/64'],
    ['unknown', 'address:unknown'],
  ] as const) {
    it(`is its address, or its /64: ${address}`, () => assert.equal(callerAt(address), caller));
  }
});
