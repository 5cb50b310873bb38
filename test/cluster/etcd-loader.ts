// Fills storage with many objects before an API server starts on it: thousands of writes per second where the API
// takes hundreds.
//
// What it writes is what a cluster of that size has: pods of 4–6 kB (half of it managedFields, as on real clusters) of
// Deployments with a ReplicaSet each, spread over nodes of a hundred pods. JSON, which the API server decodes from
// storage as well as its own protobuf, so that nothing here needs to know field numbers. Leave the controllers out:
// they would start to repair what is written here.
import { createHash } from 'node:crypto';

/** What was written. */
export type Loaded = {
  readonly pods: number;
  readonly nodes: number;
  readonly deployments: number;
  /** Bytes of the pods in storage. */
  readonly podBytes: number;
};

/** Pods of one Deployment. */
const PODS_PER_DEPLOYMENT = 20;

/** Pods of one node; kubelets stop at 110 by default. */
const PODS_PER_NODE = 100;

/** etcd takes at most 128 operations in a transaction. */
const OPERATIONS = 100;

const CREATED = '2026-01-01T00:00:00Z';

/** Writes `pods` running pods with their owners and nodes. Deterministic: the same call writes the same bytes. */
export async function loadPods(etcdUrl: string, pods: number): Promise<Loaded> {
  const batch: Put[] = [];
  let podBytes = 0;
  const put = async (key: string, object: object): Promise<number> => {
    const value = Buffer.from(JSON.stringify(object));
    batch.push({
      requestPut: { key: Buffer.from(`/registry/${key}`).toString('base64'), value: value.toString('base64') },
    });
    if (batch.length === OPERATIONS) await flush(etcdUrl, batch.splice(0));
    return value.length;
  };
  const nodes = Math.ceil(pods / PODS_PER_NODE);
  for (let index = 0; index < nodes; index++) await put(`minions/${nodeName(index)}`, node(index));
  const deployments = Math.ceil(pods / PODS_PER_DEPLOYMENT);
  for (let index = 0; index < deployments; index++) {
    const owner = deploymentName(index);
    await put(`deployments/${namespaceOf(index)}/${owner}`, scalable('Deployment', owner, index));
    await put(`replicasets/${namespaceOf(index)}/${owner}-6d4b8c`, scalable('ReplicaSet', `${owner}-6d4b8c`, index));
  }
  for (let index = 0; index < pods; index++) {
    const object = pod(index);
    podBytes += await put(`pods/${object.metadata.namespace}/${object.metadata.name}`, object);
  }
  if (batch.length > 0) await flush(etcdUrl, batch);
  return { pods, nodes, deployments, podBytes };
}

/** The address of the pod with this index. */
export function podAddress(index: number): string {
  return `10.${64 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`;
}

type Put = { readonly requestPut: { readonly key: string; readonly value: string } };

async function flush(etcdUrl: string, puts: readonly Put[]): Promise<void> {
  const answer = await fetch(`${etcdUrl}/v3/kv/txn`, { method: 'POST', body: JSON.stringify({ success: puts }) });
  if (!answer.ok) throw new Error(`etcd txn: ${answer.status} ${await answer.text()}`);
  await answer.arrayBuffer();
}

function node(index: number): object {
  const name = nodeName(index);
  const labels = {
    'kubernetes.io/hostname': name,
    'kubernetes.io/os': 'linux',
    'kubernetes.io/arch': 'amd64',
    'topology.kubernetes.io/zone': `zone-${index % 3}`,
    'topology.kubernetes.io/region': 'region-1',
  };
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, uid: uid(name), creationTimestamp: CREATED, labels },
    spec: {},
    status: {
      addresses: [
        { type: 'InternalIP', address: nodeAddress(index) },
        { type: 'Hostname', address: name },
      ],
    },
  };
}

function scalable(kind: string, name: string, index: number): object {
  const labels = labelsOf(index);
  const owner = deploymentName(index);
  const controller = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    name: owner,
    uid: uid(`Deployment ${owner}`),
    controller: true,
  };
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata: {
      name,
      namespace: namespaceOf(index),
      uid: uid(`${kind} ${name}`),
      creationTimestamp: CREATED,
      labels,
      ...(kind === 'ReplicaSet' ? { ownerReferences: [controller] } : {}),
    },
    spec: {
      replicas: PODS_PER_DEPLOYMENT,
      selector: { matchLabels: { app: labels.app } },
      template: { metadata: { labels }, spec: podSpec(index) },
    },
    status: {},
  };
}

function pod(index: number) {
  const deployment = Math.floor(index / PODS_PER_DEPLOYMENT);
  const owner = `${deploymentName(deployment)}-6d4b8c`;
  const name = `${owner}-${index.toString(36).padStart(5, '0')}`;
  const ip = podAddress(index);
  const hostIp = nodeAddress(Math.floor(index / PODS_PER_NODE));
  const condition = (type: string): object => ({ type, status: 'True', lastTransitionTime: CREATED });
  const containers = ['main', 'sidecar'];
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      generateName: `${owner}-`,
      namespace: namespaceOf(deployment),
      uid: uid(`Pod ${name}`),
      creationTimestamp: CREATED,
      labels: { ...labelsOf(deployment), 'pod-template-hash': '6d4b8c' },
      annotations: {
        'prometheus.io/scrape': 'true',
        'prometheus.io/port': '9090',
        'example.dev/config-checksum': createHash('sha256').update(owner).digest('hex'),
      },
      ownerReferences: [
        {
          apiVersion: 'apps/v1',
          kind: 'ReplicaSet',
          name: owner,
          uid: uid(`ReplicaSet ${owner}`),
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
      managedFields: managedFields(),
    },
    spec: { ...podSpec(deployment), nodeName: nodeName(Math.floor(index / PODS_PER_NODE)) },
    status: {
      phase: 'Running',
      startTime: CREATED,
      podIP: ip,
      podIPs: [{ ip }],
      hostIP: hostIp,
      hostIPs: [{ ip: hostIp }],
      qosClass: 'Burstable',
      conditions: ['PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady', 'PodScheduled'].map(
        condition,
      ),
      containerStatuses: containers.map((container) => ({
        name: container,
        image: image(deployment, container),
        imageID: `${image(deployment, container)}@sha256:${createHash('sha256').update(container).digest('hex')}`,
        containerID: `containerd://${createHash('sha256').update(`${name} ${container}`).digest('hex')}`,
        ready: true,
        started: true,
        restartCount: 0,
        state: { running: { startedAt: CREATED } },
      })),
    },
  };
}

function podSpec(deployment: number): object {
  const container = (name: string, port: number): object => ({
    name,
    image: image(deployment, name),
    imagePullPolicy: 'IfNotPresent',
    ports: [{ name: 'http', containerPort: port, protocol: 'TCP' }],
    env: ['LOG_LEVEL', 'REGION', 'FEATURES'].map((variable) => ({ name: variable, value: `value of ${variable}` })),
    resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { memory: '256Mi' } },
    livenessProbe: {
      httpGet: { path: '/healthz', port, scheme: 'HTTP' },
      timeoutSeconds: 1,
      periodSeconds: 10,
      successThreshold: 1,
      failureThreshold: 3,
    },
    volumeMounts: [{ name: 'token', mountPath: '/var/run/secrets/kubernetes.io/serviceaccount', readOnly: true }],
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
  });
  return {
    restartPolicy: 'Always',
    dnsPolicy: 'ClusterFirst',
    schedulerName: 'default-scheduler',
    serviceAccountName: 'default',
    terminationGracePeriodSeconds: 30,
    securityContext: {},
    containers: [container('main', 8080), container('sidecar', 9090)],
    volumes: [
      {
        name: 'token',
        projected: { defaultMode: 420, sources: [{ serviceAccountToken: { expirationSeconds: 3607, path: 'token' } }] },
      },
    ],
    tolerations: ['not-ready', 'unreachable'].map((taint) => ({
      key: `node.kubernetes.io/${taint}`,
      operator: 'Exists',
      effect: 'NoExecute',
      tolerationSeconds: 300,
    })),
  };
}

/** Who set which field: a controller the spec, a kubelet the status. As long as on real pods, and never read. */
function managedFields(): readonly object[] {
  const fields = (names: readonly string[], inner: object): object =>
    Object.fromEntries(names.map((name) => [`f:${name}`, inner]));
  const container = fields(
    [
      'image',
      'imagePullPolicy',
      'name',
      'env',
      'livenessProbe',
      'ports',
      'resources',
      'terminationMessagePath',
      'terminationMessagePolicy',
      'volumeMounts',
    ],
    {},
  );
  const condition = {
    '.': {},
    ...fields(['lastProbeTime', 'lastTransitionTime', 'observedGeneration', 'status', 'type'], {}),
  };
  const entry = (manager: string, fieldsV1: object, subresource?: string): object => ({
    manager,
    operation: 'Update',
    apiVersion: 'v1',
    time: CREATED,
    fieldsType: 'FieldsV1',
    fieldsV1,
    ...(subresource === undefined ? {} : { subresource }),
  });
  return [
    entry('kube-controller-manager', {
      'f:metadata': { ...fields(['annotations', 'generateName', 'labels'], {}), 'f:ownerReferences': { '.': {} } },
      'f:spec': {
        'f:containers': Object.fromEntries(['main', 'sidecar'].map((name) => [`k:{"name":"${name}"}`, container])),
        ...fields(
          [
            'dnsPolicy',
            'enableServiceLinks',
            'restartPolicy',
            'schedulerName',
            'securityContext',
            'terminationGracePeriodSeconds',
          ],
          {},
        ),
      },
    }),
    entry(
      'kubelet',
      {
        'f:status': {
          'f:conditions': Object.fromEntries(
            ['PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady'].map((type) => [
              `k:{"type":"${type}"}`,
              condition,
            ]),
          ),
          ...fields(['containerStatuses', 'hostIP', 'hostIPs', 'phase', 'podIP', 'podIPs', 'startTime'], {}),
        },
      },
      'status',
    ),
  ];
}

function labelsOf(deployment: number): { readonly app: string } & Record<string, string> {
  const app = deploymentName(deployment);
  return {
    app,
    'app.kubernetes.io/name': app,
    'app.kubernetes.io/part-of': `product-${deployment % 40}`,
    'example.dev/team': `team-${deployment % 25}`,
  };
}

function image(deployment: number, container: string): string {
  return `registry.example.dev/${deploymentName(deployment)}/${container}:v1.${deployment % 7}.0`;
}

function deploymentName(index: number): string {
  return `service-${String(index).padStart(5, '0')}`;
}

function namespaceOf(deployment: number): string {
  return `team-${deployment % 25}`;
}

function nodeName(index: number): string {
  return `node-${String(index).padStart(4, '0')}`;
}

function nodeAddress(index: number): string {
  return `172.20.${index >> 8}.${index & 255}`;
}

function uid(of: string): string {
  const hex = createHash('sha256').update(of).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `a${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  );
}
