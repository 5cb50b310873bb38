// Decoding one listed pod: ours (protobuf and JSON) beside JSON.parse and @kubernetes/client-node, in the same run.
//
// The pods are made here, of 4–6 kB as a cluster lists them, managedFields included, encoded with a schema that has
// the skipped fields as opaque bytes. Rates depend on the machine; what counts are the ratios, which it prints last.

import { ObjectSerializer } from '@kubernetes/client-node/dist/gen/models/ObjectSerializer.js';
import protobuf from 'protobufjs';
import { createListBody, type Encoding } from '../../src/kube/decoding/list-body.ts';
import { kubernetesType } from '../../src/kube/decoding/kubernetes-schema.ts';
import { podDecoder } from '../../src/kube/decoding/record-decoder.ts';

const PODS = 500;
const MIN_RUN_MS = process.argv.includes('--short') ? 500 : 1_500;
/** How a socket hands a body over. */
const CHUNK_BYTES = 64 * 1024;

type Json = Record<string, unknown>;

function createPod(index: number): Json {
  const workload = `checkout-${index % 20}`;
  const time = '2026-11-20T08:00:00Z';
  const managed = (manager: string, fields: number) => ({
    manager,
    operation: 'Update',
    apiVersion: 'v1',
    time,
    fieldsType: 'FieldsV1',
    fieldsV1: {
      'f:spec': Object.fromEntries(
        Array.from({ length: fields }, (_, field) => [`k:{"name":"field-${field}"}`, { '.': {}, 'f:value': {} }]),
      ),
    },
  });
  const container = (name: string) => ({
    name,
    image: `registry.example.com/shop/${name}:v1.${index % 7}.0`,
    ports: [{ name: 'http', containerPort: 8080, protocol: 'TCP' }],
    env: Array.from({ length: 5 }, (_, i) => ({ name: `SETTING_${i}`, value: `value-${i}` })),
    resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { memory: '256Mi' } },
    volumeMounts: [
      { name: 'kube-api-access', readOnly: true, mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' },
    ],
    readinessProbe: { httpGet: { path: '/healthz', port: 8080, scheme: 'HTTP' }, timeoutSeconds: 1, periodSeconds: 10 },
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
    securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
    imagePullPolicy: 'IfNotPresent',
  });
  const containerStatus = (name: string) => ({
    name,
    state: { running: { startedAt: time } },
    ready: true,
    restartCount: 0,
    image: `registry.example.com/shop/${name}:v1.${index % 7}.0`,
    imageID: `registry.example.com/shop/${name}@sha256:${'0123456789abcdef'.repeat(4)}`,
    containerID: `containerd://${index.toString(16).padStart(64, '0')}`,
  });
  const condition = (type: string) => ({ type, status: 'True', lastTransitionTime: time });
  return {
    metadata: {
      name: `${workload}-5d8c7b9f6d-${index.toString(36).padStart(5, '0')}`,
      generateName: `${workload}-5d8c7b9f6d-`,
      namespace: `team-${index % 10}`,
      uid: `00000000-0000-4000-8000-${index.toString(16).padStart(12, '0')}`,
      resourceVersion: String(1_000_000 + index),
      creationTimestamp: time,
      labels: {
        app: workload,
        'app.kubernetes.io/name': workload,
        'app.kubernetes.io/part-of': 'shop',
        'pod-template-hash': '5d8c7b9f6d',
      },
      annotations: { 'prometheus.io/scrape': 'true', 'prometheus.io/port': '9090' },
      ownerReferences: [
        {
          apiVersion: 'apps/v1',
          kind: 'ReplicaSet',
          name: `${workload}-5d8c7b9f6d`,
          uid: `00000000-0000-4000-9000-${(index % 20).toString(16).padStart(12, '0')}`,
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
      managedFields: [managed('kube-controller-manager', 10), managed('kubelet', 10)],
    },
    spec: {
      nodeName: `node-${index % 50}`,
      containers: [container('app'), container('proxy')],
      restartPolicy: 'Always',
      serviceAccountName: 'default',
      volumes: [
        {
          name: 'kube-api-access',
          projected: {
            defaultMode: 420,
            sources: [
              { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
              { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
              {
                downwardAPI: {
                  items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }],
                },
              },
            ],
          },
        },
      ],
      // What admission adds to every pod.
      tolerations: ['not-ready', 'unreachable'].map((condition) => ({
        key: `node.kubernetes.io/${condition}`,
        operator: 'Exists',
        effect: 'NoExecute',
        tolerationSeconds: 300,
      })),
    },
    status: {
      phase: 'Running',
      conditions: ['PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady', 'PodScheduled'].map(
        condition,
      ),
      hostIP: `10.0.0.${index % 50}`,
      hostIPs: [{ ip: `10.0.0.${index % 50}` }],
      podIP: `10.128.${index % 256}.${(index * 7) % 256}`,
      podIPs: [{ ip: `10.128.${index % 256}.${(index * 7) % 256}` }],
      startTime: time,
      containerStatuses: [containerStatus('app'), containerStatus('proxy')],
    },
  };
}

/** A protobuf pod of the size that an API server sends: what digger does not read comes as fields unknown to it. */
function encodePod(pod: Json): Buffer {
  const { metadata, spec, status } = JSON.parse(JSON.stringify(pod)) as Record<string, Json>;
  if (metadata === undefined || spec === undefined || status === undefined) throw new Error('incomplete pod');
  const toTime = (text: unknown) => ({ seconds: Date.parse(String(text)) / 1000, nanos: 0 });
  const padding = (field: number, bytes: Buffer) =>
    protobuf.Writer.create()
      .uint32((field << 3) | 2)
      .bytes(bytes)
      .finish();
  const managed = Buffer.concat(
    (metadata['managedFields'] as Json[]).map((entry) => padding(17, Buffer.from(JSON.stringify(entry)))),
  );
  const metaBytes = kubernetesType('ObjectMeta')
    .encode({ ...metadata, creationTimestamp: toTime(metadata['creationTimestamp']) })
    .finish();
  const containers = (spec['containers'] as Json[]).map((container) => {
    const known = kubernetesType('Container').encode(container).finish();
    const env = (container['env'] as { name: string; value: string }[]).map(({ name, value }) =>
      padding(7, Buffer.concat([padding(1, Buffer.from(name)), padding(2, Buffer.from(value))])),
    );
    return padding(
      2,
      Buffer.concat([
        known,
        ...env,
        padding(8, Buffer.alloc(60)),
        padding(9, Buffer.alloc(80)),
        padding(11, Buffer.alloc(40)),
      ]),
    );
  });
  const specBytes = Buffer.concat([
    ...containers,
    kubernetesType('PodSpec').encode({ nodeName: spec['nodeName'] }).finish(),
  ]);
  const conditions = (status['conditions'] as Json[]).map((entry) => ({
    ...entry,
    lastTransitionTime: toTime(entry['lastTransitionTime']),
  }));
  const statusKnown = { ...status, startTime: toTime(status['startTime']), conditions, containerStatuses: [] };
  const containerStatuses = (status['containerStatuses'] as Json[]).map((entry) => {
    const known = kubernetesType('ContainerStatus').encode({ name: entry['name'], containerID: entry['containerID'] });
    return padding(
      8,
      Buffer.concat([
        known.finish(),
        padding(6, Buffer.from(String(entry['image']))),
        padding(7, Buffer.from(String(entry['imageID']))),
      ]),
    );
  });
  const statusBytes = Buffer.concat([kubernetesType('PodStatus').encode(statusKnown).finish(), ...containerStatuses]);
  return Buffer.concat([
    padding(1, Buffer.concat([metaBytes, managed])),
    padding(2, specBytes),
    padding(3, statusBytes),
  ]);
}

function encodeList(pods: readonly Json[]): Buffer {
  const frame = (field: number, bytes: Uint8Array) =>
    protobuf.Writer.create()
      .uint32((field << 3) | 2)
      .bytes(bytes)
      .finish();
  const meta = kubernetesType('ListMeta').encode({ resourceVersion: '7' }).finish();
  const list = Buffer.concat([frame(1, meta), ...pods.map((pod) => frame(2, encodePod(pod)))]);
  const typeMeta = kubernetesType('TypeMeta').encode({ apiVersion: 'v1', kind: 'PodList' }).finish();
  return Buffer.concat([Buffer.from('k8s\0'), frame(1, typeMeta), frame(2, list), frame(3, Buffer.alloc(0))]);
}

/** Microseconds per pod: the best of the rounds, so that a neighbour on the machine does not count. */
function measure(run: () => void): number {
  run();
  let best = Number.POSITIVE_INFINITY;
  const endAt = performance.now() + MIN_RUN_MS;
  while (performance.now() < endAt) {
    const start = performance.now();
    run();
    best = Math.min(best, performance.now() - start);
  }
  return (best * 1000) / PODS;
}

function decodeOurs(encoding: Encoding, bytes: Buffer): void {
  let count = 0;
  const body = createListBody(encoding, podDecoder, () => {
    count += 1;
  });
  for (let offset = 0; offset < bytes.length; offset += CHUNK_BYTES)
    body.push(bytes.subarray(offset, offset + CHUNK_BYTES));
  body.end();
  if (count !== PODS) throw new Error(`decoded ${count} pods of ${PODS}`);
}

const pods = Array.from({ length: PODS }, (_, index) => createPod(index));
const json = Buffer.from(
  JSON.stringify({ kind: 'PodList', apiVersion: 'v1', metadata: { resourceVersion: '7' }, items: pods }),
);
const binary = encodeList(pods);

console.log(
  `${PODS} pods: JSON ${(json.length / PODS).toFixed(0)} bytes each, protobuf ${(binary.length / PODS).toFixed(0)}`,
);
const ours = measure(() => decodeOurs('protobuf', binary));
const oursJson = measure(() => decodeOurs('json', json));
const parse = measure(() => JSON.parse(json.toString('utf8')));
const serializer = measure(() => {
  ObjectSerializer.deserialize(JSON.parse(json.toString('utf8')), 'V1PodList', '');
});
const line = (what: string, value: number) => {
  console.log(
    `${what.padEnd(34)} ${value.toFixed(1).padStart(6)} µs a pod  ${(value / ours).toFixed(1).padStart(5)} × ours`,
  );
};
line('digger, protobuf to records', ours);
line('digger, JSON to records', oursJson);
line('JSON.parse alone', parse);
line('client-node: parse + deserialize', serializer);
