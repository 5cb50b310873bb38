// The secondary networks of a pod, as its annotations tell: `k8s.v1.cni.cncf.io/network-status` (the de facto standard
// of the Network Plumbing Working Group, which Multus writes) and `k8s.ovn.org/pod-networks` (OVN-Kubernetes).
//
// Annotations are text that anybody who may change the pod has written, so they are hostile input: what is too long is
// not parsed, what is malformed is left out and said, and no pod has more than some networks and addresses. An address
// that the pod's status shows is the cluster's network's, whatever an annotation says, and is left out here.
//
// An address on a secondary network is named `ADDRESS@NETWORK`, a text that no address of the cluster's network has, so
// that equal addresses on different networks are different places wherever places are told apart by their text.

import { parseApiIp, parseIp } from '../ip/ip.ts';
import type { PodNetworkRecord, StringMap } from './records.ts';

export const MULTUS_STATUS = 'k8s.v1.cni.cncf.io/network-status';
/** What Multus wrote before version 3.5. */
export const OLD_MULTUS_STATUS = 'k8s.v1.cni.cncf.io/networks-status';
export const OVN_NETWORKS = 'k8s.ovn.org/pod-networks';

/** Why something of the annotations was left out. */
export type PodNetworkProblem = 'too_long' | 'malformed' | 'too_many';

export interface PodNetworks {
  readonly networks: readonly PodNetworkRecord[];
  readonly problem: PodNetworkProblem | undefined;
}

/** Ten networks with two addresses take some 2 KiB. */
const MAX_ANNOTATION_LENGTH = 32 * 1_024;
const MAX_NETWORKS = 32;
const MAX_ADDRESSES = 64;
const MAX_INTERFACE_LENGTH = 64;
/** A namespace and an object's name, of 253 characters at most each. */
export const MAX_NETWORK_NAME_LENGTH = 512;

/** Names of Kubernetes objects with or without their namespace, and of CNI configurations: no space and no `@`. */
const NETWORK_NAME = /^[A-Za-z0-9][-A-Za-z0-9_.]*(\/[A-Za-z0-9][-A-Za-z0-9_.]*)?$/;

/** How OVN calls the cluster's network. */
const OVN_DEFAULT = 'default';

const SEPARATOR = '@';

const NO_NETWORKS: readonly PodNetworkRecord[] = Object.freeze([]);
const NONE: PodNetworks = Object.freeze({ networks: NO_NETWORKS, problem: undefined });

/** `podIps`: of the pod's status, as written. Never throws. */
export function podNetworksOf(annotations: StringMap, podIps: readonly string[]): PodNetworks {
  const ovn = annotations[OVN_NETWORKS];
  const multus = annotations[MULTUS_STATUS] ?? annotations[OLD_MULTUS_STATUS];
  // Nearly every pod.
  if (ovn === undefined && multus === undefined) return NONE;
  const found = new Found(podIps);
  // OVN's first: its names are those of networks, where Multus may call a network by the plugin that made it.
  if (ovn !== undefined) addOvn(ovn, found);
  const ofOvn = new Set(found.addresses);
  if (multus !== undefined) addMultus(multus, found, ofOvn);
  return { networks: found.networks, problem: found.problem };
}

export function isNetworkName(text: string): boolean {
  return text.length <= MAX_NETWORK_NAME_LENGTH && NETWORK_NAME.test(text);
}

/** Names an address of a secondary network; of the cluster's network (an empty name) it is the address alone. */
export function networkAddress(address: string, network: string): string {
  return network === '' ? address : `${address}${SEPARATOR}${network}`;
}

/** Whether the text is one of `networkAddress` with a network. */
export function isNetworkAddress(text: string): boolean {
  return text.includes(SEPARATOR);
}

/** The address and the network; an empty network is the cluster's. */
export function splitNetworkAddress(text: string): { readonly address: string; readonly network: string } {
  const at = text.indexOf(SEPARATOR);
  return at === -1 ? { address: text, network: '' } : { address: text.slice(0, at), network: text.slice(at + 1) };
}

class Found {
  readonly #networks = new Map<string, { name: string; interface: string; addresses: string[] }>();
  /** Of the cluster's network. */
  readonly #own: ReadonlySet<string>;
  #count = 0;
  problem: PodNetworkProblem | undefined;

  constructor(podIps: readonly string[]) {
    this.#own = new Set(podIps.map((ip) => parseApiIp(ip) ?? ip));
  }

  get networks(): readonly PodNetworkRecord[] {
    return this.#networks.size === 0 ? NO_NETWORKS : [...this.#networks.values()];
  }

  get addresses(): readonly string[] {
    return [...this.#networks.values()].flatMap(({ addresses }) => addresses);
  }

  /** An attachment to a network, with addresses as written. */
  add(name: string, ofInterface: string, ips: readonly unknown[]): void {
    if (!isNetworkName(name)) {
      this.problem = 'malformed';
      return;
    }
    for (const ip of ips) {
      const address = typeof ip === 'string' && ip.length < 100 ? parseIp(ip) : undefined;
      if (address === undefined) this.problem = 'malformed';
      else if (!this.#own.has(address) && !this.#addOne(name, ofInterface, address)) return;
    }
  }

  /** Returns whether there is room for more. */
  #addOne(name: string, ofInterface: string, address: string): boolean {
    let network = this.#networks.get(name);
    if (this.#count >= MAX_ADDRESSES || (network === undefined && this.#networks.size >= MAX_NETWORKS)) {
      this.problem = 'too_many';
      return false;
    }
    if (network === undefined) {
      network = { name, interface: ofInterface.slice(0, MAX_INTERFACE_LENGTH), addresses: [] };
      this.#networks.set(name, network);
    }
    if (network.addresses.includes(address)) return true;
    network.addresses.push(address);
    this.#count += 1;
    return true;
  }
}

/** `{"blue/net": {"ip_addresses": ["10.0.0.5/24"], …}, "default": {…}}`; older versions have `ip_address` alone. */
function addOvn(text: string, found: Found): void {
  const networks = parseJson(text, found);
  if (networks === undefined) return;
  if (!isObject(networks)) {
    found.problem = 'malformed';
    return;
  }
  for (const [name, network] of Object.entries(networks)) {
    if (name === OVN_DEFAULT) continue;
    if (!isObject(network)) {
      found.problem = 'malformed';
      continue;
    }
    const { ip_addresses: many, ip_address: one } = network;
    const ips = Array.isArray(many) ? many : typeof one === 'string' && one !== '' ? [one] : [];
    // Each with the length of its prefix.
    found.add(
      name,
      '',
      ips.map((ip: unknown) => (typeof ip === 'string' ? ip.replace(/\/\d{1,3}$/, '') : ip)),
    );
    if (found.problem === 'too_many') return;
  }
}

/** `[{"name": "blue/net", "interface": "net1", "ips": ["10.0.0.5"], "default": true}, …]`. */
function addMultus(text: string, found: Found, ofOvn: ReadonlySet<string>): void {
  const networks = parseJson(text, found);
  if (networks === undefined) return;
  if (!Array.isArray(networks)) {
    found.problem = 'malformed';
    return;
  }
  for (const network of networks) {
    if (!isObject(network) || typeof network['name'] !== 'string') {
      found.problem = 'malformed';
      continue;
    }
    const { ips = [], interface: ofInterface } = network;
    if (!Array.isArray(ips)) {
      found.problem = 'malformed';
      continue;
    }
    const told = typeof ofInterface === 'string' ? ofInterface : '';
    // Under the name that OVN gives it, if it does.
    found.add(
      network['name'],
      told,
      ofOvn.size === 0 || network['name'].includes('/') ? ips : ips.filter((ip: unknown) => !isOneOf(ofOvn, ip)),
    );
    if (found.problem === 'too_many') return;
  }
}

/** However it is written. */
function isOneOf(addresses: ReadonlySet<string>, ip: unknown): boolean {
  return typeof ip === 'string' && addresses.has(parseIp(ip) ?? ip);
}

/** `undefined`: the text tells of nothing; where that is a fault, `found` says so. */
function parseJson(text: string, found: Found): unknown {
  if (text.length > MAX_ANNOTATION_LENGTH) {
    found.problem = 'too_long';
    return undefined;
  }
  // While its sandbox is being made.
  if (text === '') return undefined;
  try {
    return JSON.parse(text) ?? undefined;
  } catch {
    found.problem = 'malformed';
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
