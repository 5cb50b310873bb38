// A custom kind above a ReplicaSet: known by its reference until the right to read it is granted, then as every
// other workload, without a restart.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { load } from 'js-yaml';
import type { OwnerObject } from '../observers/cluster-lists.ts';
import type { Message } from '../observers/digger-client.ts';
import type { DiggerProcess } from '../observers/digger-process.ts';
import { done, eventually, notYet } from '../observers/eventually.ts';
import { assertWholeState } from '../observers/whole-state.ts';
import type { KubeObject } from './api-client.ts';
import { Scene } from './scene.ts';
import {
  barePod,
  createCustomOwner,
  createPod,
  CUSTOM_API_VERSION,
  object,
  owned,
  rolloutDefinition,
  scaled,
  WORLD_NAMESPACE,
} from './world.ts';

describe('an owner of a custom kind', () => {
  let scene: Scene;
  let digger: DiggerProcess;
  let rollout: KubeObject;

  before(async () => {
    scene = await Scene.set({ controllers: false });
    const client = scene.plane.client;
    await client.apply(object('v1', 'Namespace', WORLD_NAMESPACE));
    await client.apply(object('v1', 'ServiceAccount', 'default'));
    rollout = await createCustomOwner(client, 'canary');
    const set = await client.apply(owned(object('apps/v1', 'ReplicaSet', 'canary-5f6d', scaled('canary', 1)), rollout));
    await createPod(client, owned(barePod('canary-5f6d-x', {}), set.body));
    await eventually('the pod runs', async () => {
      const [pod] = (await scene.readLists()).pods;
      return pod?.status?.podIP ? done(undefined) : notYet(pod);
    });
    digger = await scene.startDigger();
    await digger.untilReady();
  });
  after(async () => scene?.strike());

  it('is what the reference tells, marked incomplete, while nothing more is granted; GetStatus names what is missing', async () => {
    const pod = await readPod();
    assert.equal(pod['workload']['kind'], 'Rollout');
    assert.equal(pod['workload']['incomplete'], true);
    const status = await eventually('the refusal is told', async () => {
      const found = await rollouts();
      return found?.['message'] ? done(found) : notYet(found);
    });
    assert.match(status['message'], /403.*rollouts/);
    assert.equal(status['required'] ?? false, false);
    assert.equal((await digger.call('StatusService', 'GetStatus'))['ready'], true);
    await assertWholeState(digger, scene.readLists);
    const lines = digger.log.split('\n').filter((line) => line.includes('rollouts') && line.includes('cannot follow'));
    assert.equal(lines.length, 1, lines.join('\n'));
    assert.match(await digger.metrics(), /digger_watch_custom_kinds\{state="watched"\} 1/);
  });

  it('is complete soon after the right is granted, without a restart', async () => {
    const role = component('cluster-role.yaml');
    const rules = (role['rules'] as object[]).map((rule) => ({
      ...rule,
      apiGroups: ['example.dev'],
      resources: ['rollouts'],
    }));
    await scene.plane.client.apply({ ...role, rules });
    await scene.plane.client.apply(component('cluster-role-binding.yaml'));
    await eventually('the chain is complete', async () => {
      const pod = await readPod();
      return pod['workload']['incomplete'] ? notYet(pod) : done(undefined);
    });
    await assertWholeState(digger, withRollouts);
    const answer = await digger.call('LookupService', 'GetWorkload', {
      apiGroup: 'example.dev',
      kind: 'Rollout',
      namespace: WORLD_NAMESPACE,
      name: 'canary',
    });
    assert.equal(answer['workload']['uid'], rollout.metadata.uid);
  });

  it('is followed: its labels change, and it is retained after its deletion until its last pod is gone', async () => {
    const client = scene.plane.client;
    await client.patch(rollout, { metadata: { labels: { 'example.dev/stage': 'two' } } });
    await assertWholeState(digger, withRollouts);
    await client.delete(rollout);
    await eventually('the rollout is gone', async () => {
      const found = await rollouts();
      return Number(found?.['objects'] ?? 0) === 0 ? done(undefined) : notYet(found);
    });
    const pod = await readPod();
    assert.equal(pod['workload']['name'], 'canary');
    assert.equal(pod['workload']['kind'], 'Rollout');
  });

  it('makes no answer stale when its definition is removed, and is known again when that is back', async () => {
    const client = scene.plane.client;
    await createCustomOwner(client, 'second');
    await eventually('the second one is seen', async () => {
      const found = await rollouts();
      return Number(found?.['objects'] ?? 0) === 1 ? done(undefined) : notYet(found);
    });
    await client.delete(object('apiextensions.k8s.io/v1', 'CustomResourceDefinition', 'rollouts.example.dev'));
    await eventually('the kind is gone', async () => {
      const found = await rollouts();
      return /404/.test(found?.['message'] ?? '') && Number(found?.['objects'] ?? 0) === 0
        ? done(undefined)
        : notYet(found);
    });
    await eventually('answers are fresh', async () => {
      const { staleness } = await digger.call('StatusService', 'GetStatus');
      return staleness === undefined ? done(undefined) : notYet(staleness);
    });
    await createCustomOwner(client, 'third');
    await eventually('the third one is seen', async () => {
      const found = await rollouts();
      return Number(found?.['objects'] ?? 0) === 1 ? done(undefined) : notYet(found);
    });
  });

  it('is followed into the version that is served when its definition drops the one that it was followed in', async () => {
    const client = scene.plane.client;
    const [group] = CUSTOM_API_VERSION.split('/');
    await client.apply(
      rolloutDefinition([
        { name: 'v1', served: false, storage: false },
        { name: 'v2', served: true, storage: true },
      ]),
    );
    const late = await eventually('the new version is served', async () =>
      done((await client.apply(object(`${group}/v2`, 'Rollout', 'late'))).body),
    );
    const set = await client.apply(owned(object('apps/v1', 'ReplicaSet', 'late-1', scaled('late', 1)), late));
    await createPod(client, owned(barePod('late-1-x', {}), set.body));
    await eventually('the chain is complete', async () => {
      const name = { namespace: WORLD_NAMESPACE, name: 'late-1-x' };
      const { pod } = await digger.call('LookupService', 'GetPod', name).catch(() => ({ pod: undefined }));
      const workload = pod?.['workload'];
      return workload?.['name'] === 'late' && !workload['incomplete'] ? done(undefined) : notYet(pod);
    });
    const found = await rollouts();
    assert.deepEqual([found?.['objects'], found?.['message'] ?? ''], ['2', ''], 'the third one and the late one');
  });

  async function withRollouts() {
    const lists = await scene.readLists();
    const items = await scene.plane.client.list<KubeObject>(`/apis/${CUSTOM_API_VERSION}/rollouts`);
    const custom = items.map(({ metadata }) => ({ apiVersion: CUSTOM_API_VERSION, kind: 'Rollout', metadata }));
    return { ...lists, owners: [...lists.owners, ...(custom as unknown as OwnerObject[])] };
  }

  async function readPod(): Promise<Message> {
    const answer = await digger.call('LookupService', 'GetPod', { namespace: WORLD_NAMESPACE, name: 'canary-5f6d-x' });
    return answer['pod'];
  }

  async function rollouts(): Promise<Message | undefined> {
    const { resources } = await digger.call('StatusService', 'GetStatus');
    return (resources as Message[]).find((resource) => resource['resource'] === 'rollouts.example.dev');
  }
});

function component(file: string): KubeObject {
  const path = fileURLToPath(new URL(`../../deploy/components/custom-owners/${file}`, import.meta.url));
  return load(readFileSync(path, 'utf8')) as KubeObject;
}
