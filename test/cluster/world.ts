// A small cluster with everything that attribution has to tell apart: one workload of every kind, one service of every
// kind, pods in their node's network, a finished Job, an owner of a kind that digger may not read.
//
// Real controllers turn it into pods, ReplicaSets, Jobs and EndpointSlices; the kubelet of kubelet.ts gives the pods
// addresses. Names are unique across kinds, so that a test can find things by name.
import type { ApiClient, KubeObject } from './api-client.ts';
import { done, eventually, notYet } from '../observers/eventually.ts';
import { KEEP_RUNNING_LABEL } from './kubelet.ts';

/** Where the world lives. */
export const WORLD_NAMESPACE = 'shop';

/** The custom kind that owns a ReplicaSet. */
export const CUSTOM_API_VERSION = 'example.dev/v1';

/** Workload → kind and number of pods that run when the world is at rest. */
export const WORKLOADS: Readonly<Record<string, { readonly kind: string; readonly running: number }>> = {
  web: { kind: 'Deployment', running: 3 },
  db: { kind: 'StatefulSet', running: 2 },
  agent: { kind: 'DaemonSet', running: 3 },
  proxy: { kind: 'DaemonSet', running: 3 },
  crunch: { kind: 'Job', running: 1 },
  report: { kind: 'Job', running: 0 },
  tick: { kind: 'CronJob', running: 1 },
  plain: { kind: 'ReplicaSet', running: 2 },
  old: { kind: 'ReplicationController', running: 1 },
  canary: { kind: 'Rollout', running: 2 },
  solo: { kind: 'Pod', running: 1 },
  'host-a': { kind: 'Pod', running: 1 },
  'host-b': { kind: 'Pod', running: 1 },
  'host-silent': { kind: 'Pod', running: 1 },
};

/** Creates it all and returns at once; `untilSettled` waits for the controllers. */
export async function createWorld(client: ApiClient): Promise<void> {
  await client.apply(object('v1', 'Namespace', WORLD_NAMESPACE));
  // A CronJob starts at the full minute; everything else fits into the wait for it.
  await client.apply(
    object('batch/v1', 'CronJob', 'tick', {
      schedule: '* * * * *',
      concurrencyPolicy: 'Forbid',
      jobTemplate: {
        spec: { template: template('tick', { labels: { [KEEP_RUNNING_LABEL]: '' }, restartPolicy: 'Never' }) },
      },
    }),
  );
  const canary = await createCustomOwner(client, 'canary');
  const workloads = [
    object('apps/v1', 'Deployment', 'web', scaled('web', 3, { labels: { tier: 'front' } })),
    object('apps/v1', 'StatefulSet', 'db', { ...scaled('db', 2), serviceName: 'db' }),
    object('apps/v1', 'DaemonSet', 'agent', spec('agent', { ports: [{ containerPort: 9100, hostPort: 9100 }] })),
    object('apps/v1', 'DaemonSet', 'proxy', spec('proxy', { hostNetwork: true, ports: [{ containerPort: 10256 }] })),
    object('batch/v1', 'Job', 'crunch', {
      template: template('crunch', { labels: { [KEEP_RUNNING_LABEL]: '' }, restartPolicy: 'Never' }),
    }),
    object('batch/v1', 'Job', 'report', { completions: 2, template: template('report', { restartPolicy: 'Never' }) }),
    object('apps/v1', 'ReplicaSet', 'plain', scaled('plain', 2)),
    object('v1', 'ReplicationController', 'old', { replicas: 1, selector: { app: 'old' }, template: template('old') }),
    owned(object('apps/v1', 'ReplicaSet', 'canary-5f6d', scaled('canary', 2, { labels: { tier: 'front' } })), canary),
  ];
  const services = [
    service('web', {
      selector: { app: 'web' },
      ipFamilyPolicy: 'PreferDualStack',
      ports: [{ name: 'http', port: 80, targetPort: 'http' }],
    }),
    service('front', { selector: { tier: 'front' }, ports: [{ port: 80 }] }),
    service('db', { selector: { app: 'db' }, clusterIP: 'None', ports: [{ port: 5432 }] }),
    service('edge', { selector: { app: 'web' }, type: 'NodePort', ports: [{ port: 80, nodePort: 30080 }] }),
    service('public', {
      selector: { app: 'canary' },
      type: 'LoadBalancer',
      ports: [
        { name: 'https', port: 443, nodePort: 30443 },
        { name: 'quic', port: 443, protocol: 'UDP', nodePort: 30443 },
      ],
    }),
    service('legacy', {
      selector: { app: 'old' },
      externalIPs: ['203.0.113.200', '172.18.0.3'],
      ports: [{ port: 8080 }],
    }),
    service('alias', { type: 'ExternalName', externalName: 'example.org' }),
    service('idle', { selector: { app: 'nobody' }, ports: [{ port: 80 }] }),
    service('outside', { ports: [{ port: 3306 }] }),
    service('outside-too', { ports: [{ port: 3306 }] }),
    service('mirrored', { ports: [{ port: 389 }] }),
  ];
  const endpoints = [
    slice('outside', 'IPv4', ['198.51.100.10', '198.51.100.11']),
    slice('outside', 'IPv6', ['2001:db8:99::10']),
    slice('outside-too', 'IPv4', ['198.51.100.11']),
    {
      ...object('v1', 'Endpoints', 'mirrored'),
      subsets: [{ addresses: [{ ip: '198.51.100.20' }], ports: [{ port: 389 }] }],
    },
  ];
  for (const each of [...workloads, ...services, ...endpoints]) await client.apply(each);
  await client.patch(
    service('public', {}),
    {
      status: {
        loadBalancer: {
          ingress: [
            { ip: '203.0.113.90' },
            { ip: '203.0.113.91' },
            { ip: '172.18.0.4' },
            { hostname: 'lb.example.org' },
          ],
        },
      },
    },
    'status',
  );
  for (const pod of [
    barePod('solo', {}),
    barePod('host-a', { hostNetwork: true, nodeName: 'node-a', ports: [{ containerPort: 8081 }] }),
    barePod('host-b', {
      hostNetwork: true,
      nodeName: 'node-a',
      ports: [{ containerPort: 8082 }, { containerPort: 8082, protocol: 'UDP' }],
    }),
    barePod('host-silent', { hostNetwork: true, nodeName: 'node-b' }),
  ]) {
    await createPod(client, pod);
  }
}

/** Waits until every workload has exactly the pods that it should, running, and the slices know them. */
export async function untilSettled(client: ApiClient): Promise<void> {
  type PodObject = KubeObject & { readonly status: { readonly phase?: string }; readonly spec: object };
  type Slice = KubeObject & { readonly endpoints?: readonly object[] | null };
  await eventually(
    'the world is at rest',
    async () => {
      const pods = await client.list<PodObject>(`/api/v1/namespaces/${WORLD_NAMESPACE}/pods`);
      const running = (app: string): number =>
        pods.filter(
          (pod) =>
            pod.metadata.labels?.['app'] === app &&
            pod.status.phase === 'Running' &&
            !pod.metadata['deletionTimestamp'],
        ).length;
      const finished = pods.filter(
        (pod) => pod.metadata.labels?.['app'] === 'report' && pod.status.phase === 'Succeeded',
      ).length;
      const counts = Object.fromEntries(Object.keys(WORKLOADS).map((name) => [name, running(name)]));
      const slices = await client.list<Slice>(`/apis/discovery.k8s.io/v1/namespaces/${WORLD_NAMESPACE}/endpointslices`);
      const endpoints = (service: string): number =>
        slices
          .filter((each) => each.metadata.labels?.['kubernetes.io/service-name'] === service)
          .reduce((sum, each) => sum + (each.endpoints?.length ?? 0), 0);
      const seen = {
        counts,
        finished,
        total: pods.length,
        front: endpoints('front'),
        db: endpoints('db'),
        mirrored: endpoints('mirrored'),
      };
      const wanted = Object.values(WORKLOADS).reduce((sum, workload) => sum + workload.running, 0) + 2;
      const settled =
        Object.entries(WORKLOADS).every(([name, workload]) => counts[name] === workload.running) &&
        pods.length === wanted &&
        finished === 2 &&
        seen.front === 5 &&
        seen.db === 2 &&
        seen.mirrored === 1;
      return settled ? done(undefined) : notYet(seen);
    },
    { deadlineMs: 120_000, intervalMs: 250 },
  );
}

/** A pod without owner. */
export function barePod(
  name: string,
  options: {
    readonly hostNetwork?: boolean;
    readonly nodeName?: string;
    readonly ports?: readonly object[];
    readonly namespace?: string;
  },
): KubeObject {
  const { metadata, spec: podSpec } = template(name, options);
  const { namespace = WORLD_NAMESPACE, nodeName } = options;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { ...metadata, name, namespace },
    spec: { ...podSpec, ...(nodeName === undefined ? {} : { nodeSelector: { 'kubernetes.io/hostname': nodeName } }) },
  };
}

/** Creates a pod in a namespace that may be so new that its default ServiceAccount is not there yet. */
export async function createPod(client: ApiClient, pod: KubeObject): Promise<KubeObject> {
  return eventually(`pod ${pod.metadata.name} created`, async () => done(await client.create(pod)));
}

/** A service of the world's namespace. */
export function service(name: string, serviceSpec: object): KubeObject {
  return object('v1', 'Service', name, serviceSpec);
}

/** An object of the world's namespace; a Namespace has none. */
export function object(apiVersion: string, kind: string, name: string, objectSpec?: object): KubeObject {
  return {
    apiVersion,
    kind,
    metadata: {
      name,
      ...(kind === 'Namespace' ? {} : { namespace: WORLD_NAMESPACE }),
      labels: { app: name, 'test.digger/kind': kind },
    },
    ...(objectSpec === undefined ? {} : { spec: objectSpec }),
  };
}

/** `spec` of a Deployment or its like: selects `app=NAME`, a pod listens on `http`. */
export function scaled(
  app: string,
  replicas: number,
  options: TemplateOptions = {},
): { readonly replicas: number; readonly template: PodTemplate } {
  return { replicas, ...spec(app, options) };
}

type TemplateOptions = {
  readonly labels?: Readonly<Record<string, string>>;
  readonly restartPolicy?: string;
  readonly hostNetwork?: boolean;
  readonly ports?: readonly object[];
  readonly image?: string;
};

type PodTemplate = {
  readonly metadata: { readonly labels: Readonly<Record<string, string>>; readonly annotations: object };
  readonly spec: object;
};

function spec(
  app: string,
  options: TemplateOptions = {},
): { readonly selector: object; readonly template: PodTemplate } {
  return { selector: { matchLabels: { app } }, template: template(app, options) };
}

function template(app: string, options: TemplateOptions = {}): PodTemplate {
  const ports = options.ports ?? (options.hostNetwork ? [] : [{ name: 'http', containerPort: 8080 }]);
  return {
    metadata: {
      labels: { app, ...options.labels },
      annotations: {
        'example.dev/note': `belongs to ${app}`,
        // Larger than what digger keeps of one value.
        'example.dev/blob': 'x'.repeat(2_000),
      },
    },
    spec: {
      ...(options.hostNetwork ? { hostNetwork: true } : {}),
      ...(options.restartPolicy ? { restartPolicy: options.restartPolicy } : {}),
      terminationGracePeriodSeconds: 1,
      containers: [
        { name: 'main', image: options.image ?? `registry.example.dev/${app}:1`, ports },
        { name: 'side', image: 'registry.example.dev/side:1' },
      ],
    },
  };
}

function slice(serviceName: string, addressType: string, addresses: readonly string[]): KubeObject {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: `${serviceName}-${addressType.toLowerCase()}`,
      namespace: WORLD_NAMESPACE,
      labels: { 'kubernetes.io/service-name': serviceName, 'endpointslice.kubernetes.io/managed-by': 'by-hand' },
    },
    addressType,
    ports: [{ name: '', port: 3306, protocol: 'TCP' }],
    endpoints: addresses.map((address) => ({ addresses: [address] })),
  };
}

export function owned(child: KubeObject, owner: KubeObject): KubeObject {
  const { apiVersion, kind } = owner;
  const { name, uid } = owner.metadata;
  return {
    ...child,
    metadata: { ...child.metadata, ownerReferences: [{ apiVersion, kind, name, uid, controller: true }] },
  };
}

/** The definition of the custom kind, in the versions that are given. */
export function rolloutDefinition(
  versions: readonly { name: string; served: boolean; storage: boolean }[],
): KubeObject {
  const [group] = CUSTOM_API_VERSION.split('/');
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `rollouts.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { kind: 'Rollout', plural: 'rollouts', singular: 'rollout', listKind: 'RolloutList' },
      versions: versions.map((version) => ({ ...version, schema })),
    },
  };
}

/** Defines the custom kind and creates one object of it. */
export async function createCustomOwner(client: ApiClient, name: string): Promise<KubeObject> {
  await client.apply(rolloutDefinition([{ name: 'v1', served: true, storage: true }]));
  const rollout = object(CUSTOM_API_VERSION, 'Rollout', name);
  return eventually('the custom kind is served', async () => done((await client.apply(rollout)).body));
}
