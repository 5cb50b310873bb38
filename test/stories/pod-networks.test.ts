// Addresses on secondary networks: asked of a digger, told to its replicas, and never taken for the cluster's.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { status } from '@grpc/grpc-js';
import { Replica } from '../../src/client/replica.ts';
import type { Message } from '../observers/digger-client.ts';
import type { DiggerProcess } from '../observers/digger-process.ts';
import { done, eventually, notYet } from '../observers/eventually.ts';
import { FeedCopy } from '../observers/feed-copy.ts';
import { Story } from './story.ts';

const ADDRESS = '10.244.1.230';

describe('16.10 an address on a secondary network', () => {
  let story: Story;
  let digger: DiggerProcess;

  before(async () => {
    story = await Story.begin();
    // The same address three times: on the cluster's network and on two others.
    put('own', ADDRESS, undefined);
    put('blue', '10.244.1.231', [{ name: 'blue/net', interface: 'net1', ips: [ADDRESS] }]);
    put('red', '10.244.1.232', [{ name: 'red/net', interface: 'net1', ips: [ADDRESS, '10.244.1.232'] }]);
    put('bad', '10.244.1.233', '[{"name":');
    digger = await story.startReadyDigger();
  });
  after(() => story?.end());

  function put(name: string, ip: string, networks: unknown): void {
    const { cluster } = story.simulator;
    const value = typeof networks === 'string' ? networks : JSON.stringify(networks);
    const annotations = networks === undefined ? {} : { 'k8s.v1.cni.cncf.io/network-status': value };
    const object = {
      metadata: { namespace: 'shop', name, annotations },
      spec: { nodeName: 'worker-1', containers: [{ name: 'main', image: 'a' }] },
      status: { phase: 'Running', podIP: ip, podIPs: [{ ip }] },
    };
    if (cluster.get('pods', 'shop', name) === undefined) cluster.create('pods', object);
    else cluster.update('pods', object);
  }

  const ask = async (podNetwork: string, more: Message = {}): Promise<Message> =>
    (await digger.call('LookupService', 'ResolveAddress', { address: ADDRESS, podNetwork, ...more }))['resolution'];
  const told = async (podNetwork: string, more: Message = {}): Promise<string> => {
    const { outcome, pod } = await ask(podNetwork, more);
    return `${outcome.replace('OUTCOME_', '')} ${pod?.name ?? ''}`.trim();
  };

  it('is its pod’s on that network alone, and without a network the cluster’s', async () => {
    assert.equal(await told(''), 'RESOLVED own');
    assert.equal(await told('blue/net'), 'RESOLVED blue');
    assert.equal(await told('red/net', { port: 80, protocol: 'PROTOCOL_TCP' }), 'RESOLVED red');
    assert.equal(await told('green/net'), 'UNKNOWN');
    const { role, podNetwork, pod } = await ask('blue/net');
    assert.deepEqual([role, podNetwork], ['ADDRESS_ROLE_POD_IP', 'blue/net']);
    assert.deepEqual(pod.networks, [{ name: 'blue/net', addresses: [ADDRESS], interface: 'net1' }]);
    assert.equal((await digger.resolve('10.244.1.232'))['pod'].name, 'red', 'what the status has is the cluster’s');
    assert.equal((await digger.resolve('10.244.1.233'))['pod'].name, 'bad');
    await story.assertWholeState(digger);
  });

  it('has a history, waits for a holder, and refuses a name that is none', async () => {
    const history = await digger.call('LookupService', 'GetAddressTimeline', {
      address: ADDRESS,
      podNetwork: 'blue/net',
    });
    assert.deepEqual([history['address'], history['podNetwork']], [ADDRESS, 'blue/net']);
    assert.equal(history['intervals'][0].holders[0].pod.name, 'blue');
    const waiting = ask('late/net', { wait: { seconds: 20 } });
    put('late', '10.244.1.234', [{ name: 'late/net', ips: [ADDRESS] }]);
    assert.equal((await waiting).pod.name, 'late');
    for (const podNetwork of ['a b', 'a@b', 'x'.repeat(1_000)]) {
      const error = await ask(podNetwork).catch((thrown: unknown) => thrown as { code: number });
      assert.equal(error['code'], status.INVALID_ARGUMENT, podNetwork.slice(0, 20));
    }
    assert.match(await digger.metrics(), /^digger_pod_network_annotations_rejected_total\{reason="malformed"\} [1-9]/m);
  });

  it('is told to replicas, and to no subscriber who does not know networks', async () => {
    using replica = new Replica({ targets: [digger.address] });
    await replica.ready();
    const of = (podNetwork?: string) => {
      const { outcome, holder } = replica.resolve({ address: ADDRESS, podNetwork });
      return `${outcome} ${holder?.name ?? ''}`.trim();
    };
    assert.deepEqual(
      [of(), of('blue/net'), of('red/net'), of('green/net')],
      ['RESOLVED own', 'RESOLVED blue', 'RESOLVED red', 'UNKNOWN'],
    );
    assert.throws(() => replica.resolve({ address: `${ADDRESS}@blue/net` }), /address: got/);
    assert.throws(() => replica.resolve({ address: ADDRESS, podNetwork: 'a b' }), /podNetwork: got/);
    const copy = new FeedCopy(digger, { timelines: true, snapshotOnly: true });
    await copy.untilSynced();
    const frames = JSON.stringify(copy.frames);
    assert.ok(frames.includes(`"address":"${ADDRESS}"`));
    assert.ok(!frames.includes('podNetwork'));
    copy.close();
    put('blue', '10.244.1.231', []);
    await eventually('the replica knows that it is gone', () =>
      of('blue/net') === 'UNASSIGNED' ? done(undefined) : notYet(of('blue/net')),
    );
    assert.equal(await told('blue/net'), 'UNASSIGNED');
    assert.equal(await told(''), 'RESOLVED own');
  });
});
