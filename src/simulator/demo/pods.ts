// Pods of the demo cluster as the API shows them at each stage of their life.
//
// One function from a pod's state to its object: no field is patched in passing, so what the cluster shows is always
// consistent. Shapes follow what kubelet 1.37 writes (conditions, podIPs, hostIPs, containerStatuses).

import { hash } from 'node:crypto';
import type { DemoNode, PodAddresses } from './nodes.ts';
import { type KubernetesObject, type OwnerReference, toTimestamp } from '../server/stored-objects.ts';

export interface DemoPort {
  readonly name: string;
  readonly containerPort: number;
  readonly hostPort?: number;
  /** Default: TCP. */
  readonly protocol?: 'TCP' | 'UDP';
}

export interface PodTemplate {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly image: string;
  readonly ports: readonly DemoPort[];
  readonly hostNetwork?: boolean;
  readonly dualStack?: boolean;
  /** Adds an init container that stays (`restartPolicy: Always`), with its own port. */
  readonly sidecar?: { readonly name: string; readonly image: string; readonly ports: readonly DemoPort[] };
}

/** `scheduled`: no sandbox yet. `starting`: has its addresses. `terminating`: deletion asked for, still answering. */
export type PodStage = 'scheduled' | 'starting' | 'ready' | 'terminating' | 'succeeded';

export interface DemoPod {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly template: PodTemplate;
  readonly node: DemoNode;
  readonly owner: OwnerReference | undefined;
  /** Pods of a Job end by themselves. */
  readonly runsToCompletion: boolean;
  readonly createdMs: number;
  stage: PodStage;
  addresses: PodAddresses | undefined;
  startedMs: number | undefined;
  finishedMs: number | undefined;
  deletedMs: number | undefined;
}

/** Addresses that the API shows for the pod, IPv4 first. A finished pod goes on showing those that it no longer has. */
export function podIps(pod: DemoPod): readonly string[] {
  if (pod.stage === 'scheduled') {
    return [];
  }
  if (pod.template.hostNetwork === true) {
    return pod.node.hostIps;
  }
  if (pod.addresses === undefined) {
    return [];
  }
  const { ipv4, ipv6 } = pod.addresses;
  return pod.template.dualStack === true ? [ipv4, ipv6] : [ipv4];
}

export function toPodObject(pod: DemoPod): KubernetesObject {
  const { template, node } = pod;
  const ips = podIps(pod);
  const finished = pod.stage === 'succeeded';
  const deleted =
    pod.deletedMs === undefined
      ? {}
      : { deletionTimestamp: toTimestamp(pod.deletedMs + GRACE_MS), deletionGracePeriodSeconds: GRACE_MS / 1000 };
  return {
    metadata: {
      name: pod.name,
      namespace: pod.namespace,
      uid: pod.uid,
      creationTimestamp: toTimestamp(pod.createdMs),
      labels: template.labels,
      ...(template.annotations === undefined ? {} : { annotations: template.annotations }),
      ...(pod.owner === undefined ? {} : { ownerReferences: [pod.owner] }),
      ...deleted,
    },
    spec: {
      nodeName: node.name,
      hostNetwork: template.hostNetwork === true ? true : undefined,
      restartPolicy: pod.runsToCompletion ? 'Never' : 'Always',
      serviceAccountName: 'default',
      terminationGracePeriodSeconds: GRACE_MS / 1000,
      ...(template.sidecar === undefined
        ? {}
        : { initContainers: [container(template.sidecar, template, { restartPolicy: 'Always' })] }),
      containers: [container({ name: mainContainer(template), ...template }, template, {})],
    },
    status: {
      phase: finished ? 'Succeeded' : pod.stage === 'scheduled' || pod.stage === 'starting' ? 'Pending' : 'Running',
      conditions: conditions(pod),
      hostIP: node.hostIps[0],
      hostIPs: node.hostIps.map((ip) => ({ ip })),
      ...(ips.length === 0 ? {} : { podIP: ips[0], podIPs: ips.map((ip) => ({ ip })) }),
      ...(pod.startedMs === undefined ? {} : { startTime: toTimestamp(pod.startedMs) }),
      containerStatuses: [containerStatus(pod, mainContainer(template), template.image)],
      ...(template.sidecar === undefined
        ? {}
        : { initContainerStatuses: [containerStatus(pod, template.sidecar.name, template.sidecar.image)] }),
      qosClass: 'Burstable',
    },
  };
}

/** terminationGracePeriodSeconds; the demo's containers end sooner. */
const GRACE_MS = 30_000;

function mainContainer(template: PodTemplate): string {
  return template.labels['app.kubernetes.io/name'] ?? 'main';
}

function container(
  source: { readonly name: string; readonly image: string; readonly ports: readonly DemoPort[] },
  template: PodTemplate,
  extra: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const ports = source.ports.map((port) => ({
    name: port.name,
    containerPort: port.containerPort,
    protocol: port.protocol ?? 'TCP',
    // On the host's network every container port is a host port; the API server fills it in.
    ...(template.hostNetwork === true
      ? { hostPort: port.containerPort }
      : port.hostPort === undefined
        ? {}
        : { hostPort: port.hostPort }),
  }));
  const resources = { requests: { cpu: '100m', memory: '64Mi' }, limits: { memory: '256Mi' } };
  return { name: source.name, image: source.image, ports, resources, imagePullPolicy: 'IfNotPresent', ...extra };
}

function conditions(pod: DemoPod): readonly Readonly<Record<string, unknown>>[] {
  const at = toTimestamp(pod.startedMs ?? pod.createdMs);
  const hasSandbox = pod.stage === 'starting' || pod.stage === 'ready' || pod.stage === 'terminating';
  const ready = pod.stage === 'ready';
  const status = (value: boolean): string => (value ? 'True' : 'False');
  return [
    { type: 'PodReadyToStartContainers', status: status(hasSandbox), lastTransitionTime: at },
    { type: 'Initialized', status: status(pod.stage !== 'scheduled'), lastTransitionTime: at },
    { type: 'Ready', status: status(ready), lastTransitionTime: at },
    { type: 'ContainersReady', status: status(ready), lastTransitionTime: at },
    { type: 'PodScheduled', status: 'True', lastTransitionTime: toTimestamp(pod.createdMs) },
  ];
}

function containerStatus(pod: DemoPod, name: string, image: string): Readonly<Record<string, unknown>> {
  const waiting = pod.stage === 'scheduled' || pod.stage === 'starting';
  const startedAt = toTimestamp(pod.startedMs ?? pod.createdMs);
  // Any stable hexadecimal will do; the uid is there already.
  const containerID = `containerd://${pod.uid.replaceAll('-', '').repeat(2)}`;
  const state = waiting
    ? { waiting: { reason: 'ContainerCreating' } }
    : pod.finishedMs === undefined
      ? { running: { startedAt } }
      : {
          terminated: {
            exitCode: 0,
            reason: 'Completed',
            startedAt,
            finishedAt: toTimestamp(pod.finishedMs),
            containerID,
          },
        };
  return {
    name,
    image,
    imageID: waiting ? '' : `${image.replace(/:[^:/]*$/, '')}@sha256:${hash('sha256', image)}`,
    ready: pod.stage === 'ready',
    started: !waiting && pod.finishedMs === undefined,
    restartCount: 0,
    state,
    ...(waiting ? {} : { containerID }),
  };
}
