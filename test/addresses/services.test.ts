// Services hold ports of addresses that they may share with other services and with nodes.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ServiceEntity } from '../../src/model/entities.ts';
import { node, pod, service, T0, World } from './world.ts';

const SHARED = '198.51.100.1';
const NODE = '10.0.0.1';
let clusterAddresses = 0;

/** A service that proxies look at: it has a cluster address. */
function served(name: string, facts: Partial<ServiceEntity>): ServiceEntity {
  return service(name, { clusterAddresses: [`10.96.0.${++clusterAddresses}`], ...facts });
}

function tcp(...ports: number[]): Pick<ServiceEntity, 'ports'> {
  return { ports: ports.map((port) => ({ port, protocol: 'TCP' as const })) };
}

describe('14.2: an address that services share', () => {
  it('is told apart by port, and ambiguous without one or with one that none of them has', () => {
    const world = new World();
    world.at(1_000).put(served('web', { loadBalancerAddresses: [SHARED], ...tcp(80, 443) }));
    world.at(2_000).put(served('mail', { loadBalancerAddresses: [SHARED], ...tcp(25) }));
    world.at(3_000).put(served('old', { externalAddresses: [SHARED], ...tcp(21) }));
    world.at(5_000);
    assert.equal(world.who(SHARED, { port: 443 }), 'web');
    assert.equal(world.who(SHARED, { port: 25, protocol: 'TCP' }), 'mail');
    assert.equal(world.who(SHARED, { port: 21 }), 'old');
    assert.equal(world.who(SHARED), 'old|mail|web');
    assert.equal(world.who(SHARED, { port: 9_999 }), 'old|mail|web');
    assert.equal(world.who(SHARED, { port: 25, protocol: 'UDP' }), 'old|mail|web', 'the port is one of TCP');
  });

  it('is the service’s alone for any port where it is the only one', () => {
    const world = new World();
    world.at(1_000).put(served('web', { loadBalancerAddresses: [SHARED], externalAddresses: [SHARED], ...tcp(80) }));
    const answer = world.at(5_000).ask(SHARED, { port: 9_999 });
    assert.ok(answer.outcome === 'RESOLVED' && answer.holder.role === 'LOAD_BALANCER');
    const exact = world.ask(SHARED, { port: 80 });
    assert.ok(exact.outcome === 'RESOLVED' && exact.holder.role === 'LOAD_BALANCER');
  });

  it('is ambiguous for one port that two of them have, and for one number with two protocols when none is given', () => {
    const world = new World();
    const dns = (protocol: 'TCP' | 'UDP') => ({ externalAddresses: [SHARED], ports: [{ port: 53, protocol }] });
    world.at(1_000).put([served('tcp', dns('TCP')), served('udp', dns('UDP'))]);
    assert.equal(world.at(5_000).who(SHARED, { port: 53, protocol: 'UDP' }), 'udp');
    assert.equal(world.who(SHARED, { port: 53 }), 'udp|tcp');
  });

  it('follows the ports as they change, also in hindsight', () => {
    const world = new World();
    world.at(1_000).put(served('mail', { loadBalancerAddresses: [SHARED], ...tcp(25) }));
    const web = served('web', { loadBalancerAddresses: [SHARED] });
    world.put({ ...web, ...tcp(80) });
    world.at(10_000).put({ ...web, ...tcp(8_080) });
    world.at(20_000);
    assert.equal(world.who(SHARED, { port: 80, at: 5_000 }), 'web');
    assert.equal(world.who(SHARED, { port: 80 }), 'web|mail');
    assert.equal(world.who(SHARED, { port: 8_080 }), 'web');
    assert.equal(world.who(SHARED, { port: 8_080, at: 5_000 }), 'web|mail');
  });

  it('is held by the pod or service whose whole address it is, but for the very port', () => {
    const world = new World();
    world
      .at(1_000)
      .put([
        pod('a', { addresses: ['10.1.0.1'] }),
        service('api', { clusterAddresses: ['10.96.1.1'] }),
        served('thief', { externalAddresses: ['10.1.0.1', '10.96.1.1'], ...tcp(80) }),
      ]);
    world.at(5_000);
    assert.equal(world.who('10.1.0.1'), 'a');
    assert.equal(world.who('10.1.0.1', { port: 51_000 }), 'a');
    assert.equal(world.who('10.96.1.1', { port: 443 }), 'api');
    assert.equal(world.who('10.1.0.1', { port: 80 }), 'thief', 'proxies send it there');
  });

  it('lists the 100 newest of 4,000 services, finds one by port among them, and costs little', () => {
    const world = new World({ maxClaims: 10_000 });
    const many = Array.from({ length: 4_000 }, (_, i) =>
      service(`s-${i}`, {
        clusterAddresses: [`10.97.${i >> 8}.${i & 255}`],
        externalAddresses: [SHARED],
        ...tcp(1_000 + i),
      }),
    );
    for (const [i, each] of many.entries()) world.at(i).put(each);
    world.at(10_000);
    assert.equal(world.who(SHARED, { port: 1_500 }), 's-500');
    const answer = world.ask(SHARED);
    assert.ok(answer.outcome === 'AMBIGUOUS');
    assert.equal(answer.candidates.length, 101, 'one more than is listed: there are others');
    assert.deepEqual(
      answer.candidates.slice(0, 3).map(({ entity }) => entity.name),
      ['s-3999', 's-3998', 's-3997'],
    );
    for (const each of many.slice(0, 3_990)) world.remove(each.name);
    assert.equal(world.at(20_000).who(SHARED, { port: 4_995 }), 's-3995');
    assert.equal(world.who(SHARED, { port: 1_500, at: 9_000 }), 's-500');
  });

  it('finds the port of services with thousands of ports, without an entry for each pair of address and port', () => {
    const world = new World();
    const ports = Array.from({ length: 2_000 }, (_, i) => 1 + i);
    const addresses = Array.from({ length: 200 }, (_, i) => `198.51.100.${i}`);
    world.at(1_000);
    for (let i = 0; i < 40; i++)
      world.put(served(`wide-${i}`, { externalAddresses: addresses, ...tcp(...ports, 3_000 + i) }));
    assert.equal(world.book.size.open, 40 * 201);
    assert.equal(world.at(5_000).who('198.51.100.7', { port: 3_005 }), 'wide-5');
  });
});

// kube-proxy, pkg/proxy/serviceport.go: external addresses are mapped by family, and those of another are left out.
it('an external address of another family than the service’s cluster addresses is not the service’s', () => {
  const world = new World();
  const external = { externalAddresses: ['198.51.100.9', '2001:db8::9'], ...tcp(80) };
  world.at(1_000).put(service('four', { clusterAddresses: ['10.96.9.1'], ...external }));
  assert.deepEqual([world.who('198.51.100.9'), world.who('2001:db8::9')], ['four', 'EXTERNAL']);
  world.at(2_000).put(service('four', { clusterAddresses: ['10.96.9.1', 'fd00:96::1'], ...external }));
  assert.deepEqual([world.who('198.51.100.9'), world.who('2001:db8::9', { port: 80 })], ['four', 'four']);
  world.at(10_000).put(service('four', { clusterAddresses: ['fd00:96::1'], ...external }));
  assert.deepEqual([world.at(12_000).who('198.51.100.9'), world.who('2001:db8::9')], ['EXTERNAL', 'four']);
});

// EKS Fargate, virtual kubelets: a machine for each pod, of which the Node tells the same address.
it('an address that a node shares with a pod in a network of its own is the pod’s, and the node’s when the pod is gone', () => {
  const world = new World();
  world
    .at(1_000)
    .put([node('fargate', { addresses: [NODE] }), pod('alone', { nodeName: 'fargate', addresses: [NODE] })]);
  world.at(5_000);
  assert.deepEqual([world.who(NODE), world.who(NODE, { port: 10_250 })], ['alone', 'alone']);
  assert.equal(world.at(6_000).remove('alone').at(9_000).who(NODE), 'fargate');
});

describe('14.2: the address of a node', () => {
  it('is the node’s for every port but those of the services and pods on it', () => {
    const world = new World();
    world.at(1_000).put([
      node('node-1', { addresses: [NODE, '10.0.0.9'] }),
      served('traefik', { loadBalancerAddresses: [NODE, '10.0.0.9'], ...tcp(80, 443) }),
      served('legacy', { externalAddresses: [NODE], ...tcp(8_443) }),
      pod('svclb', {
        addresses: ['10.1.0.1'],
        hostAddresses: [NODE],
        hostPorts: [{ port: 443, protocol: 'TCP', hostAddress: undefined }],
      }),
      pod('agent', { hostNetwork: true, addresses: [NODE], hostAddresses: [NODE] }),
    ]);
    world.at(5_000);
    assert.equal(world.who(NODE, { port: 443 }), 'svclb', 'the pod that has the host port');
    assert.equal(world.who(NODE, { port: 80 }), 'traefik');
    assert.equal(world.who(NODE, { port: 8_443 }), 'legacy');
    for (const port of [22, 10_250, 51_234]) assert.equal(world.who(NODE, { port }), 'node-1');
    assert.equal(world.who(NODE, { port: 443, protocol: 'UDP' }), 'node-1');
    const bare = world.ask(NODE);
    assert.ok(bare.outcome === 'RESOLVED' && bare.holder.entity.name === 'node-1');
    assert.deepEqual(
      bare.alternatives.map(({ entity }) => entity.name),
      ['agent'],
    );
  });

  it('is the node’s, not an endpoint of the services that list it', () => {
    const world = new World();
    world.at(1_000).put([
      node('control-plane', { addresses: [NODE] }),
      pod('apiserver', {
        nodeName: 'control-plane',
        hostNetwork: true,
        addresses: [NODE],
        hostAddresses: [NODE],
        hostPorts: [{ port: 6_443, protocol: 'TCP', hostAddress: undefined }],
      }),
      service('kubernetes', { clusterAddresses: ['10.96.0.1'], manualEndpoints: [NODE] }),
    ]);
    world.at(5_000);
    assert.equal(world.who(NODE), 'control-plane');
    assert.equal(world.who(NODE, { port: 10_250 }), 'control-plane');
    assert.equal(world.who(NODE, { port: 6_443 }), 'apiserver');
    const answer = world.ask(NODE);
    assert.ok(answer.outcome === 'RESOLVED' && answer.alternatives.length === 1);
  });

  it('is the service’s again as a whole when the node has it no more', () => {
    const world = new World();
    const web = served('web', { loadBalancerAddresses: [NODE], manualEndpoints: ['192.0.2.1'], ...tcp(80) });
    world.at(1_000).put([node('node-1', { addresses: [NODE] }), web]);
    world.at(10_000).remove('node-1');
    assert.equal(world.at(20_000).who(NODE, { port: 22 }), 'web');
    assert.equal(world.who(NODE, { port: 22, at: 5_000 }), 'node-1');
  });

  it('is no service’s but for its ports where Node objects may not be read and a pod tells that it is a node’s', () => {
    const world = new World();
    world
      .at(1_000)
      .put([
        pod('agent', { hostNetwork: true, addresses: [NODE], hostAddresses: [NODE] }),
        served('traefik', { loadBalancerAddresses: [NODE], manualEndpoints: [NODE], ...tcp(80) }),
      ]);
    assert.equal(world.at(5_000).who(NODE, { port: 22 }), 'UNKNOWN');
    assert.equal(world.who(NODE, { port: 80 }), 'traefik');
  });
});

describe('14.10: a service that changes its type', () => {
  it('holds its cluster address since it was seen there, not since its creation', () => {
    const world = new World();
    const facts = { creationTimeMs: T0 + 1_000 };
    world.at(1_200).put([service('late', { ...facts, externalName: true }), service('headless', facts)]);
    world.at(60_000).put(service('late', { ...facts, clusterAddresses: ['10.96.3.3'] }));
    world.put(service('headless', { ...facts, clusterAddresses: ['10.96.4.4'] }));
    for (const [address, name] of [
      ['10.96.3.3', 'late'],
      ['10.96.4.4', 'headless'],
    ] as const) {
      assert.equal(world.at(70_000).who(address), name);
      assert.equal(world.who(address, { at: 30_000 }), 'UNASSIGNED');
    }
  });
});

describe('14.11: a service that proxies skip', () => {
  const everything: Partial<ServiceEntity> = {
    loadBalancerAddresses: ['198.51.100.41'],
    externalAddresses: ['198.51.100.42'],
    nodePorts: [{ port: 30_080, protocol: 'TCP' }],
    ...tcp(80),
  };

  it('holds nothing as a headless one, whatever its other fields say, but its endpoints are listed', () => {
    const world = new World({ clusterRanges: [] });
    world
      .at(1_000)
      .put([
        node('node-1', { addresses: [NODE] }),
        service('headless', { ...everything, manualEndpoints: ['192.0.2.7'] }),
      ]);
    for (const address of ['198.51.100.41', '198.51.100.42']) {
      assert.equal(world.at(5_000).who(address, { port: 80 }), 'UNKNOWN');
    }
    assert.equal(world.who(NODE, { port: 30_080 }), 'node-1');
    assert.equal(world.who('192.0.2.7'), 'headless');
  });

  it('holds nothing at all as an alias', () => {
    const world = new World({ clusterRanges: [] });
    const alias = { ...everything, clusterAddresses: ['10.96.5.5'], manualEndpoints: ['192.0.2.8'] };
    world.at(1_000).put(service('alias', { ...alias, externalName: true }));
    for (const address of ['198.51.100.41', '198.51.100.42', '10.96.5.5', '192.0.2.8']) {
      assert.equal(world.at(5_000).who(address, { port: 80 }), 'UNKNOWN');
    }
    world.at(6_000).put(service('alias', alias));
    assert.equal(world.who('10.96.5.5'), 'alias');
    world.at(9_000).put(service('alias', { ...alias, externalName: true }));
    assert.equal(world.at(12_000).book.size.open, 0);
  });
});

describe('14.14: an endpoint that names a pod at an address beside those of its status', () => {
  it('is that pod, before the services that only list the address', () => {
    const world = new World({ clusterRanges: [] });
    world
      .at(1_000)
      .put([
        pod('upf', { addresses: ['10.1.0.1'], endpointAddresses: ['192.168.90.7'] }),
        service('copied', { manualEndpoints: ['192.168.90.7', '192.168.90.8'] }),
      ]);
    const answer = world.at(5_000).ask('192.168.90.7', { port: 2_152 });
    assert.ok(answer.outcome === 'RESOLVED');
    assert.deepEqual([answer.holder.entity.name, answer.holder.role], ['upf', 'ENDPOINT']);
    assert.equal(world.who('192.168.90.8'), 'copied');
    world.at(6_000).remove('upf');
    assert.equal(world.at(9_000).who('192.168.90.7'), 'copied');
  });

  it('does not take the address from the node or the service that has it', () => {
    const world = new World();
    world
      .at(1_000)
      .put([
        node('node-1', { addresses: [NODE] }),
        service('api', { clusterAddresses: ['10.96.7.7'] }),
        pod('a', { addresses: ['10.1.0.1'], endpointAddresses: [NODE, '10.96.7.7'] }),
      ]);
    assert.equal(world.at(5_000).who(NODE), 'node-1');
    assert.equal(world.who('10.96.7.7'), 'api');
  });
});
