// Namespaces, what is hidden and what is selected, on the real control plane: labels of namespaces and of pods are
// written through the API, and its own lists, selected by its own parser, say what digger has to show.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { after, before, describe, it } from 'node:test';
import { load } from 'js-yaml';
import type { ClusterLists } from '../observers/cluster-lists.ts';
import type { Message } from '../observers/digger-client.ts';
import type { DiggerProcess } from '../observers/digger-process.ts';
import { done, eventually, notYet } from '../observers/eventually.ts';
import { FeedCopy } from '../observers/feed-copy.ts';
import { assertWholeState } from '../observers/whole-state.ts';
import type { KubeObject } from './api-client.ts';
import { writeKubeconfig } from './control-plane.ts';
import { Scene } from './scene.ts';
import { object, scaled, service } from './world.ts';

const HIDDEN = 'vault';
const LABELS: Readonly<Record<string, Record<string, string>>> = {
  shop: { env: 'prod', tier: 'gold' },
  bank: { env: 'prod' },
  vault: { env: 'test' },
};
const SELECTORS = [
  'env',
  '!env',
  'env=prod',
  'env!=prod',
  'env in (prod,test),!tier',
  'env notin (prod)',
  'rank>3',
  'app=web',
];

describe('16 names on the real control plane', () => {
  let scene: Scene;
  let digger: DiggerProcess;

  before(async () => {
    scene = await Scene.set();
    const { client } = scene.plane;
    for (const [namespace, labels] of Object.entries(LABELS)) {
      const made = object('v1', 'Namespace', namespace);
      await client.apply({ ...made, metadata: { ...made.metadata, labels } });
      const at = (given: KubeObject): KubeObject => ({ ...given, metadata: { ...given.metadata, namespace } });
      await client.apply(at(object('apps/v1', 'Deployment', 'web', scaled('web', 2))));
      await client.apply(at(service('front', { selector: { app: 'web' }, ports: [{ port: 80 }] })));
    }
    await eventually('the pods run', async () => {
      const pods = (await scene.readLists()).pods.filter(({ metadata }) => (metadata?.namespace ?? '') in LABELS);
      return pods.length === 6 && pods.every((pod) => pod.status?.podIP) ? done(undefined) : notYet(pods.length);
    });
    digger = await scene.startDigger();
    await digger.untilReady();
  });
  after(async () => scene?.strike());

  it('16.1 with the rights of deploy/base the state is the cluster’s, namespaces included', async () => {
    const { entities } = await assertWholeState(digger, scene.readLists);
    assert.ok(entities > 20);
    const { namespace } = await digger.call('LookupService', 'GetNamespace', { name: 'shop' });
    assert.equal(namespace['labels']['tier'], 'gold');
  });

  it('16.1 a changed label of a namespace is one change, and moves what lies in it through filters', async () => {
    const all = new FeedCopy(digger, { heartbeatInterval: { seconds: 1 } });
    const gold = new FeedCopy(digger, { filter: { namespaceSelector: 'tier=gold', kinds: ['ENTITY_KIND_POD'] } });
    for (const copy of [all, gold]) await copy.untilSynced();
    assert.equal(gold.entities.size, 2);
    await label('bank', { tier: 'gold' });
    await eventually('both are in', () => (gold.entities.size === 4 ? done(undefined) : notYet(gold.changes)));
    await label('shop', { tier: null });
    await eventually('one has left', () => (gold.entities.size === 2 ? done(undefined) : notYet(gold.changes)));
    const told = all.changesAfterSnapshot.filter((change) => /bank|shop/.test(change));
    assert.deepEqual(told, ['upsert namespace /bank', 'upsert namespace /shop']);
    assert.ok([...gold.entities.values()].every(({ namespace }) => namespace === 'bank'));
    for (const copy of [all, gold]) copy.close();
    await assertWholeState(digger, scene.readLists);
  });

  it('16.1 with the right to one namespace by its name, its labels are known', async () => {
    const limited = await scene.startDigger(['--namespace', 'shop'], await limitedAccount('shop'));
    await limited.untilReady();
    await eventually('the namespace is known', async () => {
      const answer = await limited
        .call('LookupService', 'GetNamespace', { name: 'shop' })
        .catch((error: unknown) => error as Error);
      return answer instanceof Error ? notYet(answer) : done(undefined);
    });
    await limited.stop();
  });

  it('16.2 a hidden namespace holds addresses, and everything else is as without rules', async () => {
    const rules = [`deny ${HIDDEN}`, 'allow *'].flatMap((rule) => ['--namespace-rule', rule]);
    const hiding = await scene.startDigger(rules);
    await hiding.untilReady();
    const lists = await scene.readLists();
    for (const pod of lists.pods.filter(({ metadata }) => metadata?.namespace === HIDDEN)) {
      const { resolution } = await hiding.call('LookupService', 'ResolveAddress', { address: pod.status?.podIP });
      assert.deepEqual([resolution['outcome'], resolution['role']], ['OUTCOME_HIDDEN', 'ADDRESS_ROLE_POD_IP']);
      assert.ok(!JSON.stringify(resolution).includes(HIDDEN));
    }
    const copy = new FeedCopy(hiding);
    await copy.untilSynced();
    assert.ok(!JSON.stringify(copy.frames).includes(HIDDEN));
    copy.close();
    await assertWholeState(hiding, async () => withoutHidden(await scene.readLists()), {
      deadlineMs: 30_000,
      mayBeHidden: true,
    });
    await hiding.stop();
  });

  it('16.3 a selector lets pass what it lets pass in a list of the API', async () => {
    const { client } = scene.plane;
    const [first, second] = (await scene.readLists()).pods.filter(({ metadata }) => metadata?.namespace === 'bank');
    for (const [pod, labels] of [
      [first, { env: 'prod', rank: '4' }],
      [second, { env: 'test', tier: '', rank: '3' }],
    ] as const) {
      await client.patch(podInBank(pod?.metadata?.name), { metadata: { labels } });
    }
    for (const selector of SELECTORS) {
      const query = `labelSelector=${encodeURIComponent(selector)}`;
      const pods = await client.get<{ items: KubeObject[] }>(`/api/v1/pods?${query}`);
      const namespaces = await client.get<{ items: KubeObject[] }>(`/api/v1/namespaces?${query}`);
      const owed = [...pods.items, ...namespaces.items].map(({ metadata }) => metadata.name).toSorted();
      await eventually(`${selector} shows what the API lists`, async () => {
        const copy = new FeedCopy(digger, {
          filter: { labelSelector: selector, kinds: ['ENTITY_KIND_POD', 'ENTITY_KIND_NAMESPACE'] },
          snapshotOnly: true,
        });
        await copy.untilSynced();
        const shown = [...copy.entities.values()].map(({ name }) => name as string).toSorted();
        return JSON.stringify(shown) === JSON.stringify(owed) ? done(undefined) : notYet({ shown, owed });
      });
    }
  });

  it('16.3 a change of an annotation that a subscriber did not choose is none for it', async () => {
    const { client } = scene.plane;
    const name = (await scene.readLists()).pods.find(({ metadata }) => metadata?.namespace === 'bank')?.metadata?.name;
    const filter = { namespaces: ['bank'], kinds: ['ENTITY_KIND_POD'] };
    const chosen = { labels: ['app'], annotations: ['example.com/*'] };
    const choosing = new FeedCopy(digger, { filter, values: chosen, heartbeatInterval: { seconds: 1 } });
    const all = new FeedCopy(digger, { filter });
    for (const copy of [choosing, all]) await copy.untilSynced();
    for (const annotations of [{ noise: '1' }, { noise: '2' }, { 'example.com/team': 'a' }])
      await client.patch(podInBank(name), { metadata: { annotations } });
    const told = `upsert pod bank/${name}`;
    await eventually('the one that was chosen is told', () => {
      const changes = choosing.changesAfterSnapshot;
      return changes.length > 0 ? done(undefined) : notYet(changes);
    });
    assert.deepEqual(choosing.changesAfterSnapshot, [told]);
    await eventually('the other hears of all', () => {
      const pod = [...all.entities.values()].find((each) => each['name'] === name) as Message;
      return pod['annotations']?.['example.com/team'] === 'a' ? done(undefined) : notYet(pod);
    });
    const shown = [...choosing.entities.values()].find((each) => each['name'] === name) as Message;
    assert.deepEqual([shown['labels'], shown['annotations']], [{ app: 'web' }, { 'example.com/team': 'a' }]);
    for (const copy of [choosing, all]) copy.close();
  });

  async function label(namespace: string, labels: Record<string, string | null>): Promise<void> {
    await scene.plane.client.patch(object('v1', 'Namespace', namespace), { metadata: { labels } });
  }

  /** The Role of the component in one namespace, and list and watch on that namespace by its name. */
  async function limitedAccount(namespace: string): Promise<string> {
    const { client, directory, url, ca } = scene.plane;
    const account = { name: 'one', namespace: 'digger' };
    await client.apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: account });
    const subjects = [{ kind: 'ServiceAccount', ...account }];
    const at = (given: KubeObject): KubeObject => ({ ...given, metadata: { ...given.metadata, namespace } });
    await client.apply(at(component('role.yaml')));
    await client.apply({ ...at(component('role-binding.yaml')), subjects });
    const rules = [
      { apiGroups: [''], resources: ['namespaces'], resourceNames: [namespace], verbs: ['list', 'watch'] },
    ];
    const metadata = { name: 'one-namespace' };
    const apiVersion = 'rbac.authorization.k8s.io/v1';
    await client.apply({ apiVersion, kind: 'ClusterRole', metadata, rules });
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: metadata.name };
    await client.apply({ apiVersion, kind: 'ClusterRoleBinding', metadata, roleRef, subjects });
    const answer = await client.raw('POST', '/api/v1/namespaces/digger/serviceaccounts/one/token', {
      body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} },
    });
    const { token } = (JSON.parse(answer.body) as { status: { token: string } }).status;
    return writeKubeconfig(join(directory, 'one.kubeconfig'), url, ca, { token });
  }
});

function podInBank(name = ''): KubeObject {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { namespace: 'bank', name } };
}

function withoutHidden(lists: ClusterLists): ClusterLists {
  const isShown = ({ metadata }: { metadata?: { namespace?: string } }): boolean => metadata?.namespace !== HIDDEN;
  return {
    nodes: lists.nodes,
    pods: lists.pods.filter(isShown),
    services: lists.services.filter(isShown),
    endpointSlices: lists.endpointSlices.filter(isShown),
    owners: lists.owners.filter(isShown),
    namespaces: lists.namespaces.filter(({ metadata }) => metadata?.name !== HIDDEN),
  };
}

function component(file: string): KubeObject {
  const path = fileURLToPath(new URL(`../../deploy/components/namespaced/${file}`, import.meta.url));
  return load(readFileSync(path, 'utf8')) as KubeObject;
}
