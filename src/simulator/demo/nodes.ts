// Nodes of the demo cluster, and the addresses that they hand out to pods.
//
// A freed address is the next one handed out: harsher than most network plugins, and just what attribution has to
// get right. Addresses are dual-stack: each node has an IPv4 and an IPv6 range.

import type { Cluster } from '../server/cluster.ts';
import { toTimestamp } from '../server/stored-objects.ts';

export interface PodAddresses {
  readonly ipv4: string;
  readonly ipv6: string;
}

export class DemoNode {
  readonly name: string;
  readonly uid: string;
  /** IPv4 first. */
  readonly hostIps: readonly string[];
  readonly controlPlane: boolean;
  readonly #index: number;
  /** Last octets that are free; the last one freed is taken first. */
  readonly #free: number[] = [];

  constructor(cluster: Cluster, index: number, name: string, controlPlane: boolean, nowMs: number) {
    this.name = name;
    this.controlPlane = controlPlane;
    this.#index = index;
    this.hostIps = [`172.18.0.${index + 2}`, `fd00:172:18::${index + 2}`];
    for (let octet = MAX_OCTET; octet >= MIN_OCTET; octet--) {
      this.#free.push(octet);
    }
    this.uid = cluster.create('nodes', this.#object(nowMs)).metadata.uid;
  }

  /** undefined when the range is used up: the pod waits. */
  takeAddresses(): PodAddresses | undefined {
    const octet = this.#free.pop();
    return octet === undefined
      ? undefined
      : { ipv4: `10.244.${this.#index}.${octet}`, ipv6: `fd00:10:244:${this.#index}::${octet.toString(16)}` };
  }

  freeAddresses(addresses: PodAddresses): void {
    this.#free.push(Number(addresses.ipv4.split('.')[3]));
  }

  /** What a kubelet does all day: a new heartbeat in the status, and nothing else. */
  heartbeat(cluster: Cluster, nowMs: number): void {
    cluster.update('nodes', this.#object(nowMs));
  }

  #object(nowMs: number): Parameters<Cluster['create']>[1] {
    const role = this.controlPlane ? { 'node-role.kubernetes.io/control-plane': '' } : {};
    return {
      metadata: {
        name: this.name,
        labels: {
          'kubernetes.io/arch': 'amd64',
          'kubernetes.io/hostname': this.name,
          'kubernetes.io/os': 'linux',
          'topology.kubernetes.io/region': 'local',
          'topology.kubernetes.io/zone': `local-${(this.#index % 2) + 1}`,
          ...role,
        },
        annotations: { 'node.alpha.kubernetes.io/ttl': '0' },
      },
      spec: {
        podCIDR: `10.244.${this.#index}.0/24`,
        podCIDRs: [`10.244.${this.#index}.0/24`, `fd00:10:244:${this.#index}::/64`],
        providerID: `demo://local/${this.name}`,
      },
      status: {
        capacity: { cpu: '8', memory: '32Gi', pods: '110' },
        conditions: [
          {
            type: 'Ready',
            status: 'True',
            reason: 'KubeletReady',
            message: 'kubelet is posting ready status',
            lastHeartbeatTime: toTimestamp(nowMs),
          },
        ],
        addresses: [
          ...this.hostIps.map((address) => ({ type: 'InternalIP', address })),
          { type: 'Hostname', address: this.name },
        ],
        nodeInfo: { kubeletVersion: 'v1.37.2', osImage: 'Simulated Linux', containerRuntimeVersion: 'simulated://1' },
      },
    };
  }
}

/** Below are the bridge and the node's own agents; 110 pods is a kubelet's default bound. */
const MIN_OCTET = 2;
const MAX_OCTET = 111;
