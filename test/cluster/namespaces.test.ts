// digger with a Role in two namespaces instead of the ClusterRole: it shows these, and says what it cannot see.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { ServiceError } from '@grpc/grpc-js';
import { load } from 'js-yaml';
import type { Message } from '../observers/digger-client.ts';
import type { DiggerProcess } from '../observers/digger-process.ts';
import { done, eventually, notYet } from '../observers/eventually.ts';
import { errorDetails } from '../observers/rpc-error.ts';
import { snapshot } from '../observers/whole-state.ts';
import type { KubeObject } from './api-client.ts';
import { writeKubeconfig } from './control-plane.ts';
import { Scene } from './scene.ts';
import { barePod, createPod, object, scaled, service } from './world.ts';

/** Watched, watched, and not. */
const NAMESPACES = ['shop', 'bank', 'hidden'] as const;
const ACCOUNT = 'few';

describe('digger limited to namespaces', () => {
  let scene: Scene;
  let digger: DiggerProcess;
  let kubeconfig: string;
  const addresses = new Map<string, string>();

  before(async () => {
    scene = await Scene.set({ controllers: false });
    const client = scene.plane.client;
    for (const namespace of NAMESPACES) {
      await client.apply(object('v1', 'Namespace', namespace));
      const at = inside(namespace);
      await client.apply(at(object('v1', 'ServiceAccount', 'default')));
      await client.apply(at(object('apps/v1', 'Deployment', `web-${namespace}`, scaled('web', 1))));
      await client.apply(at(service(`front-${namespace}`, { ports: [{ port: 80 }] })));
      await createPod(client, at(barePod(`pod-${namespace}`, {})));
    }
    await eventually('the pods run', async () => {
      const pods = (await scene.readLists()).pods;
      for (const pod of pods) addresses.set(pod.metadata?.name ?? '', pod.status?.podIP ?? '');
      return pods.length === 3 && pods.every((pod) => pod.status?.podIP) ? done(undefined) : notYet(pods.length);
    });
    kubeconfig = await limitedAccount();
    digger = await scene.startDigger(['--namespace', 'shop', '--namespace', 'bank'], kubeconfig);
    await digger.untilReady();
  });
  after(async () => scene?.strike());

  it('shows everything of its namespaces and nothing of others', async () => {
    const entities = [...(await snapshot(digger, 'VIEW_FULL')).values()];
    const namespaces = new Set(entities.map((entity) => entity['namespace'] as string));
    assert.deepEqual([...namespaces].toSorted(), ['bank', 'shop']);
    const names = entities.map((entity) => entity['name'] as string).toSorted();
    assert.deepEqual(names, ['front-bank', 'front-shop', 'pod-bank', 'pod-shop', 'web-bank', 'web-shop']);
    for (const namespace of ['shop', 'bank']) {
      const resolution = await digger.resolve(addressOf(`pod-${namespace}`));
      assert.equal(resolution['pod']['name'], `pod-${namespace}`);
    }
  });

  it('does not call an address unassigned that an object of another namespace may have', async () => {
    for (const address of [addressOf('pod-hidden'), '10.128.200.200', '198.18.0.1']) {
      const resolution = await digger.resolve(address);
      assert.equal(resolution['outcome'], 'OUTCOME_UNKNOWN', JSON.stringify(resolution));
    }
  });

  it('refuses to look for objects in namespaces that are not watched, instead of not finding them', async () => {
    const request = { namespace: 'hidden', name: 'pod-hidden' };
    await assert.rejects(digger.call('LookupService', 'GetPod', request), (error) => {
      assert.equal(
        errorDetails(error as ServiceError)['ErrorInfo']?.['reason'],
        'NAMESPACE_NOT_WATCHED',
        String(error),
      );
      return true;
    });
    await assert.rejects(digger.call('LookupService', 'GetPod', { namespace: 'shop', name: 'none' }), /NOT_FOUND/);
  });

  it('says in GetStatus which namespaces it watches, and that it may not read nodes', async () => {
    const status = await eventually('the refusal is told', async () => {
      const found = await digger.call('StatusService', 'GetStatus');
      const nodes = (found['resources'] as Message[]).find(({ resource }) => resource === 'nodes');
      return nodes?.['message'] ? done(found) : notYet(found);
    });
    assert.deepEqual(status['namespaces'], ['shop', 'bank']);
    const resources = status['resources'] as Message[];
    const nodes = resources.find(({ resource }) => resource === 'nodes');
    assert.match(nodes?.['message'], /403.*nodes/);
    const synced = resources.filter((each) => each['synced']).map((each) => each['resource'] as string);
    assert.equal(synced.length, 20, synced.join());
    assert.ok(synced.includes('shop/pods') && synced.includes('bank/deployments.apps'), synced.join());
    assert.equal(status['ready'], true);
    assert.equal(status['staleness'] ?? undefined, undefined, 'what was never there is not stale');
  });

  it('follows its namespaces', async () => {
    await createPod(scene.plane.client, inside('bank')(barePod('late', {})));
    await createPod(scene.plane.client, inside('hidden')(barePod('late-too', {})));
    await eventually('it shows', async () => {
      const names = [...(await snapshot(digger, 'VIEW_BASIC')).values()].map((entity) => entity['name']);
      assert.ok(!names.includes('late-too'));
      return names.includes('late') ? done(undefined) : notYet(names);
    });
  });

  it('is not ready where a Role is missing, and names the namespace', async () => {
    const other = await scene.startDigger(['--namespace', 'shop', '--namespace', 'hidden'], kubeconfig);
    const status = await eventually('only the other namespace is waited for, and GetStatus tells why', async () => {
      const found = await other.call('StatusService', 'GetStatus');
      const pending = (found['pending'] ?? []) as string[];
      const told = pending.some((task) => /^list hidden\/pods[:,].*403/.test(task));
      return told && !pending.some((task) => task.includes('shop/')) ? done(found) : notYet(found);
    });
    assert.equal(status['ready'] ?? false, false);
    await other.stop();
  });

  function addressOf(pod: string): string {
    const address = addresses.get(pod);
    assert.ok(address, `${pod} had an address`);
    return address;
  }

  /** An account with the Role of the component in the first two namespaces, and nothing else. */
  async function limitedAccount(): Promise<string> {
    const { client, directory, url, ca } = scene.plane;
    await client.apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: ACCOUNT, namespace: 'digger' } });
    for (const namespace of NAMESPACES.slice(0, 2)) {
      await client.apply(inside(namespace)(component('role.yaml')));
      const binding = inside(namespace)(component('role-binding.yaml'));
      const subjects = [{ kind: 'ServiceAccount', name: ACCOUNT, namespace: 'digger' }];
      await client.apply({ ...binding, subjects });
    }
    const answer = await client.raw('POST', `/api/v1/namespaces/digger/serviceaccounts/${ACCOUNT}/token`, {
      body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} },
    });
    const { token } = (JSON.parse(answer.body) as { status: { token: string } }).status;
    return writeKubeconfig(join(directory, 'few.kubeconfig'), url, ca, { token });
  }
});

function inside(namespace: string): (given: KubeObject) => KubeObject {
  return (given) => ({ ...given, metadata: { ...given.metadata, namespace } });
}

function component(file: string): KubeObject {
  const path = fileURLToPath(new URL(`../../deploy/components/namespaced/${file}`, import.meta.url));
  return load(readFileSync(path, 'utf8')) as KubeObject;
}
