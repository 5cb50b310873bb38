// Who a pod belongs to, while its owners come, go and change in any order.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { brief, decode, Harness, SEEN } from './harness.ts';
import { container, controlledBy, node, owner, pod } from './records.ts';

const WEB = owner('Deployment', 'web');
const WEB_1 = owner('ReplicaSet', 'web-1', { controller: controlledBy(WEB) });
const WEB_POD = pod('web-1-x', { controller: controlledBy(WEB_1) });

describe('the owners of a pod', () => {
  it('16: are incomplete until they turn up, with one change each', async () => {
    const harness = await Harness.open(WEB_POD);
    assert.deepEqual(harness.pod('web-1-x').ownerChain.map(brief), ['ReplicaSet web-1?']);
    assert.equal(harness.pod('web-1-x').workload.incomplete, true);
    harness.put(WEB_1);
    assert.deepEqual(harness.told(), ['~ Pod web-1-x']);
    assert.deepEqual(harness.pod('web-1-x').ownerChain.map(brief), ['ReplicaSet web-1', 'Deployment web?']);
    harness.put(WEB);
    assert.deepEqual(harness.told(), ['+ Workload web', '~ Pod web-1-x']);
    assert.deepEqual(harness.pod('web-1-x').ownerChain.map(brief), ['ReplicaSet web-1', 'Deployment web']);
    assert.equal(brief(harness.pod('web-1-x').workload), 'Deployment web');
  });

  it('17: may be custom kinds above a ReplicaSet or a Job', async () => {
    const rollout = owner('Rollout', 'r', { apiVersion: 'argoproj.io/v1alpha1' });
    const set = owner('ReplicaSet', 'r-1', { controller: controlledBy(rollout) });
    const flow = owner('Workflow', 'w', { apiVersion: 'example.com/v1' });
    const job = owner('Job', 'w-1', { apiVersion: 'batch/v1', controller: controlledBy(flow) });
    const harness = await Harness.open(
      rollout,
      set,
      flow,
      job,
      pod('a', { controller: controlledBy(set) }),
      pod('b', { controller: controlledBy(job) }),
    );
    assert.equal(brief(harness.pod('a').workload), 'Rollout r');
    assert.equal(harness.pod('a').workload.apiVersion, 'argoproj.io/v1alpha1');
    assert.equal(brief(harness.pod('b').workload), 'Workflow w');
  });

  it('18: end at a standalone ReplicaSet, Job or ReplicationController', async () => {
    for (const kind of ['ReplicaSet', 'Job', 'ReplicationController']) {
      const top = owner(kind, 'top');
      const harness = await Harness.open(top, pod('p', { controller: controlledBy(top) }));
      assert.equal(brief(harness.pod('p').workload), `${kind} top`);
      assert.equal(harness.copy.get(top.uid)?.kind, 'Workload');
    }
  });

  it('are none for a bare pod, which is its own workload, with its own labels and annotations', async () => {
    const containers = [container('c', { image: 'i' })];
    const harness = await Harness.open(pod('bare', { labels: { a: 'b' }, annotations: { c: 'd' }, containers }));
    const { workload, ownerChain } = harness.pod('bare');
    assert.deepEqual(ownerChain, []);
    assert.deepEqual([brief(workload), workload.apiVersion], ['Pod bare', 'v1']);
    const found = harness.catalog.workload('', 'Pod', 'shop', 'bare') ?? assert.fail('no workload');
    assert.deepEqual(decode(found), {
      apiVersion: 'v1',
      kind: 'Pod',
      namespace: 'shop',
      name: 'bare',
      uid: 'uid-bare',
      labels: { a: 'b' },
      annotations: { c: 'd' },
    });
    assert.equal(harness.catalog.resolveWorkload(workload), found);
  });

  it('are its Node for a static pod, which is its own workload nevertheless', async () => {
    const home = node('node-a');
    const harness = await Harness.open(home, pod('etcd', { controller: controlledBy(home) }));
    assert.deepEqual(harness.pod('etcd').ownerChain.map(brief), ['Node node-a']);
    assert.equal(brief(harness.pod('etcd').workload), 'Pod etcd');
  });

  // https://github.com/kubernetes/kubernetes/issues/96650: references keep the version that they were written with.
  it('are what their records say, whatever group and version a reference was written with', async () => {
    const [deployment, set] = [owner('Deployment', 'web'), owner('ReplicaSet', 'web-1')];
    const old = { apiVersion: 'extensions/v1beta1' };
    const harness = await Harness.open(
      pod('p', { controller: { ...controlledBy(set), ...old } }),
      { ...set, controller: { ...controlledBy(deployment), ...old } },
      deployment,
    );
    const { workload, ownerChain } = harness.pod('p');
    assert.deepEqual(
      [...ownerChain, workload].map(({ apiVersion, kind, incomplete }) => [apiVersion, kind, incomplete]),
      [
        ['apps/v1', 'ReplicaSet', false],
        ['apps/v1', 'Deployment', false],
        ['apps/v1', 'Deployment', false],
      ],
    );
  });

  it('may be another pod', async () => {
    const driver = pod('driver');
    const harness = await Harness.open(pod('executor', { controller: controlledBy(driver) }), driver);
    assert.equal(brief(harness.pod('executor').workload), 'Pod driver');
  });

  it('do not go round in circles', async () => {
    const a = owner('A', 'a', { controller: { apiVersion: 'apps/v1', kind: 'B', name: 'b', uid: 'uid-b' } });
    const b = owner('B', 'b', { controller: controlledBy(a) });
    const harness = await Harness.open(a, b, pod('p', { controller: controlledBy(a) }));
    assert.deepEqual(harness.pod('p').ownerChain.map(brief), ['A a', 'B b']);
    harness.remove(b, a, pod('p'));
    assert.equal(harness.copy.size, 0);
  });

  it('end at a bounded depth, and say that there is more', async () => {
    const owners = [owner('Top', 'o0')];
    for (let depth = 1; depth < 30; depth += 1) {
      owners.push(owner('Link', `o${depth}`, { controller: controlledBy(owners.at(-1) ?? assert.fail()) }));
    }
    const harness = await Harness.open(
      ...owners,
      pod('p', { controller: controlledBy(owners.at(-1) ?? assert.fail()) }),
    );
    assert.equal(harness.pod('p').ownerChain.length, 10);
    assert.equal(harness.pod('p').workload.incomplete, true);
  });
});

describe('an owner that is deleted', () => {
  it('is retained by the pods below it until the last of them is gone', async () => {
    const second = pod('web-1-y', { controller: controlledBy(WEB_1) });
    const harness = await Harness.open(WEB, WEB_1, WEB_POD, second);
    const before = harness.pod('web-1-x');
    harness.remove(WEB);
    assert.deepEqual(harness.told(), ['- Workload web']);
    harness.remove(WEB_1);
    assert.deepEqual(harness.told(), []);
    assert.equal(harness.pod('web-1-x'), before);
    assert.equal(harness.catalog.workload('apps', 'Deployment', 'shop', 'web'), undefined);
    const resolved = harness.catalog.resolveWorkload(before.workload);
    assert.deepEqual([resolved.name, decode(resolved)['incomplete']], ['web', undefined]);
    assert.match(await harness.registry.metrics(), /digger_catalog_retained_owners 2/);
    harness.remove(WEB_POD);
    assert.match(await harness.registry.metrics(), /digger_catalog_retained_owners 2/);
    harness.remove(second);
    assert.match(await harness.registry.metrics(), /digger_catalog_retained_owners 0/);
    harness.put(second);
    assert.deepEqual(harness.pod('web-1-y').ownerChain.map(brief), ['ReplicaSet web-1?']);
  });

  it('is forgotten at once when only ReplicaSets without pods refer to it', async () => {
    const harness = await Harness.open(WEB, WEB_1);
    harness.remove(WEB);
    const found = harness.catalog.workload('apps', 'ReplicaSet', 'shop', 'web-1') ?? assert.fail('no workload');
    assert.deepEqual(found.ownerChain.map(brief), ['Deployment web?']);
  });

  it('15.3: stays known for the history, so that pods that are seen after it went still find it', async () => {
    const harness = new Harness({ ownerRetentionMs: 600_000 });
    harness.put(WEB, WEB_1);
    await harness.catalog.open();
    harness.remove(WEB);
    harness.remove(WEB_1);
    harness.put(WEB_POD);
    const late = harness.pod('web-1-x');
    assert.deepEqual(late.ownerChain.map(brief), ['ReplicaSet web-1', 'Deployment web']);
    assert.equal(harness.catalog.workload('apps', 'Deployment', 'shop', 'web'), undefined, 'it is gone all the same');
    assert.equal(decode(harness.catalog.resolveWorkload(late.workload))['incomplete'], undefined);
    harness.remove(WEB_POD);
    harness.put(WEB_POD);
    assert.equal(brief(harness.pod('web-1-x').workload), 'Deployment web', 'whether or not a pod refers to it');
  });

  it('15.3: is forgotten when the history is over, with the next write, unless a pod refers to it', async () => {
    const harness = new Harness({ ownerRetentionMs: 600_000 });
    harness.put(WEB, WEB_1, pod('other'));
    await harness.catalog.open();
    harness.remove(WEB);
    harness.remove(WEB_1);
    assert.match(await harness.registry.metrics(), /digger_catalog_retained_owners 2/);
    const later = (afterMs: number) => {
      const seen = { atMs: SEEN.atMs + afterMs };
      harness.store(WEB_POD).upsert(pod('other', { labels: { at: `${afterMs}` } }), harness.version(), seen);
    };
    later(599_999);
    assert.match(await harness.registry.metrics(), /digger_catalog_retained_owners 2/);
    later(600_000);
    assert.match(await harness.registry.metrics(), /digger_catalog_retained_owners 0/);
    harness.put(WEB_POD);
    assert.deepEqual(harness.pod('web-1-x').ownerChain.map(brief), ['ReplicaSet web-1?']);
  });

  it('15.3: is itself again when its record comes back', async () => {
    const harness = new Harness({ ownerRetentionMs: 600_000 });
    harness.put(WEB, WEB_1);
    await harness.catalog.open();
    harness.remove(WEB);
    harness.put(WEB);
    harness.put(WEB_POD);
    assert.equal(brief(harness.pod('web-1-x').workload), 'Deployment web');
    assert.match(await harness.registry.metrics(), /digger_catalog_retained_owners 0/);
  });

  it('is another object when it comes back under its name', async () => {
    const harness = await Harness.open(WEB, WEB_1, WEB_POD);
    harness.put({ ...WEB, uid: 'uid-web-again' });
    assert.deepEqual(harness.told(), ['+ Workload web', '- Workload web']);
    assert.equal(harness.pod('web-1-x').workload.uid, 'uid-web');
  });
});

describe('a workload', () => {
  it('leaves the feed when it gains a controller and comes back when it loses it, while lookups find it all along', async () => {
    const loose = { ...WEB_1, controller: undefined };
    const harness = await Harness.open(WEB, loose, WEB_POD);
    harness.put(WEB_1);
    assert.deepEqual(harness.told(), ['- Workload web-1', '~ Pod web-1-x']);
    assert.equal(harness.catalog.workload('apps', 'ReplicaSet', 'shop', 'web-1')?.topLevel, false);
    assert.equal(brief(harness.pod('web-1-x').workload), 'Deployment web');
    harness.put(loose);
    assert.deepEqual(harness.told(), ['+ Workload web-1', '~ Pod web-1-x']);
    assert.equal(harness.catalog.workload('apps', 'ReplicaSet', 'shop', 'web-1')?.topLevel, true);
  });

  it('changes alone when only its labels change', async () => {
    const harness = await Harness.open(WEB, WEB_1, WEB_POD);
    harness.put({ ...WEB, labels: { tier: 'front' } });
    assert.deepEqual(harness.told(), ['~ Workload web']);
  });

  it('of which nothing but a reference is known is synthesised as incomplete', async () => {
    const harness = await Harness.open(WEB_POD);
    const resolved = harness.catalog.resolveWorkload(harness.pod('web-1-x').workload);
    assert.equal(decode(resolved)['incomplete'], true);
    assert.deepEqual([resolved.workloadKind, resolved.name, resolved.namespace], ['ReplicaSet', 'web-1', 'shop']);
  });
});
