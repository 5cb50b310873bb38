// Pods as a large cluster has them, for slabs.bench.ts: twenty of a Deployment, which have their labels and annotations
// in common.

import type { ByteString } from '../../src/model/byte-string.ts';
import type { ObjectReference } from '../../src/model/entities.ts';
import type { PodRecord } from '../../src/model/kubernetes/records.ts';
import { controlledBy, owner, pod } from '../catalog/records.ts';

const PODS_PER_DEPLOYMENT = 20;
const PODS_PER_NODE = 100;

/** Text of its own memory, as a decoder makes it: a concatenation would keep its parts. */
const own = (text: string): string => Buffer.from(text).toString('utf8');

export function addressOf(at: number): string {
  return own(`10.${at >> 16}.${(at >> 8) & 255}.${at & 255}`);
}

/** `mark`: what is different about it since. */
export function podRecordAt(at: number, mark: string): PodRecord {
  const deployment = Math.floor(at / PODS_PER_DEPLOYMENT);
  const nodeAt = Math.floor(at / PODS_PER_NODE);
  const set = owner('ReplicaSet', `deployment-${deployment}-5d59d67564`);
  const hash = at.toString(16).padStart(12, '0');
  return pod(own(`deployment-${deployment}-5d59d67564-${at.toString(36).padStart(5, 'x')}`), {
    uid: own(`2f1b7c9a-0000-4000-8000-${hash}`),
    namespace: own(`team-${deployment % 50}`),
    controller: controlledBy(set),
    nodeName: own(`node-${nodeAt}`),
    podIps: [addressOf(at)],
    hostIps: [own(`192.168.${nodeAt >> 8}.${nodeAt & 255}`)],
    startTimeMs: 1_700_000_000_000 + at,
    labels: { 'app.kubernetes.io/name': `deployment-${deployment}`, 'pod-template-hash': '5d59d67564', tier: 'web' },
    annotations: {
      'prometheus.io/scrape': 'true',
      'checksum/config': `${deployment}`.padStart(60, '0'),
      team: 'payments',
    },
    containers: [
      {
        type: 'ordinary',
        name: 'app',
        image: `registry.example.com/team/deployment-${deployment}@sha256:${String(deployment).padStart(64, '0')}`,
        containerId: `containerd://${hash.repeat(5)}${mark}`,
        previousContainerId: '',
        ended: false,
        imageDigest: `sha256:${deployment.toString(16).padStart(64, '0')}`,
        ports: [{ name: 'http', containerPort: 8080, hostPort: 0, hostIp: '', protocol: 'TCP' }],
      },
    ],
  });
}

const workloads = new Map<number, { readonly reference: ObjectReference; joined?: ByteString }>();

/** One for all pods of it. */
export function workloadAt(at: number): { readonly reference: ObjectReference; joined?: ByteString } {
  const deployment = Math.floor(at / PODS_PER_DEPLOYMENT);
  let workload = workloads.get(deployment);
  if (workload === undefined) {
    const name = `deployment-${deployment}`;
    const namespace = `team-${deployment % 50}`;
    const reference = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      namespace,
      name,
      uid: `uid-${name}`,
      incomplete: false,
    };
    workloads.set(deployment, (workload = { reference }));
  }
  return workload;
}
