// Containers, secondary networks and load balancers by name on the real control plane: objects written through the API,
// and the API's own lists, read by other code, say what digger has to tell.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { V1ContainerStatus, V1Pod } from '@kubernetes/client-node';
import type { Message } from '../observers/digger-client.ts';
import type { DiggerProcess } from '../observers/digger-process.ts';
import { DnsServer } from '../observers/dns-server.ts';
import { done, eventually, notYet } from '../observers/eventually.ts';
import { assertWholeState } from '../observers/whole-state.ts';
import type { KubeObject } from './api-client.ts';
import { Scene } from './scene.ts';
import { createPod, object, service, WORLD_NAMESPACE } from './world.ts';

const NAME = 'front-0123.elb.example.com';
const NETWORK_ADDRESS = '192.168.77.7';

describe('16.8 16.9 16.10 on the real control plane', () => {
  let scene: Scene;
  let digger: DiggerProcess;
  let dns: DnsServer;

  before(async () => {
    dns = await DnsServer.start();
    scene = await Scene.set();
    const { client } = scene.plane;
    await client.apply(object('v1', 'Namespace', WORLD_NAMESPACE));
    digger = await scene.startDigger(['--resolve-load-balancers', '--dns-server', dns.address]);
    await createPod(client, pod('cart', 'blue/net'));
    await createPod(client, pod('other', 'red/net'));
    await eventually('the pods run', async () => {
      const pods = await podsOf();
      return pods.length === 2 && pods.every(({ status }) => status?.podIP) ? done(undefined) : notYet(pods.length);
    });
    await digger.untilReady();
  });
  after(async () => {
    await scene?.strike();
    await dns?.close();
  });

  function pod(name: string, network: string): KubeObject {
    const container = (each: string, more: object = {}) => ({ name: each, image: 'registry.example.com/x:1', ...more });
    const made = object('v1', 'Pod', name, {
      initContainers: [container('setup'), container('mesh', { restartPolicy: 'Always' })],
      containers: [container('app')],
    });
    const status = [{ name: network, interface: 'net1', ips: [NETWORK_ADDRESS] }];
    const annotations = { 'k8s.v1.cni.cncf.io/network-status': JSON.stringify(status) };
    return { ...made, metadata: { ...made.metadata, annotations } } as KubeObject;
  }

  const podsOf = async (): Promise<readonly V1Pod[]> =>
    (await scene.readLists()).pods.filter(({ metadata }) => metadata?.namespace === WORLD_NAMESPACE);

  const id = (digits: string): string => `containerd://${digits.padEnd(64, '0')}`;

  /** As a kubelet tells of containers: the app has been restarted. */
  async function tellContainers(name: string, app: string, previous: string): Promise<void> {
    const base = { image: 'x', imageID: '', ready: true, restartCount: 1 };
    const running = { running: { startedAt: '2026-01-01T00:00:00Z' } };
    const ended = { exitCode: 0, finishedAt: '2026-01-01T00:00:00Z', startedAt: '2026-01-01T00:00:00Z' };
    const of = (each: string, containerID: string, more: object) => ({ ...base, name: each, containerID, ...more });
    await scene.plane.client.patch(
      object('v1', 'Pod', name),
      {
        status: {
          initContainerStatuses: [
            of('setup', id(`${app}1`), { state: { terminated: { ...ended, containerID: id(`${app}1`) } } }),
            of('mesh', id(`${app}2`), { state: running }),
          ],
          containerStatuses: [
            of('app', id(app), { state: running, lastState: { terminated: { ...ended, containerID: id(previous) } } }),
          ],
        },
      },
      'status',
    );
  }

  const ask = async (query: Message): Promise<Message> =>
    (await digger.call('LookupService', 'ResolveContainer', query))['resolution'];

  it('16.9 every container id in the lists of the API leads to its pod, and to its container', async () => {
    await tellContainers('cart', 'aaaaaaaaaa', 'bbbbbbbbbb00');
    await tellContainers('other', 'cccccccccc', 'dddddddddd00');
    await scene.plane.client.patch(
      object('v1', 'Pod', 'cart'),
      { spec: { ephemeralContainers: [{ name: 'debug', image: 'busybox', targetContainerName: 'app' }] } },
      'ephemeralcontainers',
    );
    await assertWholeState(digger, scene.readLists);
    let compared = 0;
    for (const { metadata, status } of await podsOf()) {
      const all: V1ContainerStatus[] = [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])];
      for (const { name, containerID, lastState, state } of all) {
        const ids = [containerID, lastState?.terminated?.containerID].filter((each) => each !== undefined);
        for (const containerId of ids) {
          const found = await ask({ containerId });
          const isNow = containerId === containerID && state?.terminated === undefined;
          assert.deepEqual(
            [found['pod'].uid, found['container'].name, found['containerId'], found['ended'] ?? false],
            [metadata?.uid, name, containerId, !isNow],
          );
          compared += 1;
        }
      }
      assert.equal((await ask({ podUid: metadata?.uid }))['pod'].name, metadata?.name);
    }
    assert.equal(compared, 8);
    const cart = await ask({ containerId: id('aaaaaaaaaa') });
    assert.deepEqual(
      cart['pod'].otherContainers.map((each: Message) => [each['name'], each['type']]),
      [
        ['setup', 'CONTAINER_TYPE_INIT'],
        ['debug', 'CONTAINER_TYPE_EPHEMERAL'],
      ],
    );
  });

  it('16.10 one address on two networks is two pods’, and no pod’s on the cluster’s network', async () => {
    const on = async (podNetwork: string) => {
      const request = { address: NETWORK_ADDRESS, podNetwork };
      const { outcome, pod: found } = (await digger.call('LookupService', 'ResolveAddress', request))['resolution'];
      return `${outcome.replace('OUTCOME_', '')} ${found?.name ?? ''}`.trim();
    };
    assert.deepEqual([await on('blue/net'), await on('red/net')], ['RESOLVED cart', 'RESOLVED other']);
    assert.doesNotMatch(await on(''), /RESOLVED/);
    const annotations = { 'k8s.v1.cni.cncf.io/network-status': null };
    await scene.plane.client.patch(object('v1', 'Pod', 'other'), { metadata: { annotations } });
    await eventually('it is detached', async () => {
      const told = await on('red/net');
      return told === 'UNASSIGNED' ? done(undefined) : notYet(told);
    });
  });

  it('16.8 a load balancer with a host name holds what the name resolves to, and gives it back', async () => {
    const { client } = scene.plane;
    dns.names.set(NAME, { addresses: ['192.0.2.77'], ttlSeconds: 0 });
    const balancer = service('front', { type: 'LoadBalancer', selector: { app: 'cart' }, ports: [{ port: 443 }] });
    await client.apply(balancer);
    const tell = async (ingress: readonly object[]) =>
      client.patch(object('v1', 'Service', 'front'), { status: { loadBalancer: { ingress } } }, 'status');
    await tell([{ hostname: NAME }, { ip: '192.0.2.78', ipMode: 'Proxy' }]);
    await client.apply(service('alias', { type: 'ExternalName', externalName: 'db.example.com' }));
    const untilTold = async (address: string, expected: string | undefined) =>
      eventually(`${address} is ${expected}`, async () => {
        const { service: found, role } = await digger.resolve(address, 443);
        return found?.name === expected ? done(role) : notYet(found);
      });
    assert.equal(await untilTold('192.0.2.77', 'front'), 'ADDRESS_ROLE_LOAD_BALANCER');
    await untilTold('192.0.2.78', 'front');
    await assertWholeState(digger, scene.readLists);
    await tell([]);
    await untilTold('192.0.2.77', undefined);
    await untilTold('192.0.2.78', undefined);
    await assertWholeState(digger, scene.readLists);
  });
});
