// Each rule of the conventions as a row, with where it stands.
//
//   [conv]  https://opentelemetry.io/docs/specs/semconv/non-normative/k8s-attributes/
//   [k8s]   https://opentelemetry.io/docs/specs/semconv/resource/k8s/
//   [ctr]   https://opentelemetry.io/docs/specs/semconv/registry/attributes/container/
//   [proc]  https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/main/processor/k8sattributesprocessor
//   [ref]   https://github.com/distribution/reference/blob/main/reference.go
//   [ours]  docs/opentelemetry.md

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type AttributePod, clusterAttributes, nodeAttributes, podAttributes } from '../../src/otel/attributes.ts';
import { parseImageReference } from '../../src/otel/image-reference.ts';

const owner = (kind: string, name: string, group = 'apps/v1') => ({
  apiVersion: group,
  kind,
  name,
  uid: `uid-${name}`,
});
const DIGEST = `sha256:${'b248ef91'.repeat(8)}`;
const container = (image: string, name = 'main') => ({ name, image, containerId: 'containerd://4f2a' });
const ANNOTATION = 'resource.opentelemetry.io';

const BARE: AttributePod = {
  uid: 'uid-pod',
  namespace: 'shop',
  name: 'web-1',
  addresses: ['10.244.1.7', 'fd00::7'],
  nodeName: 'worker-1',
  startTimeMs: Date.UTC(2026, 0, 31, 12),
  ownerChain: [],
  labels: {},
  annotations: {},
  containers: [],
  imageDigests: {},
  omitted: [],
};

interface Row {
  readonly rule: string;
  readonly pod: Partial<AttributePod>;
  readonly labels?: boolean;
  /** `undefined`: the attribute is left out. */
  readonly expected: Readonly<Record<string, string | readonly string[] | undefined>>;
}

const DEPLOYMENT = [owner('ReplicaSet', 'web-5f6d'), owner('Deployment', 'web')];
const NAMED = { 'app.kubernetes.io/name': 'name-label', 'app.kubernetes.io/instance': 'instance-label' };

const ROWS: readonly Row[] = [
  {
    rule: '[k8s] namespace, pod and node',
    pod: {},
    expected: {
      'k8s.namespace.name': 'shop',
      'k8s.pod.name': 'web-1',
      'k8s.pod.uid': 'uid-pod',
      'k8s.node.name': 'worker-1',
    },
  },
  {
    rule: '[proc] k8s.pod.ip is the pod’s own address, k8s.pod.start_time its status’s, as Kubernetes writes times',
    pod: {},
    expected: { 'k8s.pod.ip': '10.244.1.7', 'k8s.pod.start_time': '2026-01-31T12:00:00Z' },
  },
  {
    rule: '[proc] empty values are not set',
    pod: { addresses: [], nodeName: '', startTimeMs: undefined },
    expected: { 'k8s.pod.ip': undefined, 'k8s.pod.start_time': undefined, 'k8s.node.name': undefined },
  },
  {
    rule: '[k8s] owners by their kinds, name and uid',
    pod: { ownerChain: DEPLOYMENT },
    expected: {
      'k8s.replicaset.name': 'web-5f6d',
      'k8s.replicaset.uid': 'uid-web-5f6d',
      'k8s.deployment.name': 'web',
      'k8s.deployment.uid': 'uid-web',
    },
  },
  {
    rule: '[k8s] Job and CronJob are of the group batch, ReplicationController of the core group',
    pod: {
      ownerChain: [
        owner('Job', 'tick-1', 'batch/v1'),
        owner('CronJob', 'tick', 'batch/v1'),
        owner('ReplicationController', 'old', 'v1'),
      ],
    },
    expected: {
      'k8s.job.name': 'tick-1',
      'k8s.cronjob.name': 'tick',
      'k8s.replicationcontroller.name': 'old',
    },
  },
  {
    rule: '[k8s] a kind of another group with the name of a known one is another kind',
    pod: { ownerChain: [owner('Deployment', 'lookalike', 'example.dev/v1')] },
    expected: { 'k8s.deployment.name': undefined, 'service.name': 'web-1' },
  },
  {
    rule: '[conv] "all annotations with the resource.opentelemetry.io/ prefix"',
    pod: { annotations: { [`${ANNOTATION}/team`]: 'red', 'example.org/team': 'blue' } },
    expected: { team: 'red', 'example.org/team': undefined },
  },
  {
    rule: '[ours] an annotation does not say what the API server says',
    pod: {
      annotations: {
        [`${ANNOTATION}/k8s.namespace.name`]: 'bank',
        [`${ANNOTATION}/k8s.deployment.name`]: 'vault',
        [`${ANNOTATION}/container.id`]: 'forged',
        [`${ANNOTATION}/cloud.region`]: 'forged',
      },
    },
    expected: {
      'k8s.namespace.name': 'shop',
      'k8s.deployment.name': undefined,
      'container.id': undefined,
      'cloud.region': undefined,
    },
  },
  { rule: '[conv] service.namespace 2: k8s.namespace.name', pod: {}, expected: { 'service.namespace': 'shop' } },
  {
    rule: '[conv] service.namespace 1: the annotation',
    pod: { annotations: { [`${ANNOTATION}/service.namespace`]: 'retail' } },
    expected: { 'service.namespace': 'retail', 'k8s.namespace.name': 'shop' },
  },
  {
    rule: '[conv] service.name 1: the annotation, also before the labels',
    pod: { annotations: { [`${ANNOTATION}/service.name`]: 'store' }, labels: NAMED, ownerChain: DEPLOYMENT },
    labels: true,
    expected: { 'service.name': 'store' },
  },
  {
    rule: '[conv] service.name 2: the label app.kubernetes.io/instance',
    pod: { labels: NAMED, ownerChain: DEPLOYMENT },
    labels: true,
    expected: { 'service.name': 'instance-label' },
  },
  {
    rule: '[conv] service.name 3: the label app.kubernetes.io/name',
    pod: { labels: { 'app.kubernetes.io/name': 'name-label' }, ownerChain: DEPLOYMENT },
    labels: true,
    expected: { 'service.name': 'name-label' },
  },
  {
    rule: '[conv] "should provide an opt-in flag for the use of well-known labels"',
    pod: { labels: { ...NAMED, 'app.kubernetes.io/version': '9' }, ownerChain: DEPLOYMENT },
    expected: { 'service.name': 'web', 'service.version': undefined },
  },
  {
    rule: '[conv] service.name 4: k8s.deployment.name before k8s.replicaset.name',
    pod: { ownerChain: DEPLOYMENT },
    expected: { 'service.name': 'web' },
  },
  {
    rule: '[conv] service.name 5: k8s.replicaset.name, also under a custom kind',
    pod: { ownerChain: [owner('ReplicaSet', 'canary-5f6d'), owner('Rollout', 'canary', 'argoproj.io/v1alpha1')] },
    expected: { 'service.name': 'canary-5f6d' },
  },
  {
    rule: '[conv] service.name 6: k8s.statefulset.name',
    pod: { ownerChain: [owner('StatefulSet', 'db')] },
    expected: { 'service.name': 'db' },
  },
  {
    rule: '[conv] service.name 7: k8s.daemonset.name',
    pod: { ownerChain: [owner('DaemonSet', 'agent')] },
    expected: { 'service.name': 'agent' },
  },
  {
    rule: '[conv] service.name 8: k8s.cronjob.name before k8s.job.name',
    pod: { ownerChain: [owner('Job', 'tick-1', 'batch/v1'), owner('CronJob', 'tick', 'batch/v1')] },
    expected: { 'service.name': 'tick' },
  },
  {
    rule: '[conv] service.name 9: k8s.job.name',
    pod: { ownerChain: [owner('Job', 'crunch', 'batch/v1')] },
    expected: { 'service.name': 'crunch' },
  },
  { rule: '[conv] service.name 10: k8s.pod.name', pod: {}, expected: { 'service.name': 'web-1' } },
  {
    rule: '[conv] service.version 1: the annotation',
    pod: {
      annotations: { [`${ANNOTATION}/service.version`]: '7' },
      labels: { 'app.kubernetes.io/version': '8' },
      containers: [container('web:9')],
    },
    labels: true,
    expected: { 'service.version': '7' },
  },
  {
    rule: '[conv] service.version 2: the label app.kubernetes.io/version',
    pod: { labels: { 'app.kubernetes.io/version': '8' }, containers: [container('web:9')] },
    labels: true,
    expected: { 'service.version': '8' },
  },
  {
    rule: '[conv] service.version 3: <tag>@<digest>',
    pod: { containers: [container(`gcr.io/shop/web:9@${DIGEST}`)] },
    expected: { 'service.version': `9@${DIGEST}` },
  },
  {
    rule: '[conv] service.version 4: <digest>',
    pod: { containers: [container(`gcr.io/shop/web@${DIGEST}`)] },
    expected: { 'service.version': DIGEST, 'container.image.tags': undefined },
  },
  {
    rule: '[conv] service.version 5: <tag>, behind a registry with a port',
    pod: { containers: [container('registry:5000/shop/web:9')] },
    expected: { 'service.version': '9', 'container.image.name': 'registry:5000/shop/web' },
  },
  {
    rule: '[conv] service.version: neither tag nor digest is no version; [ctr] the tag that is meant is latest',
    pod: { containers: [container('registry:5000/shop/web')] },
    expected: { 'service.version': undefined, 'container.image.tags': ['latest'] },
  },
  {
    rule: '[conv] service.instance.id 1: the annotation',
    pod: { annotations: { [`${ANNOTATION}/service.instance.id`]: 'one' }, containers: [container('web:9')] },
    expected: { 'service.instance.id': 'one' },
  },
  {
    rule: '[conv] service.instance.id 2: namespace, pod and container, with dots',
    pod: { containers: [container('web:9')] },
    expected: { 'service.instance.id': 'shop.web-1.main' },
  },
  {
    rule: '[ctr] the one container: name, id without its scheme, image name and tags',
    pod: { containers: [container('gcr.io/shop/web:9')] },
    expected: {
      'k8s.container.name': 'main',
      'container.id': '4f2a',
      'container.image.name': 'gcr.io/shop/web',
      'container.image.tags': ['9'],
    },
  },
  {
    rule: '[ctr] container.image.repo_digests: what the runtime pulled, under the name of the image',
    pod: { containers: [container('gcr.io/shop/web:9')], imageDigests: { main: DIGEST } },
    expected: { 'container.image.repo_digests': [`gcr.io/shop/web@${DIGEST}`], 'service.version': '9' },
  },
  {
    rule: '[proc] "if a pod contains more than one container", nothing tells which is meant',
    pod: { containers: [container('web:9'), container('proxy:1', 'proxy')] },
    expected: {
      'k8s.container.name': undefined,
      'container.id': undefined,
      'container.image.name': undefined,
      'service.version': undefined,
      'service.instance.id': undefined,
      'service.name': 'web-1',
    },
  },
  {
    rule: '[ours] an annotation that the configuration leaves out leaves its attribute out, whatever the next rule says',
    pod: { omitted: [`annotations/${ANNOTATION}/service.name`], ownerChain: DEPLOYMENT },
    expected: { 'service.name': undefined, 'service.namespace': 'shop' },
  },
  {
    rule: '[ours] so does a label, where labels are asked for',
    pod: { omitted: ['labels/app.kubernetes.io/instance'], labels: NAMED, ownerChain: DEPLOYMENT },
    labels: true,
    expected: { 'service.name': undefined },
  },
  {
    rule: '[ours] and has no say where they are not',
    pod: { omitted: ['labels/app.kubernetes.io/instance'], ownerChain: DEPLOYMENT },
    expected: { 'service.name': 'web' },
  },
  {
    rule: '[conv] an annotation with nothing behind the prefix, and one with an empty value, set nothing',
    pod: { annotations: { [`${ANNOTATION}/`]: 'x', [`${ANNOTATION}/service.name`]: '' } },
    expected: { '': undefined, 'service.name': 'web-1' },
  },
  {
    rule: '[ours] names of what JavaScript has are names like any others',
    pod: { annotations: { [`${ANNOTATION}/constructor`]: 'x', [`${ANNOTATION}/__proto__`]: 'y' } },
    expected: { constructor: 'x' },
  },
];

describe('attributes of a pod', () => {
  for (const { rule, pod, labels = false, expected } of ROWS) {
    it(rule, () => {
      const attributes = podAttributes({ ...BARE, ...pod }, { wellKnownLabels: labels });
      const found = new Map(attributes.map(({ key, value }) => [key, value]));
      assert.equal(found.size, attributes.length, 'each key once');
      assert.deepEqual([...found.keys()], [...found.keys()].toSorted());
      for (const [key, value] of Object.entries(expected)) assert.deepEqual(found.get(key), value, key);
    });
  }

  it('go with those of the cluster and of the node, as far as they are known', () => {
    assert.deepEqual(clusterAttributes({ name: 'prod', uid: '' }), [{ key: 'k8s.cluster.name', value: 'prod' }]);
    assert.deepEqual(nodeAttributes({ uid: 'uid-node', zone: 'eu-1a', region: '' }), [
      { key: 'cloud.availability_zone', value: 'eu-1a' },
      { key: 'k8s.node.uid', value: 'uid-node' },
    ]);
  });
});

describe('an image reference', () => {
  for (const [text, name, tag, digest] of [
    ['busybox', 'busybox', '', ''],
    ['busybox:1.36', 'busybox', '1.36', ''],
    ['localhost:5000/a/b', 'localhost:5000/a/b', '', ''],
    ['localhost:5000/a/b:v1', 'localhost:5000/a/b', 'v1', ''],
    [`a/b@${DIGEST}`, 'a/b', '', DIGEST],
    [`a/b:v1@${DIGEST}`, 'a/b', 'v1', DIGEST],
    ['[fd00::1]:5000/a:v1', '[fd00::1]:5000/a', 'v1', ''],
  ] as const) {
    it(`${text} [ref]`, () => assert.deepEqual(parseImageReference(text), { name, tag, digest }));
  }
  for (const text of ['', '/', 'a:', 'a@', 'a@sha256:short', `${'a/'.repeat(600)}b`, 'a/b/', 'a:b:c']) {
    it(`${JSON.stringify(text.slice(0, 20))} is none [ref]`, () => assert.equal(parseImageReference(text), undefined));
  }

  it('is looked for in linear time, whatever the text', () => {
    const begunMs = performance.now();
    for (const part of ['a', '/', 'a/', ':', '@', 'a:', 'a@']) parseImageReference(part.repeat(500).slice(0, 1024));
    assert.ok(performance.now() - begunMs < 1_000);
  });
});
