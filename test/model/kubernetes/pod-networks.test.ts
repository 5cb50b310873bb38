// What annotations say of secondary networks, from plugins as they are and from everyone else who may write them.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseIp } from '../../../src/model/ip/ip.ts';
import {
  isNetworkName,
  MULTUS_STATUS,
  networkAddress,
  OLD_MULTUS_STATUS,
  OVN_NETWORKS,
  podNetworksOf,
  splitNetworkAddress,
} from '../../../src/model/kubernetes/pod-networks.ts';

const multus = (value: unknown, podIps: string[] = []) =>
  podNetworksOf({ [MULTUS_STATUS]: typeof value === 'string' ? value : JSON.stringify(value) }, podIps);
const ovn = (value: unknown, podIps: string[] = []) => podNetworksOf({ [OVN_NETWORKS]: JSON.stringify(value) }, podIps);

describe('16.10 the secondary networks of a pod', () => {
  it('are those of Multus, without what its status has already', () => {
    const status = [
      { name: 'cbr0', interface: 'eth0', ips: ['10.244.1.4'], mac: '0a:58', default: true, dns: {} },
      { name: 'shop/storage', interface: 'net1', ips: ['192.168.7.4', 'FD00::0:4'], mac: '0a:59', dns: {} },
      { name: 'shop/l2only', interface: 'net2', dns: {} },
    ];
    const expected = [{ name: 'shop/storage', interface: 'net1', addresses: ['192.168.7.4', 'fd00::4'] }];
    assert.deepEqual(multus(status, ['10.244.1.4']), { networks: expected, problem: undefined });
    assert.deepEqual(podNetworksOf({ [OLD_MULTUS_STATUS]: JSON.stringify(status) }, ['10.244.1.4']).networks, expected);
  });

  it('count an address once however OVN and Multus write it', () => {
    const found = podNetworksOf(
      {
        [OVN_NETWORKS]: JSON.stringify({ 'blue/net': { ip_addresses: ['FD01::5/64'] } }),
        [MULTUS_STATUS]: JSON.stringify([{ name: 'ovn-kubernetes', interface: 'net1', ips: ['FD01:0::5'] }]),
      },
      [],
    );
    assert.deepEqual(found.networks, [{ name: 'blue/net', interface: '', addresses: ['fd01::5'] }]);
  });

  it('are those of OVN, and an address that Multus calls otherwise counts once', () => {
    const networks = {
      default: { ip_addresses: ['10.244.1.6/24'], mac_address: '0a:58', role: 'infrastructure-locked' },
      'blue/tenant': { ip_addresses: ['10.128.0.5/16', 'fd01::5/64'], ip_address: '10.128.0.5/16', role: 'primary' },
      'shop/old': { ip_address: '192.168.9.9/24' },
    };
    const told = [
      { name: 'blue/tenant', interface: '', addresses: ['10.128.0.5', 'fd01::5'] },
      { name: 'shop/old', interface: '', addresses: ['192.168.9.9'] },
    ];
    assert.deepEqual(ovn(networks, ['10.244.1.6']), { networks: told, problem: undefined });
    const both = {
      [OVN_NETWORKS]: JSON.stringify(networks),
      [MULTUS_STATUS]: JSON.stringify([
        { name: 'ovn-kubernetes', interface: 'eth0', ips: ['10.244.1.6'], default: false },
        { name: 'ovn-kubernetes', interface: 'ovn-udn1', ips: ['10.128.0.5', 'fd01::5'], default: true },
        { name: 'shop/old', interface: 'net1', ips: ['192.168.9.9'] },
      ]),
    };
    assert.deepEqual(podNetworksOf(both, ['10.244.1.6']).networks, told);
  });

  it('may have the same address on two of them', () => {
    const { networks } = multus([
      { name: 'a/net', ips: ['10.0.0.1'] },
      { name: 'b/net', ips: ['10.0.0.1', '10.0.0.1'] },
    ]);
    assert.deepEqual(
      networks.flatMap(({ name, addresses }) => addresses.map((address) => networkAddress(address, name))),
      ['10.0.0.1@a/net', '10.0.0.1@b/net'],
    );
  });

  it('of malformed annotations are what can be read of them, and it is said that something could not', () => {
    for (const bad of [
      '{',
      'null',
      '"x"',
      '7',
      '{}',
      '[7]',
      '[null]',
      '[{}]',
      '[{"name":7}]',
      '[{"name":"a/b","ips":"x"}]',
    ])
      assert.deepEqual(multus(bad).networks, [], bad);
    for (const bad of ['{', '"x"', '{}', '[7]', '[{"name":"a/b","ips":7}]', '[{"name":"a/b","ips":[7]}]']) {
      assert.equal(multus(bad).problem, 'malformed', bad);
    }
    for (const name of ['', ' ', 'a b', 'a/b/c', 'a@b', '../x', 'ä', 'a'.repeat(600), '__proto__', 'a\u0000']) {
      assert.deepEqual(multus([{ name, ips: ['10.0.0.1'] }]), { networks: [], problem: 'malformed' }, name);
    }
    const partly = multus([{ name: 'a/b', ips: ['10.0.0.1', 'no', '10.0.0.2/24', null, {}, '10.0.0.3'] }]);
    assert.deepEqual(partly.networks[0]?.addresses, ['10.0.0.1', '10.0.0.3']);
    assert.equal(partly.problem, 'malformed');
    assert.deepEqual(ovn({ __proto__: 7, 'a/b': 7, 'c/d': { ip_addresses: 'x' } }).problem, 'malformed');
  });

  it('are bounded in length, number and time', () => {
    const many = multus(
      Array.from({ length: 500 }, (_, at) => ({ name: `n/net${at}`, ips: [`10.0.${at >> 8}.${at & 255}`] })),
    );
    assert.deepEqual([many.networks.length, many.problem], [32, 'too_many']);
    const wide = multus([
      { name: 'n/net', ips: Array.from({ length: 1_000 }, (_, at) => `10.0.${at >> 8}.${at & 255}`) },
    ]);
    assert.deepEqual([wide.networks[0]?.addresses.length, wide.problem], [64, 'too_many']);
    assert.deepEqual(multus('['.repeat(32_768)), { networks: [], problem: 'malformed' });
    assert.deepEqual(multus('['.repeat(1_000_000)), { networks: [], problem: 'too_long' });
    const worst = JSON.stringify([{ name: 'n/net', ips: Array(4_000).fill('10.0.0.1') }]).slice(0, 32_000);
    const begun = performance.now();
    for (let at = 0; at < 20; at += 1) multus(worst);
    assert.ok(performance.now() - begun < 1_000);
  });

  it('are never an exception, nor an address of the status, whatever the annotations say', () => {
    const entry = fc.record(
      {
        name: fc.oneof(fc.string(), fc.constantFrom('a/b', 'c', 'default')),
        ips: fc.oneof(fc.array(fc.oneof(fc.ipV4(), fc.ipV6(), fc.string(), fc.constant('10.9.9.9'))), fc.anything()),
        interface: fc.anything(),
      },
      { requiredKeys: [] },
    );
    const text = fc.oneof(
      fc.string(),
      fc.json(),
      fc.array(entry).map((each) => JSON.stringify(each)),
      fc
        .dictionary(fc.string(), fc.record({ ip_addresses: fc.array(fc.string()) }))
        .map((each) => JSON.stringify(each)),
    );
    fc.assert(
      fc.property(fc.option(text), fc.option(text), (a, b) => {
        const annotations = {
          ...(a === null ? {} : { [MULTUS_STATUS]: a }),
          ...(b === null ? {} : { [OVN_NETWORKS]: b }),
        };
        const { networks } = podNetworksOf(annotations, ['10.9.9.9']);
        for (const { name, addresses } of networks) {
          assert.ok(isNetworkName(name));
          for (const address of addresses) {
            assert.equal(parseIp(address), address);
            assert.notEqual(address, '10.9.9.9');
            assert.deepEqual(splitNetworkAddress(networkAddress(address, name)), { address, network: name });
          }
        }
      }),
      { numRuns: 500 },
    );
  });
});
