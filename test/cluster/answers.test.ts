// What answers carry, on the real control plane: which cluster, and names for addresses outside of it. What the API
// itself says is read by separate code.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { status, type ServiceError } from '@grpc/grpc-js';
import type { DiggerProcess } from '../observers/digger-process.ts';
import { done, eventually, notYet } from '../observers/eventually.ts';
import { FeedCopy } from '../observers/feed-copy.ts';
import { errorDetails } from '../observers/rpc-error.ts';
import { assertWholeState } from '../observers/whole-state.ts';
import type { KubeObject } from './api-client.ts';
import { Scene } from './scene.ts';
import { createNarrowAccount } from './service-account.ts';
import { barePod, createPod, object } from './world.ts';

describe('answers from a real cluster', () => {
  let scene: Scene;
  let digger: DiggerProcess;
  let ranges: string;
  let podAddress: string;

  before(async () => {
    scene = await Scene.set({ controllers: false });
    const { client } = scene.plane;
    await client.apply(object('v1', 'Namespace', 'shop'));
    await client.apply({ ...object('v1', 'ServiceAccount', 'default') });
    await createPod(client, barePod('web', {}));
    podAddress = await eventually('the pod runs', async () => {
      const address = (await scene.readLists()).pods.find((pod) => pod.metadata?.name === 'web')?.status?.podIP;
      return address ? done(address) : notYet(address);
    });
    ranges = join(scene.plane.directory, 'ranges.yaml');
    writeFileSync(ranges, 'ranges:\n  - {name: partner, kind: office, cidrs: [192.0.2.0/24, 2001:db8:5::/48]}\n');
    digger = await scene.startDigger(['--cluster-name', 'real', '--named-ranges', ranges]);
    await digger.untilReady();
  });
  after(async () => scene?.strike());

  const uidOfKubeSystem = async (): Promise<string> => {
    const found = await scene.plane.client.list<{ metadata: { name: string; uid: string } }>('/api/v1/namespaces');
    return found.find(({ metadata }) => metadata.name === 'kube-system')?.metadata.uid ?? 'there is none';
  };

  it('name the cluster and the uid of its kube-system, in status, answers, frames and tokens', async () => {
    const cluster = { name: 'real', uid: await uidOfKubeSystem() };
    assert.deepEqual((await digger.call('StatusService', 'GetStatus'))['cluster'], cluster);
    for (const address of [podAddress, '172.18.0.2', '192.0.2.1']) {
      assert.deepEqual((await digger.resolve(address))['cluster'], cluster, address);
    }
    const copy = new FeedCopy(digger, { snapshotOnly: true });
    await copy.untilSynced();
    for (const kind of ['reset', 'synced']) {
      assert.deepEqual(copy.frames.find((frame) => frame['frame'] === kind)?.['cluster'], cluster, kind);
    }
    // A digger whose account may not read the uid, with another name: the name alone tells.
    const { kubeconfig, grant } = await createNarrowAccount(scene.plane, 'without-namespaces', ['namespaces']);
    const other = await scene.startDigger(['--cluster-name', 'elsewhere'], kubeconfig);
    await other.untilReady();
    const told = await other.call('StatusService', 'GetStatus');
    assert.deepEqual(told['cluster'], { name: 'elsewhere', uid: '' });
    assert.match(told['clusterMessage'], /namespaces .*is forbidden|cannot list resource "namespaces"/);
    assert.equal((await other.resolve(podAddress))['pod']['name'], 'web');
    const error = (await other.watch({ resumeToken: copy.resumeToken }).ended) as ServiceError;
    assert.equal(error.code, status.FAILED_PRECONDITION);
    assert.equal(errorDetails(error)['ErrorInfo']?.['reason'], 'OTHER_CLUSTER');
    await grant(['namespaces']);
    await eventually('the right is used once it is granted', async () => {
      const now = (await other.call('StatusService', 'GetStatus'))['cluster'];
      return now['uid'] === cluster.uid ? done(undefined) : notYet(now);
    });
    await assertWholeState(digger, scene.readLists);
    await other.stop();
  });

  it('carry the attributes of OpenTelemetry that follow from the pod, its owners, its node and the cluster', async () => {
    const { client } = scene.plane;
    const pod = barePod('named', { ports: [{ containerPort: 80 }] });
    const annotations = { 'resource.opentelemetry.io/service.version': '7', 'resource.opentelemetry.io/team': 'red' };
    const labels = { ...pod.metadata.labels, 'app.kubernetes.io/name': 'store' };
    // One container, so that it is known which is meant.
    const spec = pod['spec'] as { containers: object[] };
    await createPod(client, {
      ...pod,
      metadata: { ...pod.metadata, annotations, labels },
      spec: { ...spec, containers: spec.containers.slice(0, 1) },
    } as KubeObject);
    const object = await eventually('the pod runs', async () => {
      const found = (await scene.readLists()).pods.find(({ metadata }) => metadata?.name === 'named');
      return found?.status?.podIP && found.status.containerStatuses?.[0]?.containerID
        ? done(found)
        : notYet(found?.status);
    });
    const node = (await scene.readLists()).nodes.find(({ metadata }) => metadata?.name === object.spec?.nodeName);
    const [container] = object.spec?.containers ?? [];
    const attributes = await eventually('digger has seen it', async () => {
      const request = { address: object.status?.podIP, otelAttributes: { wellKnownLabels: true } };
      const { resolution } = await digger.call('LookupService', 'ResolveAddress', request);
      const found = (resolution.otelAttributes ?? []) as { key: string; value: Record<string, unknown> }[];
      const read = Object.fromEntries(found.map(({ key, value }) => [key, value['stringValue'] ?? '(a list)']));
      return read['container.id'] ? done(read) : notYet(read);
    });
    const { uid, creationTimestamp } = object.metadata ?? {};
    assert.ok(creationTimestamp);
    assert.deepEqual(attributes, {
      'cloud.availability_zone': node?.metadata?.labels?.['topology.kubernetes.io/zone'],
      'cloud.region': node?.metadata?.labels?.['topology.kubernetes.io/region'],
      'container.id': object.status?.containerStatuses?.[0]?.containerID?.replace(/^.*:\/\//, ''),
      'container.image.name': container?.image?.replace(/:.*$/, ''),
      'container.image.tags': '(a list)',
      'k8s.cluster.name': 'real',
      'k8s.cluster.uid': await uidOfKubeSystem(),
      'k8s.container.name': container?.name,
      'k8s.namespace.name': 'shop',
      'k8s.node.name': object.spec?.nodeName,
      'k8s.node.uid': node?.metadata?.uid,
      'k8s.pod.ip': object.status?.podIP,
      'k8s.pod.name': 'named',
      'k8s.pod.start_time': attributes['k8s.pod.start_time'],
      'k8s.pod.uid': uid,
      'service.instance.id': `shop.named.${container?.name}`,
      'service.name': 'store',
      'service.namespace': 'shop',
      'service.version': '7',
      team: 'red',
    });
    assert.equal(Date.parse(String(attributes['k8s.pod.start_time'])), object.status?.startTime?.getTime());
  });

  it('tell where a pod is and whose account it has, and a node that moves to another zone reaches its pods’ subscribers', async () => {
    const { client } = scene.plane;
    const found = (await scene.readLists()).pods.find(({ metadata }) => metadata?.name === 'web');
    const nodeName = found?.spec?.nodeName ?? '';
    const read = async () =>
      (await digger.call('LookupService', 'GetPod', { namespace: 'shop', name: 'web', view: 'VIEW_BASIC' }))['pod'];
    const node = (await scene.readLists()).nodes.find(({ metadata }) => metadata?.name === nodeName);
    const before = await read();
    assert.equal(before['zone'], node?.metadata?.labels?.['topology.kubernetes.io/zone']);
    assert.equal(before['region'], node?.metadata?.labels?.['topology.kubernetes.io/region']);
    assert.equal(before['serviceAccount'], found?.spec?.serviceAccountName);
    assert.equal(before['serviceAccount'], 'default');
    const ready = found?.status?.conditions?.find(({ type }) => type === 'Ready')?.status === 'True';
    assert.equal(before['ready'], ready);
    const copy = new FeedCopy(digger, { view: 'VIEW_BASIC', filter: { kinds: ['ENTITY_KIND_POD'] } });
    await copy.untilSynced();
    const labels = { 'topology.kubernetes.io/zone': 'zone-9', 'topology.kubernetes.io/region': 'region-9' };
    await client.patch(object('v1', 'Node', nodeName), { metadata: { labels } });
    await eventually('subscribers of the pods hear of it', () => {
      const zones = copy.frames
        .flatMap((frame) => (frame['changes']?.['changes'] ?? []) as { upsert?: { pod?: Record<string, unknown> } }[])
        .filter(({ upsert }) => upsert?.pod?.['name'] === 'web')
        .map(({ upsert }) => upsert?.pod?.['zone']);
      return zones.at(-1) === 'zone-9' ? done(undefined) : notYet(zones);
    });
    copy.close();
    assert.deepEqual([(await read())['zone'], (await read())['region']], ['zone-9', 'region-9']);
    await assertWholeState(digger, scene.readLists);
  });

  it('name networks outside of the cluster, from a file that changes while digger runs', async () => {
    // The ranges of pods and services are known here, so that the rest is outside.
    const outside = await digger.resolve('192.0.2.7');
    assert.equal(outside['outcome'], 'OUTCOME_EXTERNAL', JSON.stringify(outside));
    const { name, kind, range } = outside['network'];
    assert.deepEqual([name, kind, range], ['partner', 'office', '192.0.2.0/24']);
    assert.equal((await digger.resolve('2001:db8:5::1'))['network']['range'], '2001:db8:5::/48');
    assert.equal((await digger.resolve(podAddress))['network'], undefined);
    assert.equal((await digger.resolve('198.51.100.1'))['network'], undefined);
    writeFileSync(
      ranges,
      JSON.stringify({
        syncToken: '1',
        prefixes: [
          { ip_prefix: '192.0.2.0/28', service: 'S3', region: 'eu-west-1', network_border_group: 'eu-west-1' },
        ],
        ipv6_prefixes: [],
      }),
    );
    await eventually('the new file is taken', async () => {
      const { network } = await digger.resolve('192.0.2.7');
      return network?.name === 'S3' && network?.kind === 'aws' ? done(undefined) : notYet(network);
    });
    assert.equal((await digger.resolve('192.0.2.100'))['network'], undefined);
  });
});
