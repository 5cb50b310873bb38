// Many realistic objects at once, for benchmarks: pods of 4 to 6 kB as JSON, with nodes, owners, services and slices.
//
// Deterministic: the same numbers make the same objects but for uids and times, which the cluster assigns. Addresses
// are distinct up to 4 million pods. About half of a pod is managedFields, as on a real API server.

import type { Cluster } from '../../src/simulator/server/cluster.ts';
import type { KubernetesObject, OwnerReference } from '../../src/simulator/server/stored-objects.ts';

export interface FillOptions {
  readonly pods: number;
  /** Default: one for each 100 pods, at least one. */
  readonly nodes?: number;
  /** Default: 20. Each has its ReplicaSet, Deployment, Service and EndpointSlices. */
  readonly podsPerWorkload?: number;
  /** Namespaces over which the workloads are spread. Default: 20. */
  readonly namespaces?: number;
}

export interface FillResult {
  readonly pods: number;
  readonly nodes: number;
  readonly workloads: number;
}

/** Addresses of the pods, services and nodes that `fill` makes, by index. */
export function fillPodIp(index: number): string {
  return ipv4(10, 64 + (index >> 16), index & 0xffff);
}

export function fillClusterIp(workload: number): string {
  return ipv4(172, 24 + (workload >> 16), workload & 0xffff);
}

export function fillNodeIp(index: number): string {
  return ipv4(192, 168 + (index >> 16), index & 0xffff);
}

/** Synchronous: some 30 µs a pod. Throws when the cluster holds such objects already. */
export function fill(cluster: Cluster, options: FillOptions): FillResult {
  const nodes = options.nodes ?? Math.max(1, Math.ceil(options.pods / 100));
  const perWorkload = options.podsPerWorkload ?? 20;
  const namespaces = options.namespaces ?? 20;
  for (let index = 0; index < nodes; index++) {
    cluster.create('nodes', toNode(index));
  }
  const workloads = Math.ceil(options.pods / perWorkload);
  for (let workload = 0; workload < workloads; workload++) {
    const first = workload * perWorkload;
    const count = Math.min(perWorkload, options.pods - first);
    fillWorkload(cluster, workload, `ns-${workload % namespaces}`, first, count, nodes);
  }
  return { pods: options.pods, nodes, workloads };
}

function fillWorkload(
  cluster: Cluster,
  workload: number,
  namespace: string,
  first: number,
  count: number,
  nodes: number,
): void {
  const name = `app-${workload}`;
  const labels = { 'app.kubernetes.io/name': name, 'app.kubernetes.io/instance': name, tier: 'backend' };
  const spec = { replicas: count, selector: { matchLabels: labels } };
  const deployment = cluster.create('deployments.apps', { metadata: { name, namespace, labels }, spec });
  const replicaSet = cluster.create('replicasets.apps', {
    metadata: {
      name: `${name}-7d4b9c6f58`,
      namespace,
      labels,
      ownerReferences: [ownerReference('apps/v1', 'Deployment', name, deployment.metadata.uid)],
    },
    spec,
  });
  const owner = ownerReference('apps/v1', 'ReplicaSet', replicaSet.metadata.name, replicaSet.metadata.uid);
  const endpoints: object[] = [];
  for (let index = first; index < first + count; index++) {
    const podName = `${replicaSet.metadata.name}-${index.toString(36).padStart(5, '0')}`;
    const pod = cluster.create('pods', toPod(index, podName, namespace, labels, owner, index % nodes));
    endpoints.push({
      addresses: [fillPodIp(index)],
      conditions: { ready: true, serving: true, terminating: false },
      nodeName: `node-${index % nodes}`,
      targetRef: { kind: 'Pod', namespace, name: podName, uid: pod.metadata.uid },
    });
  }
  const ports = [{ name: 'http', port: 80, targetPort: 'http', protocol: 'TCP' }];
  const clusterIP = fillClusterIp(workload);
  const service = cluster.create('services', {
    metadata: { name, namespace, labels },
    spec: { type: 'ClusterIP', clusterIP, clusterIPs: [clusterIP], selector: labels, ports },
    status: { loadBalancer: {} },
  });
  // 100 endpoints to a slice, as the controller's default.
  for (let start = 0; start < endpoints.length; start += 100) {
    cluster.create('endpointslices', {
      metadata: {
        name: `${name}-${start / 100}`,
        namespace,
        labels: { 'kubernetes.io/service-name': name },
        ownerReferences: [ownerReference('v1', 'Service', name, service.metadata.uid)],
      },
      addressType: 'IPv4',
      endpoints: endpoints.slice(start, start + 100),
      ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
    });
  }
}

function toNode(index: number): KubernetesObject {
  const address = fillNodeIp(index);
  return {
    metadata: { name: `node-${index}`, labels: { 'kubernetes.io/hostname': `node-${index}` } },
    spec: {},
    status: { addresses: [{ type: 'InternalIP', address }] },
  };
}

function toPod(
  index: number,
  name: string,
  namespace: string,
  labels: Readonly<Record<string, string>>,
  owner: OwnerReference,
  node: number,
): KubernetesObject {
  const ip = fillPodIp(index);
  const hostIP = fillNodeIp(node);
  const at = '2026-01-01T00:00:00Z';
  const containers = ['main', 'proxy'];
  return {
    metadata: {
      name,
      generateName: `${owner.name}-`,
      namespace,
      labels: { ...labels, 'pod-template-hash': '7d4b9c6f58' },
      annotations: { 'example.com/config-hash': 'd41d8cd98f00b204e9800998ecf8427e', 'example.com/scrape': 'true' },
      ownerReferences: [owner],
      managedFields: MANAGED_FIELDS,
    },
    spec: {
      volumes: [
        { name: 'token', projected: { defaultMode: 420, sources: [{ serviceAccountToken: { path: 'token' } }] } },
      ],
      containers: containers.map((container, position) => ({
        name: container,
        image: `registry.example.com/${namespace}/${container}:1.2.3`,
        ports: [{ name: position === 0 ? 'http' : 'admin', containerPort: 8080 + position, protocol: 'TCP' }],
        env: Array.from({ length: 4 }, (_, variable) => ({ name: `SETTING_${variable}`, value: `value-${variable}` })),
        resources: { limits: { cpu: '1', memory: '512Mi' }, requests: { cpu: '100m', memory: '128Mi' } },
        volumeMounts: [{ name: 'token', readOnly: true, mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' }],
        readinessProbe: { httpGet: { path: '/healthz', port: 8080, scheme: 'HTTP' }, periodSeconds: 10 },
        terminationMessagePath: '/dev/termination-log',
        imagePullPolicy: 'IfNotPresent',
      })),
      restartPolicy: 'Always',
      terminationGracePeriodSeconds: 30,
      dnsPolicy: 'ClusterFirst',
      serviceAccountName: 'default',
      nodeName: `node-${node}`,
      schedulerName: 'default-scheduler',
      tolerations: [{ key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute' }],
    },
    status: {
      phase: 'Running',
      conditions: ['PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady', 'PodScheduled'].map(
        (type) => ({
          type,
          status: 'True',
          lastProbeTime: null,
          lastTransitionTime: at,
        }),
      ),
      hostIP,
      hostIPs: [{ ip: hostIP }],
      podIP: ip,
      podIPs: [{ ip }],
      startTime: at,
      containerStatuses: containers.map((container) => ({
        name: container,
        state: { running: { startedAt: at } },
        ready: true,
        restartCount: 0,
        image: `registry.example.com/${namespace}/${container}:1.2.3`,
        imageID: `registry.example.com/${namespace}/${container}@sha256:${'0'.repeat(64)}`,
        containerID: `containerd://${index.toString(16).padStart(64, '0')}`,
        started: true,
      })),
      qosClass: 'Burstable',
    },
  };
}

/** What server-side apply remembers of a ReplicaSet's pod: the controller's fields and the kubelet's. */
const MANAGED_FIELDS = ['kube-controller-manager', 'kubelet'].map((manager) => ({
  manager,
  operation: 'Update',
  apiVersion: 'v1',
  time: '2026-01-01T00:00:00Z',
  fieldsType: 'FieldsV1',
  fieldsV1: Object.fromEntries(
    Array.from({ length: 9 }, (_, index) => [
      `f:field-${manager}-${index}`,
      { 'f:enabled': {}, 'f:resources': { 'f:limits': { 'f:memory': {} } } },
    ]),
  ),
}));

function ownerReference(apiVersion: string, kind: string, name: string, uid: string): OwnerReference {
  return { apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true };
}

function ipv4(first: number, second: number, rest: number): string {
  return `${first}.${second}.${rest >> 8}.${rest & 0xff}`;
}
