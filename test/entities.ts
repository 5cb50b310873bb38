// Facts of pods and services that have nothing: no address, no port, no time. Tests of several rooms fill in what they
// are about.

import type { PodEntity, ServiceEntity } from '../src/model/entities.ts';

export const PLAIN_POD = {
  kind: 'Pod',
  creationTimeMs: undefined,
  nodeName: 'node-1',
  hostNetwork: false,
  terminal: false,
  addresses: [],
  hostAddresses: [],
  startTimeMs: undefined,
  sandboxReadyTimeMs: undefined,
  finishedTimeMs: undefined,
  deletionTimeMs: undefined,
  hostPorts: [],
  ownerChain: [],
} as const satisfies Partial<PodEntity>;

export const PLAIN_SERVICE = {
  kind: 'Service',
  creationTimeMs: undefined,
  clusterAddresses: [],
  loadBalancerAddresses: [],
  externalAddresses: [],
  ports: [],
  nodePorts: [],
  externalName: false,
  manualEndpoints: [],
  workloads: [],
} as const satisfies Partial<ServiceEntity>;
