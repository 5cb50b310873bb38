// Addresses of a node that its status does not list: those of the interfaces that a network plugin makes on it, as the
// plugin notes them in the node's annotations. What a node sends to pods of other nodes through a tunnel carries such
// an address as its source (projectcalico/calico#7207), and so do the kubelet's probes with Cilium and OVN-Kubernetes.
//
// Calico takes tunnel addresses from its own pools, Cilium any address of the node's pod range, and OVN-Kubernetes and
// Kube-OVN join nodes by ranges that stand nowhere else, so nothing else tells. OVN-Kubernetes gives out pod ranges of
// its own too, and leaves `spec.podCIDRs` as it is. To write these takes the right to write Node objects, as
// the addresses in a node's status do. A value that is not what it should be is left out.

import { parseCidr } from '../ip/cidr.ts';
import { canonicalIps } from '../ip/ip.ts';
import { fromBits4, fromBits6, IP_WIDTH, toBits } from '../ip/ip-bits.ts';
import type { StringMap } from './records.ts';

/** Calico: the node object that its datastore in Kubernetes keeps in annotations (libcalico-go, k8s/resources/node.go). */
const CALICO = [
  'projectcalico.org/IPv4IPIPTunnelAddr',
  'projectcalico.org/IPv4VXLANTunnelAddr',
  'projectcalico.org/IPv6VXLANTunnelAddr',
  'projectcalico.org/IPv4WireguardInterfaceAddr',
  'projectcalico.org/IPv6WireguardInterfaceAddr',
];
/** Cilium, with `annotateK8sNode` (pkg/annotation/k8s.go): of `cilium_host`, of the health endpoint, of its Envoy. */
const CILIUM = ['network.cilium.io/', 'io.cilium.network.'].flatMap((prefix) =>
  [
    'ipv4-cilium-host',
    'ipv6-cilium-host',
    'ipv4-health-ip',
    'ipv6-health-ip',
    'ipv4-Ingress-ip',
    'ipv6-Ingress-ip',
  ].map((name) => `${prefix}${name}`),
);

/** Of its interface `ovn0` (kubeovn/kube-ovn, pkg/util/const.go); of two families with a comma between them. */
const KUBE_OVN = 'ovn.kubernetes.io/ip_address';
const ANNOTATIONS: readonly string[] = [...CALICO, ...CILIUM, KUBE_OVN];

/**
 * OVN-Kubernetes (go-controller/pkg/util/node_annotations.go): the pod ranges of the node, from whose third address the
 * kubelet probes; the ports of its gateway router, whose addresses traffic from outside has behind it, and those of its
 * port to other zones. By network, of which only the cluster's own counts here, or that of the cluster alone.
 */
const OVN_SUBNETS = 'k8s.ovn.org/node-subnets';
const OVN_INTERFACES = [
  'k8s.ovn.org/node-gateway-router-lrp-ifaddrs',
  'k8s.ovn.org/node-gateway-router-lrp-ifaddr',
  'k8s.ovn.org/node-transit-switch-port-ifaddr',
];
const OVN_MANAGEMENT_PORT = 2;
/** A node is in a hundred networks at most; whatever is longer is something else. */
const MAX_JSON = 64 * 1024;

/** What `NodeAddress.type` says of them: no type of Kubernetes. */
export const PLUGIN_ADDRESS = 'NetworkPlugin';

/** Canonical, each once. An annotation that is `denied` says nothing. */
export function pluginAddresses(
  annotations: StringMap,
  denied: { readonly has: (name: string) => boolean },
): readonly string[] {
  const found: string[] = [];
  for (const name of ANNOTATIONS) {
    const address = annotations[name];
    if (address !== undefined && !denied.has(name)) found.push(...address.split(','));
  }
  for (const range of pluginPodRanges(annotations, denied)) {
    const address = addressIn(range, OVN_MANAGEMENT_PORT);
    if (address !== undefined) found.push(address);
  }
  for (const name of OVN_INTERFACES) {
    const text = annotations[name];
    if (text === undefined || denied.has(name)) continue;
    for (const each of textsOfCluster(text)) found.push(each.slice(0, Math.max(0, each.indexOf('/'))));
  }
  return found.length === 0 ? NONE : canonicalIps(found);
}

/** The ranges from which the plugin takes the addresses of the node's pods, whatever `spec.podCIDRs` says; none: unknown. */
export function pluginPodRanges(
  annotations: StringMap,
  denied: { readonly has: (name: string) => boolean },
): readonly string[] {
  const text = annotations[OVN_SUBNETS];
  if (text === undefined || denied.has(OVN_SUBNETS)) return NONE;
  return textsOfCluster(text).filter((range) => parseCidr(range) !== undefined);
}

/** `{"default":["10.128.0.0/23"]}`, `{"default":{"ipv4":"…"}}`, `{"default":"…"}`, `{"ipv4":"…","ipv6":"…"}`. */
function textsOfCluster(json: string): readonly string[] {
  if (json.length > MAX_JSON) return NONE;
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch {
    return NONE;
  }
  if (typeof parsed !== 'object' || parsed === null) return NONE;
  const { default: ofCluster = parsed } = parsed as { readonly default?: unknown };
  if (typeof ofCluster === 'string') return [ofCluster];
  if (typeof ofCluster !== 'object' || ofCluster === null) return NONE;
  const each: readonly unknown[] = Object.values(ofCluster);
  return each.filter((value) => typeof value === 'string').slice(0, MAX_TEXTS);
}

/** One of each family, and some to spare. */
const MAX_TEXTS = 8;

/** The address that is so far from the beginning of the range, if it is in there. */
function addressIn(range: string, offset: number): string | undefined {
  const cidr = parseCidr(range);
  if (cidr === undefined) return undefined;
  const free = IP_WIDTH[cidr.family] - cidr.prefixLength;
  if (free < 2) return undefined;
  const bits = toBits(cidr.network);
  if (typeof bits === 'number') return fromBits4((free === 32 ? 0 : ((bits >>> free) << free) >>> 0) + offset);
  return fromBits6(((bits >> BigInt(free)) << BigInt(free)) + BigInt(offset));
}

const NONE: readonly string[] = Object.freeze([]);
