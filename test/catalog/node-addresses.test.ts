// The addresses of nodes: those of their status, and those that network plugins note in annotations.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { NodeEntity } from '../../src/model/entities.ts';
import { pluginAddresses } from '../../src/model/kubernetes/node-addresses.ts';
import { decode, Harness } from './harness.ts';
import { node, service, slice } from './records.ts';

function nodeOf({ copy }: Harness): NodeEntity {
  const found = copy.get('uid-node-a');
  assert.ok(found?.kind === 'Node');
  return found;
}

const INTERNAL = { type: 'InternalIP', address: '192.168.0.1' };

// https://github.com/projectcalico/calico/issues/7207; https://github.com/cilium/cilium/issues/18749.
describe('an address that a network plugin gave a node', () => {
  const annotations = {
    'projectcalico.org/IPv4Address': '192.168.0.1/24',
    'projectcalico.org/IPv4VXLANTunnelAddr': '172.16.50.128',
    'projectcalico.org/IPv4IPIPTunnelAddr': '',
    'projectcalico.org/IPv6WireguardInterfaceAddr': 'FD00::1',
    'network.cilium.io/ipv4-cilium-host': '10.244.0.197',
    'network.cilium.io/ipv4-health-ip': 'no address',
    'io.cilium.network.ipv4-cilium-host': '10.244.0.197',
  };
  const own = ['192.168.0.1', '172.16.50.128', 'fd00::1', '10.244.0.197'];

  it('is the node’s, each once, and is told with the others, marked as the plugin’s', async () => {
    const harness = await Harness.open(node('node-a', { addresses: [INTERNAL], annotations }));
    assert.deepEqual(nodeOf(harness).addresses, own);
    const told = decode(nodeOf(harness))['addresses'] as { type: string; address: string }[];
    assert.deepEqual(
      told.map(({ type, address }) => `${type} ${address}`),
      ['InternalIP 192.168.0.1', ...own.slice(1).map((address) => `NetworkPlugin ${address}`)],
    );
  });

  it('comes and goes with the annotation, and an endpoint there is the node', async () => {
    const listed = slice('db-a', 'db', [{ addresses: ['172.16.50.128'] }]);
    const harness = await Harness.open(node('node-a', { addresses: [INTERNAL] }), service('db'), listed);
    assert.deepEqual(harness.service('db').manualEndpoints, ['172.16.50.128']);
    harness.put(node('node-a', { addresses: [INTERNAL], annotations }));
    assert.deepEqual(harness.told(), ['~ Node node-a', '~ Service db']);
    assert.deepEqual(harness.service('db').manualEndpoints, []);
    harness.put(node('node-a', { addresses: [INTERNAL] }));
    assert.deepEqual(harness.told(), ['~ Node node-a', '~ Service db']);
  });

  it('is not known where its annotation is denied', () => {
    const denied = new Set(['projectcalico.org/IPv4VXLANTunnelAddr']);
    assert.deepEqual(pluginAddresses(annotations, denied), own.slice(2));
  });
});

// https://github.com/ovn-kubernetes/ovn-kubernetes/pull/3138; KEP-4858.
it('addresses of services, nodes and endpoints may have leading zeros, which mean nothing', async () => {
  const harness = await Harness.open(
    node('node-a', { addresses: [{ type: 'InternalIP', address: '192.168.000.001' }] }),
    service('db', {
      clusterIps: ['10.96.011.012'],
      externalIps: ['203.000.113.007'],
      loadBalancerIps: ['198.51.100.010'],
    }),
    slice('db-a', 'db', [{ addresses: ['192.168.0.1'] }, { addresses: ['192.0.002.7'] }]),
  );
  const { clusterAddresses, externalAddresses, loadBalancerAddresses, manualEndpoints } = harness.service('db');
  assert.deepEqual(
    [nodeOf(harness).addresses, clusterAddresses, externalAddresses, loadBalancerAddresses, manualEndpoints],
    [['192.168.0.1'], ['10.96.11.12'], ['203.0.113.7'], ['198.51.100.10'], ['192.0.2.7']],
  );
  const told = decode(nodeOf(harness))['addresses'];
  assert.deepEqual(told, [{ type: 'InternalIP', address: '192.168.0.1' }]);
});
