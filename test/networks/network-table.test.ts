// The longest prefix, against looking at every range.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { NetworkTable, type NetworkName } from '../../src/networks/network-table.ts';
import { parseCidr } from '../../src/model/ip/cidr.ts';
import { IP_WIDTH, toBits } from '../../src/model/ip/ip-bits.ts';
import { parseIp } from '../../src/model/ip/ip.ts';

const named = (name: string): NetworkName => ({ name, kind: '', zone: '', region: '' });

function tableOf(ranges: Readonly<Record<string, string>>): NetworkTable {
  const table = new NetworkTable();
  for (const [text, name] of Object.entries(ranges)) add(table, text, name);
  return table;
}

function add(table: NetworkTable, text: string, name: string, rank = 0): void {
  const cidr = parseCidr(text);
  assert.ok(cidr !== undefined, text);
  table.add({ cidr, network: named(name), rank });
}

describe('a table of named ranges', () => {
  it('finds the longest prefix of ranges that contain one another', () => {
    const table = tableOf({ '0.0.0.0/0': 'all', '10.0.0.0/8': 'ten', '10.1.2.0/24': 'office', '10.1.2.3/32': 'door' });
    const names = ['10.1.2.3', '10.1.2.4', '10.9.9.9', '11.0.0.1'].map((address) => table.find(address)?.network.name);
    assert.deepEqual(names, ['door', 'office', 'ten', 'all']);
    assert.equal(table.find('10.1.2.4')?.range, '10.1.2.0/24');
    assert.equal(table.find('11.0.0.1')?.range, '0.0.0.0/0');
  });

  it('keeps the families apart and tells ranges in canonical form', () => {
    const table = tableOf({ '::/0': 'six', '2001:DB8:0::/48': 'lab', '192.0.2.0/25': 'four' });
    assert.equal(table.find('2001:db8::1')?.range, '2001:db8::/48');
    assert.equal(table.find('2001:db9::1')?.range, '::/0');
    assert.equal(table.find('192.0.2.127')?.network.name, 'four');
    assert.equal(table.find('192.0.2.128'), undefined);
  });

  it('lets the lowest rank decide between equal ranges, then the name, in whatever order they come', () => {
    for (const order of [
      [0, 1, 2],
      [2, 1, 0],
      [1, 2, 0],
    ]) {
      const table = new NetworkTable();
      const given = [
        ['AMAZON', 2],
        ['S3', 0],
        ['CLOUDFRONT', 0],
      ] as const;
      for (const index of order) add(table, '52.0.0.0/16', given[index]?.[0] ?? '', given[index]?.[1]);
      assert.equal(table.size, 1);
      assert.equal(table.find('52.0.1.1')?.network.name, 'CLOUDFRONT');
    }
  });

  it('agrees with a look at every range, whatever the ranges', () => {
    const address = fc.oneof(
      fc.ipV4(),
      // Near to one another, so that they contain one another.
      fc.tuple(fc.constant('10.0.0.'), fc.nat(255)).map(([head, tail]) => `${head}${tail}`),
      fc.ipV6().map((text) => parseIp(text) ?? '::'),
      fc.nat(15).map((tail) => `2001:db8::${tail.toString(16)}`),
    );
    const range = fc.tuple(address, fc.nat(128)).map(([network, length]) => {
      const family = network.includes(':') ? 'ipv6' : 'ipv4';
      return { network, family, prefixLength: length % (IP_WIDTH[family] + 1) } as const;
    });
    fc.assert(
      fc.property(fc.array(range, { maxLength: 40 }), fc.array(address, { maxLength: 20 }), (ranges, addresses) => {
        const table = new NetworkTable();
        for (const [index, cidr] of ranges.entries()) table.add({ cidr, network: named(`${index}`), rank: index });
        for (const asked of [...addresses, ...ranges.map(({ network }) => network)]) {
          const expected = longest(ranges, asked);
          const found = table.find(asked);
          assert.equal(found?.prefixLength, expected?.prefixLength, asked);
          assert.equal(found?.network.name, expected?.index, asked);
        }
      }),
      { numRuns: 300 },
    );
  });
});

type Range = { readonly network: string; readonly family: 'ipv4' | 'ipv6'; readonly prefixLength: number };

function longest(ranges: readonly Range[], asked: string) {
  let best: { readonly prefixLength: number; readonly index: string } | undefined;
  for (const [index, { network, prefixLength, family }] of ranges.entries()) {
    if ((family === 'ipv6') !== asked.includes(':')) continue;
    const [a, b] = [BigInt(toBits(network)), BigInt(toBits(asked))];
    const rest = BigInt(IP_WIDTH[family] - prefixLength);
    if (a >> rest !== b >> rest) continue;
    // Of equal ones the first, which has the lowest rank.
    if (best === undefined || prefixLength > best.prefixLength) best = { prefixLength, index: `${index}` };
  }
  return best;
}
