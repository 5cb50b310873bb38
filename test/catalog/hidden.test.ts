// What the catalog gets to know of objects in hidden namespaces: where they are, and nothing else.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from '@prometheus-io/client';
import { Catalog } from '../../src/catalog/catalog.ts';
import { createHiders, hiding } from '../../src/catalog/hidden.ts';
import type { ChangeBatch } from '../../src/model/changes.ts';
import { hiddenNamespace, isHidden, PublishedNamespaces } from '../../src/model/namespaces/published-namespaces.ts';
import { publishedOnly } from '../../src/catalog/visible-changes.ts';
import { container, namespace, owner, pod, service, slice } from './records.ts';

const RULES = new PublishedNamespaces([
  { action: 'allow', pattern: 'kube-public' },
  { action: 'deny', pattern: 'kube-*' },
  { action: 'allow', pattern: '[a-m]*' },
]);
const hide = createHiders(RULES);
const SEEN = { atMs: 1 };

test('16.2 the first rule that matches decides, and what none matches is hidden', () => {
  const names = ['kube-public', 'kube-system', 'bank', 'shop', ''];
  assert.deepEqual(
    names.map((name) => RULES.has(name)),
    [true, false, true, false, true],
  );
  const everything = new PublishedNamespaces([]);
  assert.equal(everything.has('kube-system'), true);
  // What stands for a hidden one is published by no rule.
  assert.equal(new PublishedNamespaces([{ action: 'allow', pattern: '*' }]).has(hiddenNamespace('a')), false);
});

test('16.2 of a hidden object nothing goes on that a person wrote', () => {
  const SECRET = 'zanzibar';
  const meta = { namespace: SECRET, labels: { [SECRET]: SECRET }, annotations: { [SECRET]: SECRET } };
  const controller = { apiVersion: `${SECRET}/v1`, kind: SECRET, name: SECRET, uid: 'uid-of-it' };
  const port = { name: SECRET, containerPort: 80, hostPort: 80, hostIp: '', protocol: 'TCP' };
  const secret = container(SECRET, {
    ...{ image: SECRET, containerId: SECRET, previousContainerId: SECRET, imageDigest: SECRET, ports: [port] },
  });
  const hidden = [
    hide.pod(
      pod(SECRET, {
        ...{ ...meta, uid: 'u1', controller, serviceAccount: SECRET },
        ...{ containers: [secret], otherContainers: [secret], podIps: ['10.0.0.1'] },
        networks: [{ name: 'net', interface: SECRET, addresses: ['10.9.0.1'] }],
      }),
    ),
    hide.service(
      service(SECRET, {
        ...{ ...meta, uid: 'u2', controller, selector: { [SECRET]: SECRET } },
        ...{ loadBalancerHostnames: [SECRET], externalName: SECRET },
        ports: [{ name: SECRET, protocol: 'TCP', port: 80, targetPort: SECRET, nodePort: 0, appProtocol: SECRET }],
      }),
    ),
    hide.slice({
      ...slice(SECRET, SECRET, []),
      ...{ namespace: SECRET, uid: 'u3', labels: {}, annotations: meta.annotations },
      endpoints: [
        { addresses: ['10.0.0.1'], ready: true, target: { kind: 'Pod', namespace: '', name: SECRET, uid: '' } },
      ],
    }),
  ];
  for (const record of hidden) {
    assert.ok(record);
    assert.ok(isHidden(record.namespace));
    assert.ok(!JSON.stringify(record).includes(SECRET), JSON.stringify(record));
  }
  assert.equal(hide.owner(owner('Deployment', SECRET, meta)), undefined);
  assert.equal(hide.namespace(namespace(SECRET)), undefined);
  const shown = pod('web', { namespace: 'bank' });
  assert.equal(hide.pod(shown), shown, 'what is published is not touched');
  // A target in a hidden namespace is named so in a published slice too.
  const target = { kind: 'Pod', namespace: SECRET, name: SECRET, uid: '' };
  const beside = hide.slice({
    ...slice('front', 'front', []),
    ...{ namespace: 'bank', endpoints: [{ addresses: ['10.0.0.1'], ready: true, target }] },
  });
  assert.equal(beside?.namespace, 'bank');
  assert.ok(!JSON.stringify(beside).includes(SECRET));
});

test('16.2 the feed is told of what is published alone, without a gap, and positions go on', async () => {
  const catalog = new Catalog({ registry: new Registry() });
  const pods = hiding(catalog.store('Pod', 'pods'), hide.pod, RULES);
  const services = hiding(catalog.store('Service', 'services'), hide.service, RULES);
  const owners = hiding(catalog.owners('deployments.apps'), hide.owner, RULES);
  const [all, told]: [ChangeBatch[], ChangeBatch[]] = [[], []];
  catalog.onBatch((batch) => all.push(batch));
  catalog.onBatch(publishedOnly((batch) => told.push(batch)));
  for (const store of [pods, services, owners]) await store.beginReplace().commit('1', SEEN);
  await catalog.open();
  pods.upsert(pod('a', { namespace: 'bank' }), '2', SEEN);
  pods.upsert(pod('b', { namespace: 'shop' }), '3', SEEN);
  pods.upsert(pod('c', { namespace: 'bank' }), '4', SEEN);
  owners.upsert(owner('Deployment', 'd', { namespace: 'shop' }), '5', SEEN);
  pods.remove(pod('b', { namespace: 'shop' }), '6', SEEN);
  owners.remove(owner('Deployment', 'd', { namespace: 'shop' }), '7', SEEN);
  const numbers = told.flatMap(({ changes }) => changes.map(({ sequence, after }) => [sequence, after?.name]));
  assert.deepEqual(numbers, [
    [1, 'a'],
    [2, 'c'],
  ]);
  assert.equal(all.flatMap(({ changes }) => changes).length, 4);
  const positions = told.map(({ position }) => `${position.resource} ${position.resourceVersion}`);
  assert.deepEqual(positions.slice(-2), ['pods 6', 'deployments.apps 7']);
});
