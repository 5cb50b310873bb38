// What runs in the demo cluster: some two dozen workloads of every kind, and the services in front of them.
//
// Data only. Addresses that a demo prints are fixed here; see `DEMO_ADDRESSES`. The quiet workloads (`quiet: true`) are
// never scaled, rolled out or restarted, so that what is printed about them holds for as long as the demo runs.

import type { DemoPort, PodTemplate } from './pods.ts';
import type { DemoService } from './services.ts';

export interface DemoWorkload {
  readonly kind:
    | 'Deployment'
    | 'StatefulSet'
    | 'DaemonSet'
    | 'Job'
    | 'CronJob'
    | 'Pod'
    | 'ReplicaSet'
    | 'ReplicationController'
    /** Custom kind in argoproj.io that owns ReplicaSets. */
    | 'Rollout'
    /** Bare pod whose controller is its node, as for a static pod. */
    | 'StaticPod';
  readonly namespace: string;
  readonly name: string;
  /** Of a Job: pods to completion. Ignored for DaemonSets and single pods. */
  readonly replicas: number;
  readonly template: PodTemplate;
  readonly quiet: boolean;
}

/** True from the moment when the demo cluster has been created until its end. */
export const DEMO_ADDRESSES = {
  /** ClusterIP of `shop/frontend`, TCP 80. */
  frontendClusterIp: '10.96.20.10',
  /** Both families of `payments/api`, TCP 443. */
  paymentsClusterIps: ['10.96.30.10', 'fd00:10:96::30:10'],
  /** LoadBalancer address of `payments/api`. */
  paymentsLoadBalancerIp: '203.0.113.10',
  /** NodePort of `shop/frontend` on every node. */
  frontendNodePort: 30_080,
  /** `worker-1`. */
  nodeIp: '172.18.0.3',
  /** Cluster DNS, UDP and TCP 53. */
  dnsClusterIp: '10.96.0.10',
  /** Endpoint without a pod behind `shop/warehouse-db`. */
  warehouseAddress: '192.0.2.50',
} as const;

/** With the labels that teams put on them. */
export const DEMO_NAMESPACES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'kube-system': {},
  shop: { env: 'prod', team: 'storefront' },
  payments: { env: 'prod', team: 'money', 'pci-scope': 'in' },
  media: { env: 'prod', team: 'storefront' },
  monitoring: { env: 'prod', team: 'platform' },
  batch: { env: 'test', team: 'platform' },
};

export const DEMO_WORKLOADS: readonly DemoWorkload[] = [
  // The first pods get the first addresses; keep quiet ones on top.
  quiet('StatefulSet', 'shop', 'cart-redis', 2, pod('cart-redis', 'redis:7.4', [port('redis', 6379)])),
  quiet('StatefulSet', 'payments', 'ledger', 2, pod('ledger', 'postgres:17', [port('postgres', 5432)])),
  quiet('Deployment', 'kube-system', 'coredns', 2, {
    ...pod('coredns', 'coredns:1.12', [port('dns', 53, 'UDP'), port('dns-tcp', 53), port('metrics', 9153)]),
    labels: { 'k8s-app': 'kube-dns', 'app.kubernetes.io/name': 'coredns' },
  }),
  quiet(
    'DaemonSet',
    'kube-system',
    'kube-proxy',
    0,
    host('kube-proxy', 'kube-proxy:v1.37.2', [port('metrics', 10249)]),
  ),
  quiet('StaticPod', 'kube-system', 'etcd-control-plane', 1, host('etcd', 'etcd:3.7.0', [port('client', 2379)])),
  quiet(
    'DaemonSet',
    'monitoring',
    'node-exporter',
    0,
    host('node-exporter', 'node-exporter:1.9', [port('http', 9100)]),
  ),
  quiet('DaemonSet', 'kube-system', 'ingress-nginx', 0, {
    ...pod('ingress-nginx', 'ingress-nginx:1.13', []),
    ports: [
      { name: 'http', containerPort: 80, hostPort: 80 },
      { name: 'https', containerPort: 443, hostPort: 443 },
    ],
  }),
  quiet('Pod', 'shop', 'debug-shell', 1, pod('debug-shell', 'busybox:1.37', [])),
  lively('Deployment', 'shop', 'frontend', 3, pod('frontend', 'shop/frontend:1', [port('http', 8080)])),
  lively('Deployment', 'shop', 'catalog', 3, {
    ...pod('catalog', 'shop/catalog:1', [port('grpc', 9090)]),
    sidecar: { name: 'mesh-proxy', image: 'mesh/proxy:3', ports: [port('mesh-metrics', 15020)] },
  }),
  lively(
    'Deployment',
    'shop',
    'recommendations',
    2,
    pod('recommendations', 'shop/recommendations:1', [port('http', 8080)]),
  ),
  lively('Rollout', 'shop', 'checkout', 2, pod('checkout', 'shop/checkout:1', [port('http', 8080)])),
  lively('StatefulSet', 'shop', 'search', 3, pod('search', 'opensearch:3', [port('http', 9200)])),
  lively(
    'ReplicationController',
    'shop',
    'legacy-inventory',
    2,
    pod('legacy-inventory', 'shop/inventory:0.9', [port('http', 8000)]),
  ),
  lively('Deployment', 'payments', 'api', 3, {
    ...pod('api', 'payments/api:1', [port('https', 8443)]),
    dualStack: true,
  }),
  lively('Deployment', 'payments', 'fraud-scorer', 2, pod('fraud-scorer', 'payments/fraud:1', [port('grpc', 9090)])),
  lively('CronJob', 'payments', 'settlement', 1, pod('settlement', 'payments/settlement:1', [])),
  lively('Deployment', 'media', 'transcoder', 2, pod('transcoder', 'media/transcoder:1', [port('http', 8080)])),
  lively('Deployment', 'media', 'ingest', 1, pod('ingest', 'media/ingest:1', [port('rtmp', 1935)])),
  lively('ReplicaSet', 'media', 'thumbnailer', 2, pod('thumbnailer', 'media/thumbnailer:1', [port('http', 8080)])),
  lively('Job', 'media', 'render', 2, pod('render', 'media/render:1', [])),
  lively('StatefulSet', 'monitoring', 'prometheus', 1, pod('prometheus', 'prometheus:v3', [port('http', 9090)])),
  lively('Deployment', 'monitoring', 'grafana', 1, pod('grafana', 'grafana:12', [port('http', 3000)])),
  lively('DaemonSet', 'monitoring', 'log-agent', 0, {
    ...pod('log-agent', 'fluent-bit:4', []),
    ports: [{ name: 'forward', containerPort: 24224, hostPort: 24224 }],
  }),
  lively('CronJob', 'batch', 'report', 2, pod('report', 'batch/report:1', [])),
  lively('Job', 'batch', 'import', 1, pod('import', 'batch/import:1', [])),
];

export const DEMO_SERVICES: readonly DemoService[] = [
  {
    ...service(
      'shop',
      'frontend',
      [DEMO_ADDRESSES.frontendClusterIp],
      80,
      'http',
      8080,
      DEMO_ADDRESSES.frontendNodePort,
    ),
    type: 'NodePort',
  },
  service('shop', 'catalog', ['10.96.20.11'], 9090, 'grpc', 9090),
  service('shop', 'recommendations', ['10.96.20.12'], 80, 'http', 8080),
  service('shop', 'checkout', ['10.96.20.13'], 80, 'http', 8080),
  service('shop', 'cart-redis', ['None'], 6379, 'redis', 6379),
  service('shop', 'search', ['10.96.20.14'], 9200, 'http', 9200),
  service('shop', 'search-headless', ['None'], 9200, 'http', 9200, undefined, 'search'),
  service('shop', 'legacy-inventory', ['10.96.20.15'], 8000, 'http', 8000),
  {
    namespace: 'shop',
    name: 'warehouse-db',
    type: 'ClusterIP',
    clusterIps: ['10.96.20.16'],
    ports: [{ name: 'postgres', port: 5432, targetPort: 5432, containerPort: 5432 }],
    manualAddresses: [DEMO_ADDRESSES.warehouseAddress],
  },
  {
    ...service('payments', 'api', DEMO_ADDRESSES.paymentsClusterIps, 443, 'https', 8443, 31_443),
    type: 'LoadBalancer',
    loadBalancerIps: [DEMO_ADDRESSES.paymentsLoadBalancerIp],
  },
  service('payments', 'ledger', ['None'], 5432, 'postgres', 5432),
  service('payments', 'fraud-scorer', ['10.96.30.11'], 9090, 'grpc', 9090),
  { ...service('media', 'ingest', ['10.96.40.10'], 1935, 'rtmp', 1935), externalIps: ['198.51.100.7'] },
  service('media', 'transcoder', ['10.96.40.11'], 80, 'http', 8080),
  service('media', 'thumbnailer', ['10.96.40.12'], 80, 'http', 8080),
  service('monitoring', 'prometheus', ['10.96.50.10'], 9090, 'http', 9090),
  service('monitoring', 'grafana', ['10.96.50.11'], 80, 'http', 3000, 30_300),
  {
    namespace: 'kube-system',
    name: 'kube-dns',
    type: 'ClusterIP',
    clusterIps: [DEMO_ADDRESSES.dnsClusterIp],
    ports: [
      { name: 'dns', port: 53, targetPort: 53, containerPort: 53, protocol: 'UDP' },
      { name: 'dns-tcp', port: 53, targetPort: 53, containerPort: 53 },
    ],
    selector: { 'k8s-app': 'kube-dns' },
  },
];

function quiet(
  kind: DemoWorkload['kind'],
  namespace: string,
  name: string,
  replicas: number,
  template: PodTemplate,
): DemoWorkload {
  return { kind, namespace, name, replicas, template, quiet: true };
}

function lively(
  kind: DemoWorkload['kind'],
  namespace: string,
  name: string,
  replicas: number,
  template: PodTemplate,
): DemoWorkload {
  return { kind, namespace, name, replicas, template, quiet: false };
}

function pod(name: string, image: string, ports: readonly DemoPort[]): PodTemplate {
  const labels = { 'app.kubernetes.io/name': name, 'app.kubernetes.io/part-of': 'demo' };
  return {
    labels,
    annotations: { 'demo.example.com/config-hash': '7c9f' },
    image: `registry.example.com/${image}`,
    ports,
  };
}

function host(name: string, image: string, ports: readonly DemoPort[]): PodTemplate {
  return { ...pod(name, image, ports), hostNetwork: true };
}

function port(name: string, containerPort: number, protocol: 'TCP' | 'UDP' = 'TCP'): DemoPort {
  return { name, containerPort, protocol };
}

function service(
  namespace: string,
  name: string,
  clusterIps: readonly string[],
  servicePort: number,
  targetPort: string,
  containerPort: number,
  nodePort?: number,
  selects = name,
): DemoService {
  const ports = [
    { name: targetPort, port: servicePort, targetPort, containerPort, ...(nodePort === undefined ? {} : { nodePort }) },
  ];
  const type = nodePort === undefined ? 'ClusterIP' : 'NodePort';
  return { namespace, name, type, clusterIps, ports, selector: { 'app.kubernetes.io/name': selects } };
}
