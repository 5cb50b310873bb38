// Who is behind an address, against a real API server and real controllers: every address of every list, and nothing
// else. What is owed is computed from the API's lists by code that shares nothing with digger (expected-*.ts).
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { V1Pod } from '@kubernetes/client-node';
import type { Message } from '../observers/digger-client.ts';
import type { DiggerProcess } from '../observers/digger-process.ts';
import { done, eventually, notYet } from '../observers/eventually.ts';
import { Scene } from './scene.ts';
import { assertWholeState } from '../observers/whole-state.ts';
import {
  barePod,
  createPod,
  createWorld,
  CUSTOM_API_VERSION,
  object,
  scaled,
  service,
  untilSettled,
  WORKLOADS,
  WORLD_NAMESPACE,
} from './world.ts';

describe('attribution on a real control plane', () => {
  let scene: Scene;
  let digger: DiggerProcess;

  before(async () => {
    scene = await Scene.set();
    // Started first, so that it lives through the creation of it all; a second one sees only the result.
    digger = await scene.startDigger();
    await createWorld(scene.plane.client);
    await untilSettled(scene.plane.client);
    await digger.untilReady();
  });
  after(async () => scene?.strike());

  it('answers for every address in the lists of the API server, and for no other', async () => {
    const compared = await assertWholeState(digger, scene.readLists);
    // 24 running pods of which 15 have two addresses of their own, 3 nodes, 11 services: a comparison of nothing fails
    // here.
    assert.ok(compared.resolved > 100, JSON.stringify(compared));
    assert.ok(compared.answers - compared.resolved > 300, JSON.stringify(compared));
  });

  it('answers the same when it starts after everything has happened', async () => {
    const late = await scene.startDigger();
    await late.untilReady();
    await assertWholeState(late, scene.readLists);
    await late.stop();
  });

  for (const [name, { kind, running }] of Object.entries(WORKLOADS)) {
    if (running === 0) continue;
    it(`names ${kind} ${name} as the workload of its pods`, async () => {
      const pods = await podsOf(name);
      assert.equal(pods.length, running);
      for (const pod of pods) {
        const resolution = pod.spec?.hostNetwork ? await resolveOnHost(pod) : await digger.resolve(ipOf(pod));
        if (!resolution) continue;
        assert.equal(resolution['outcome'], 'OUTCOME_RESOLVED', JSON.stringify(resolution));
        assert.equal(resolution['pod']['uid'], pod.metadata?.uid);
        assert.equal(resolution['pod']['nodeName'], pod.spec?.nodeName);
        assert.equal(resolution['workload']['kind'], kind);
        assert.equal(resolution['workload']['name'], name);
        assert.ok(resolution['validFrom'], 'a claim says since when');
      }
    });
  }

  it('marks a workload of a kind that it may not read as incomplete', async () => {
    const [pod] = await podsOf('canary');
    assert.ok(pod);
    const { workload } = await digger.resolve(ipOf(pod));
    assert.equal(workload.apiVersion, CUSTOM_API_VERSION);
    assert.equal(workload.incomplete, true);
  });

  it('names the node for its bare address, with the pods that could be meant too', async () => {
    const resolution = await digger.resolve('172.18.0.3');
    assert.equal(resolution['outcome'], 'OUTCOME_RESOLVED', JSON.stringify(resolution));
    assert.equal(resolution['node']['name'], 'node-b');
    const names = (resolution['candidates'] as Message[]).map((candidate) => candidate['pod']['name']);
    assert.ok(names.includes('host-silent'), `a pod in the node's network without declared ports: ${names}`);
  });

  it('does not answer with a finished pod, and answers with the pod that gets its address next', async () => {
    const client = scene.plane.client;
    await client.apply(
      object('batch/v1', 'Job', 'short', {
        template: {
          metadata: { labels: { app: 'short' } },
          spec: {
            restartPolicy: 'Never',
            nodeSelector: { 'kubernetes.io/hostname': 'node-c' },
            containers: [{ name: 'main', image: 'registry.example.dev/short:1' }],
          },
        },
      }),
    );
    const finished = await eventually('the Job is done', async () => {
      const [pod] = await podsOf('short', 'Succeeded');
      return pod ? done(pod) : notYet((await podsOf('short', 'Running')).length);
    });
    const address = ipOf(finished);
    await eventually('no object holds the address', async () => {
      const resolution = await digger.resolve(address);
      return resolution['outcome'] === 'OUTCOME_UNASSIGNED' ? done(undefined) : notYet(resolution);
    });
    await createPod(client, barePod('heir', { nodeName: 'node-c' }));
    const resolution = await eventually('the next pod has the address', async () => {
      const answer = await digger.resolve(address);
      return answer['outcome'] === 'OUTCOME_RESOLVED' ? done(answer) : notYet(answer);
    });
    assert.equal(resolution['pod']['name'], 'heir');
    const [still] = await podsOf('short', 'Succeeded');
    assert.equal(still && ipOf(still), address, 'the finished pod still shows the address, or this test shows nothing');
    await assertWholeState(digger, scene.readLists);
  });

  it('follows a rollout from the old ReplicaSet to the new one without losing the Deployment', async () => {
    const before = await podsOf('web');
    const old = new Set(before.map((pod) => pod.metadata?.uid));
    const web = scaled('web', 3, { labels: { tier: 'front' }, image: 'registry.example.dev/web:2' });
    await scene.plane.client.apply(object('apps/v1', 'Deployment', 'web', web));
    const pods = await eventually('the rollout is over', async () => {
      const now = await podsOf('web');
      const over = now.length === 3 && now.every((pod) => !old.has(pod.metadata?.uid));
      return over && (await allPodsOf('web')).length === 3 ? done(now) : notYet(now.map((pod) => pod.metadata?.name));
    });
    await assertWholeState(digger, scene.readLists);
    for (const pod of pods) {
      const resolution = await digger.resolve(ipOf(pod));
      assert.equal(resolution['pod']['uid'], pod.metadata?.uid);
      assert.deepEqual(
        (resolution['pod']['ownerChain'] as Message[]).map((owner) => owner['kind']),
        ['ReplicaSet', 'Deployment'],
      );
      assert.equal(resolution['workload']['name'], 'web');
    }
  });

  it('tells a StatefulSet pod from its successor under the same name', async () => {
    const [first] = await podsOf('db');
    assert.ok(first?.metadata?.name);
    const { name, uid } = first.metadata;
    await scene.plane.client.delete({ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: WORLD_NAMESPACE } });
    const successor = await eventually('the pod is back', async () => {
      const found = (await podsOf('db')).find((pod) => pod.metadata?.name === name);
      return found && found.metadata?.uid !== uid ? done(found) : notYet(found?.metadata?.uid);
    });
    await assertWholeState(digger, scene.readLists);
    assert.equal((await digger.resolve(ipOf(successor)))['pod']['uid'], successor.metadata?.uid);
    await assert.rejects(
      digger.call('LookupService', 'GetPod', { namespace: WORLD_NAMESPACE, name, uid }),
      /NOT_FOUND/,
      'the old uid is gone, although the name is not',
    );
  });

  it('follows a service that loses its load balancer and its node ports', async () => {
    assert.equal((await digger.resolve('203.0.113.90'))['service']['name'], 'public');
    const path = `/api/v1/namespaces/${WORLD_NAMESPACE}/services/public`;
    await scene.plane.client.raw('PATCH', path, {
      body: { spec: { type: 'ClusterIP' } },
      contentType: 'application/merge-patch+json',
    });
    await eventually('the addresses are free', async () => {
      const answers = [await digger.resolve('203.0.113.90'), await digger.resolve('172.18.0.4', 30443, 'PROTOCOL_TCP')];
      const held = answers.some((answer) => answer['service'] !== undefined && answer['service'] !== null);
      return held ? notYet(answers) : done(undefined);
    });
    await assertWholeState(digger, scene.readLists);
  });

  it('follows a service that is deleted and created again with another address', async () => {
    const client = scene.plane.client;
    const before = (await client.get<Message>(`/api/v1/namespaces/${WORLD_NAMESPACE}/services/idle`))['spec'][
      'clusterIP'
    ];
    await client.delete(service('idle', {}));
    await client.apply(
      service('idle', { selector: { app: 'nobody' }, clusterIP: '10.96.0.200', ports: [{ port: 80 }] }),
    );
    await eventually('the new address answers', async () => {
      const answer = await digger.resolve('10.96.0.200');
      return answer['service']?.['name'] === 'idle' ? done(undefined) : notYet(answer);
    });
    // Not at once: an answer allows for a slack of half a second after the end of a claim.
    await eventually('no object holds the old address', async () => {
      const answer = await digger.resolve(before);
      return answer['outcome'] === 'OUTCOME_RESOLVED' ? notYet(answer) : done(undefined);
    });
    await assertWholeState(digger, scene.readLists);
  });

  it('forgets a whole namespace', async () => {
    await scene.plane.client.delete(object('v1', 'Namespace', WORLD_NAMESPACE));
    await eventually(
      'the namespace is gone',
      async () => {
        const left = (await scene.readLists()).pods.filter((pod) => pod.metadata?.namespace === WORLD_NAMESPACE);
        const namespaces = await scene.plane.client.list<Message>('/api/v1/namespaces');
        const there = namespaces.some((namespace) => namespace['metadata']['name'] === WORLD_NAMESPACE);
        return there ? notYet(left.map((pod) => pod.metadata?.name)) : done(undefined);
      },
      { deadlineMs: 120_000, intervalMs: 250 },
    );
    await assertWholeState(digger, scene.readLists);
  });

  async function allPodsOf(app: string): Promise<readonly V1Pod[]> {
    return (await scene.readLists()).pods.filter((pod) => pod.metadata?.labels?.['app'] === app);
  }

  async function podsOf(app: string, phase = 'Running'): Promise<readonly V1Pod[]> {
    return (await allPodsOf(app)).filter((pod) => pod.status?.phase === phase && !pod.metadata?.deletionTimestamp);
  }

  /** By its declared port; a pod without one cannot be told from its node. */
  async function resolveOnHost(pod: V1Pod): Promise<Message | undefined> {
    const port = pod.spec?.containers.flatMap((container) => container.ports ?? [])[0];
    return port && digger.resolve(ipOf(pod), port.containerPort, `PROTOCOL_${port.protocol}`);
  }
});

function ipOf(pod: V1Pod): string {
  const address = pod.status?.podIP;
  assert.ok(address, `${pod.metadata?.name} has an address`);
  return address;
}
