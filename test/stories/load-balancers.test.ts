// Load balancers that the API knows by host name, and a name server that answers as it likes.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { askStatus } from './load-balancer-status.ts';
import type { DiggerProcess } from '../observers/digger-process.ts';
import { DnsServer } from '../observers/dns-server.ts';
import { done, eventually, notYet } from '../observers/eventually.ts';
import { Story } from './story.ts';

const NAME = 'front-0123.elb.example.com';
const V4 = '192.0.2.10';
const V6 = '2001:db8::10';
const PROXIED = '192.0.2.20';

describe('16.8 a load balancer with a host name', () => {
  let story: Story;
  let dns: DnsServer;
  let digger: DiggerProcess;

  before(async () => {
    story = await Story.begin();
    dns = await DnsServer.start();
    dns.names.set(NAME, { addresses: [V4, V6], ttlSeconds: 0 });
    service('front', '10.96.0.210', [{ hostname: NAME }], [{ name: 'https', port: 443 }]);
    digger = await story.startReadyDigger('--resolve-load-balancers', '--dns-server', dns.address);
  });
  after(async () => {
    await story?.end();
    await dns?.close();
  });

  function service(name: string, clusterIP: string, ingress: object[], ports: object[], more: object = {}): void {
    const spec = { type: 'LoadBalancer', clusterIP, clusterIPs: [clusterIP], ports, ...more };
    story.simulator.cluster.create('services', {
      metadata: { namespace: 'shop', name },
      spec,
      status: { loadBalancer: { ingress } },
    });
  }

  const told = async (address: string, port?: number): Promise<string> => {
    const { outcome, service: found, pod, role } = await digger.resolve(address, port);
    const name = (found ?? pod)?.name ?? '';
    return [outcome.replace('OUTCOME_', ''), name, (role ?? '').replace('ADDRESS_ROLE_', '')].join(' ').trim();
  };
  const untilTold = async (address: string, expected: string, port?: number): Promise<void> => {
    await eventually(`${address} is ${expected}`, async () => {
      const answer = await told(address, port);
      return answer === expected ? done(undefined) : notYet(answer);
    });
  };

  it('holds the addresses of the name, of both families, and its entity does not', async () => {
    await untilTold(V4, 'RESOLVED front LOAD_BALANCER', 443);
    await untilTold(V6, 'RESOLVED front LOAD_BALANCER', 443);
    assert.equal(await told(V4), 'RESOLVED front LOAD_BALANCER');
    const { service: entity } = await digger.call('LookupService', 'GetService', { namespace: 'shop', name: 'front' });
    assert.deepEqual([entity.loadBalancerHostnames, entity.loadBalancerAddresses ?? []], [[NAME], []]);
    const copy = await digger.call('StatusService', 'GetStatus', {});
    assert.deepEqual(askStatus(copy), { names: 1, addresses: 2, failing: 0, leftOut: 0, message: '' });
    await story.assertWholeState(digger);
  });

  it('does not take the traffic of a pod or a node by naming its address, now or later', async () => {
    const { statefulPod } = story.demo.wellKnown;
    const later = '10.244.1.222';
    dns.names.set('thief.example.com', {
      addresses: [statefulPod.ip, later, '127.0.0.1', '169.254.169.254'],
      ttlSeconds: 0,
    });
    service('thief', '10.96.0.211', [{ hostname: 'thief.example.com' }], [{ name: 'db', port: 6379 }]);
    await untilTold(later, 'RESOLVED thief LOAD_BALANCER', 6379);
    assert.match(await told(statefulPod.ip, 6379), /^RESOLVED \S+ POD_IP$/);
    assert.equal(await told('127.0.0.1', 6379), 'UNKNOWN');
    story.createPod('victim', 222);
    await untilTold(later, 'RESOLVED victim POD_IP', 6379);
    story.deletePod('victim');
    await untilTold(later, 'RESOLVED thief LOAD_BALANCER', 6379);
    story.simulator.cluster.delete('services', 'shop', 'thief');
    await untilTold(later, 'UNASSIGNED', 6379);
  });

  it('with 10,000 addresses has 64 of them, and other names are answered meanwhile', async () => {
    const addresses = Array.from({ length: 3_000 }, (_, at) => `198.51.${at >> 8}.${at & 255}`);
    dns.names.set('huge.example.com', { addresses, ttlSeconds: 0 });
    dns.names.set('fails.example.com', 'fails');
    dns.names.set('late.example.com', { addresses: ['192.0.2.30'], ttlSeconds: 60 });
    service('huge', '10.96.0.212', [{ hostname: 'huge.example.com' }], [{ name: 'a', port: 80 }]);
    service('fails', '10.96.0.213', [{ hostname: 'fails.example.com' }], [{ name: 'a', port: 80 }]);
    service(
      'late',
      '10.96.0.214',
      [{ hostname: 'LATE.example.com.' }, { hostname: 'not a name' }],
      [{ name: 'a', port: 80 }],
    );
    await untilTold('198.51.0.0', 'RESOLVED huge LOAD_BALANCER', 80);
    await untilTold('192.0.2.30', 'RESOLVED late LOAD_BALANCER', 80);
    const status = await eventually('status tells it', async () => {
      const copy = askStatus(await digger.call('StatusService', 'GetStatus', {}));
      return copy.failing === 1 && copy.addresses >= 67 ? done(copy) : notYet(copy);
    });
    assert.deepEqual([status.names, status.addresses, status.leftOut], [4, 67, 0]);
    assert.match(status.message, /^fails\.example\.com: /);
    const metrics = await digger.metrics();
    assert.match(metrics, /^digger_load_balancer_names_failing 1$/m);
    assert.match(metrics, /^digger_load_balancer_addresses_cut_total [1-9]/m);
  });

  it('with ipMode Proxy does not hold an address that a pod has, and is told as proxied', async () => {
    service(
      'proxied',
      '10.96.0.215',
      [
        { ip: PROXIED, ipMode: 'Proxy' },
        { ip: '192.0.2.21', ipMode: 'VIP' },
      ],
      [{ name: 'a', port: 80 }],
    );
    await untilTold(PROXIED, 'RESOLVED proxied LOAD_BALANCER', 80);
    await untilTold('192.0.2.21', 'RESOLVED proxied LOAD_BALANCER', 80);
    const { service: entity } = await digger.call('LookupService', 'GetService', {
      namespace: 'shop',
      name: 'proxied',
    });
    assert.deepEqual(entity.proxiedLoadBalancerAddresses, [PROXIED]);
    for (const [name, ip] of [
      ['on-proxied', PROXIED],
      ['on-vip', '192.0.2.21'],
    ] as const) {
      story.simulator.cluster.create('pods', {
        metadata: { namespace: 'shop', name },
        spec: { nodeName: 'worker-1', containers: [{ name: 'a', image: 'a' }] },
        status: { phase: 'Running', podIP: ip, podIPs: [{ ip }] },
      });
    }
    await untilTold(PROXIED, 'RESOLVED on-proxied POD_IP', 80);
    await untilTold('192.0.2.21', 'RESOLVED on-vip POD_IP');
    assert.equal(await told('192.0.2.21', 80), 'RESOLVED proxied LOAD_BALANCER', 'nodes redirect that one');
  });

  it('of type ExternalName tells its name and holds nothing', async () => {
    story.simulator.cluster.create('services', {
      metadata: { namespace: 'shop', name: 'alias' },
      spec: { type: 'ExternalName', externalName: 'db.example.com', ports: [] },
    });
    await eventually('the alias is known', async () => {
      const { service: entity } = await digger
        .call('LookupService', 'GetService', { namespace: 'shop', name: 'alias' })
        .catch(() => ({ service: undefined }));
      return entity?.externalName === 'db.example.com' ? done(undefined) : notYet(entity);
    });
  });
});

it('16.8 asks no name server unless it is told to', async () => {
  await using story = await Story.begin();
  const digger = await story.startReadyDigger();
  const metrics = await digger.metrics();
  assert.match(metrics, /^digger_load_balancer_names 0$/m);
  assert.equal((await digger.call('StatusService', 'GetStatus', {}))['loadBalancerNames'], undefined);
});
