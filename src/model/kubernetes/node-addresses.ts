// Addresses of a node that its status does not list: those of the interfaces that a network plugin makes on it, as the
// plugin notes them in the node's annotations. What a node sends to pods of other nodes through a tunnel carries such
// an address as its source (projectcalico/calico#7207), and so do the kubelet's probes with Cilium.
//
// Calico takes tunnel addresses from its own pools, Cilium any address of the node's pod range, so nothing else tells.
// To write these takes the right to write Node objects, as the addresses in a node's status do. A value that is not an
// address is left out.

import { canonicalIps } from '../ip/ip.ts';
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

const ANNOTATIONS: readonly string[] = [...CALICO, ...CILIUM];

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
    if (address !== undefined && !denied.has(name)) found.push(address);
  }
  return found.length === 0 ? NONE : canonicalIps(found);
}

const NONE: readonly string[] = Object.freeze([]);
