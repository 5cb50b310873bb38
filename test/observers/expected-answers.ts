// Who holds an address, computed from the API's own lists and from nothing else.
//
// For every address that any list mentions, for every port of a node or of a service that something claims, and for
// every address of the pod ranges, the answer that digger owes. Roles and their order are those of the contract: an
// exact port first, of pods and nodes before those of services; then pod, cluster, node, load balancer or external,
// endpoint.
import { BlockList, isIP } from 'node:net';
import type { V1Pod, V1Service } from '@kubernetes/client-node';
import type { ClusterLists } from './cluster-lists.ts';
import type { Message } from './digger-client.ts';
import {
  canonical,
  comparable,
  expectedNode,
  expectedPod,
  expectedService,
  isFinished,
  manualEndpointsOf,
  podAddresses,
  podWorkload,
  workloadsOf,
} from './expected-entities.ts';

/** A question as the contract puts it. */
export type Question = { readonly address: string; readonly port?: number; readonly protocol?: string };

/** The answer that is owed. `target` is the whole entity as it has to come. */
export type ExpectedAnswer = {
  readonly question: Question;
  readonly outcome: 'RESOLVED' | 'AMBIGUOUS' | 'UNASSIGNED' | 'EXTERNAL' | 'UNKNOWN' | 'NO_HOLDER';
  readonly role?: string;
  readonly target?: Message;
  /** Uid of `workload`; undefined: there must be none. */
  readonly workloadUid?: string | undefined;
  /** The answer must say that it is not certain. */
  readonly uncertain?: true;
  /** Uids of the holders, when there are several. */
  readonly candidateUids?: readonly string[];
};

type Holder = {
  readonly role: string;
  readonly rank: number;
  readonly target: Message;
  readonly uid: string;
  readonly workloadUid: string | undefined;
};

/** Lower wins. Both sorts of exact port claims of pods share a rank: two of them on one port are a conflict. */
const RANK = {
  HOST_PORT: 0,
  HOST_NETWORK: 0,
  NODE_PORT: 0,
  POD_IP: 2,
  CLUSTER_IP: 3,
  NODE_ADDRESS: 4,
  LOAD_BALANCER: 5,
  EXTERNAL_IP: 5,
  ENDPOINT: 6,
  /** The first addresses of a node's pod range; told as the node's, without certainty. */
  POD_RANGE: 7,
};
/** A service with the very port that is asked for. */
const SERVICE_PORT_RANK = 1;

/** IPv6 pod ranges are too large to ask for every address: this many from the start, where the test's nodes assign. */
const IPV6_SWEEP = 80;

/** Addresses that no cluster of these tests contains. */
const OUTSIDE = ['8.8.8.8', '198.51.100.77', '2001:db8::77'];

/** Every question with the answer owed for it. */
export function expectedAnswers(lists: ClusterLists): readonly ExpectedAnswer[] {
  const claims = claimsOf(lists);
  const answers = new Map<string, ExpectedAnswer>();
  const ask = (question: Question, otherwise: ExpectedAnswer['outcome']): void => {
    const key = `${question.address} ${question.port ?? ''} ${question.protocol ?? ''}`;
    if (!answers.has(key)) answers.set(key, answer(claims, question, otherwise));
  };
  for (const cidr of podRanges(lists)) for (const address of sweep(cidr)) ask({ address }, 'UNASSIGNED');
  for (const claim of claims) {
    ask({ address: claim.address }, 'NO_HOLDER');
    if (claim.port !== undefined)
      ask({ address: claim.address, port: claim.port, protocol: claim.protocol }, 'NO_HOLDER');
    // Any port of an address that is held as a whole.
    else ask({ address: claim.address, port: 4711, protocol: 'PROTOCOL_TCP' }, 'NO_HOLDER');
  }
  // Finished pods mention addresses that they do not hold.
  for (const pod of lists.pods) for (const address of podAddresses(pod)) ask({ address }, 'NO_HOLDER');
  for (let last = 0; last < 256; last++) ask({ address: `10.96.0.${last}` }, 'NO_HOLDER');
  for (const address of OUTSIDE) ask({ address }, hasPodOutsideRanges(lists, isIP(address)) ? 'UNKNOWN' : 'EXTERNAL');
  return [...answers.values()];
}

type Claim = { readonly address: string; readonly holder: Holder } & (
  | { readonly port?: undefined; readonly protocol?: undefined }
  | { readonly port: number; readonly protocol: string }
);

function answer(claims: readonly Claim[], question: Question, otherwise: ExpectedAnswer['outcome']): ExpectedAnswer {
  const matching = claims
    .filter((claim) => claim.address === question.address)
    .filter(
      (claim) => claim.port === undefined || (claim.port === question.port && claim.protocol === question.protocol),
    )
    .map((claim) => claim.holder);
  const best = Math.min(...matching.map((holder) => holder.rank));
  // The same holder may claim an address twice, e.g. as a load balancer's and as an external one; the first claim
  // counts.
  const inRank = matching.filter((holder) => holder.rank === best).toReversed();
  const holders = [...new Map(inRank.map((holder) => [holder.uid, holder])).values()];
  const [first] = holders;
  if (!first) return { question, outcome: otherwise };
  if (holders.length === 1) {
    return {
      question,
      outcome: 'RESOLVED',
      role: `ADDRESS_ROLE_${first.role === 'POD_RANGE' ? 'NODE_ADDRESS' : first.role}`,
      ...(first.role === 'POD_RANGE' ? { uncertain: true } : {}),
      target: first.target,
      workloadUid: first.workloadUid,
    };
  }
  const shared = holders.every((holder) => holder.workloadUid === first.workloadUid);
  return {
    question,
    outcome: 'AMBIGUOUS',
    candidateUids: holders.map((holder) => holder.uid).toSorted(),
    workloadUid: shared ? first.workloadUid : undefined,
  };
}

function claimsOf(lists: ClusterLists): readonly Claim[] {
  return [
    ...lists.pods.filter((pod) => !isFinished(pod)).flatMap((pod) => podClaims(lists, pod)),
    ...lists.services.flatMap((service) => serviceClaims(lists, service)),
    ...lists.nodes.flatMap((node): Claim[] => {
      const holder: Holder = {
        role: 'NODE_ADDRESS',
        rank: RANK.NODE_ADDRESS,
        target: { node: expectedNode(node) },
        uid: node.metadata?.uid ?? '',
        workloadUid: undefined,
      };
      const first = (node.spec?.podCIDRs ?? []).flatMap((cidr) => sweep(cidr).slice(0, 2));
      const inRange: Holder = { ...holder, role: 'POD_RANGE', rank: RANK.POD_RANGE };
      return [
        ...addressesOfNode(lists, node.metadata?.name).map((address) => ({ address, holder })),
        ...first.map((address) => ({ address, holder: inRange })),
      ];
    }),
  ];
}

function podClaims(lists: ClusterLists, pod: V1Pod): readonly Claim[] {
  const holder = (role: 'POD_IP' | 'HOST_PORT' | 'HOST_NETWORK'): Holder => ({
    role,
    rank: RANK[role],
    target: { pod: expectedPod(lists, pod) },
    uid: pod.metadata?.uid ?? '',
    workloadUid: podWorkload(lists, pod)['uid'] as string,
  });
  if (podAddresses(pod).length === 0) return [];
  const ports = (pod.spec?.containers ?? []).flatMap((container) => container.ports ?? []);
  const nodeAddresses = addressesOfNode(lists, pod.spec?.nodeName);
  const protocol = (port: { protocol?: string }): string => `PROTOCOL_${port.protocol ?? 'TCP'}`;
  if (pod.spec?.hostNetwork) {
    return ports.flatMap((port) =>
      nodeAddresses.map((address) => ({
        address,
        port: port.containerPort,
        protocol: protocol(port),
        holder: holder('HOST_NETWORK'),
      })),
    );
  }
  return [
    ...podAddresses(pod).map((address) => ({ address, holder: holder('POD_IP') })),
    ...ports.flatMap((port) => {
      const { hostPort } = port;
      if (!hostPort) return [];
      const on = port.hostIP ? [canonical(port.hostIP)] : nodeAddresses;
      return on.map((address) => ({ address, port: hostPort, protocol: protocol(port), holder: holder('HOST_PORT') }));
    }),
  ];
}

function serviceClaims(lists: ClusterLists, service: V1Service): readonly Claim[] {
  const workloads = workloadsOf(lists, service);
  const holder = (role: keyof typeof RANK, target: Message): Holder => ({
    role,
    rank: RANK[role],
    target,
    uid: service.metadata?.uid ?? '',
    workloadUid: workloads.length === 1 ? (workloads[0]?.['uid'] as string) : undefined,
  });
  const entity = { service: expectedService(lists, service) };
  const whole = (role: keyof typeof RANK, addresses: readonly string[] | undefined): Claim[] =>
    (addresses ?? []).map((address) => ({ address: canonical(address), holder: holder(role, entity) }));
  const withPorts = (role: 'LOAD_BALANCER' | 'EXTERNAL_IP', addresses: readonly string[] | undefined): Claim[] => [
    ...whole(role, addresses),
    ...(addresses ?? []).flatMap((address) =>
      (service.spec?.ports ?? []).map(
        (port): Claim => ({
          address: canonical(address),
          port: port.port,
          protocol: `PROTOCOL_${port.protocol ?? 'TCP'}`,
          holder: { ...holder(role, entity), rank: SERVICE_PORT_RANK },
        }),
      ),
    ),
  ];
  const ingress = (service.status?.loadBalancer?.ingress ?? []).flatMap((entry) => (entry.ip ? [entry.ip] : []));
  const own = comparable({
    apiVersion: 'v1',
    kind: 'Service',
    namespace: service.metadata?.namespace,
    name: service.metadata?.name,
    uid: service.metadata?.uid,
  });
  const endpoints = manualEndpointsOf(lists, service).map((address) => ({
    address,
    holder: holder('ENDPOINT', { externalEndpoint: { address, service: own } }),
  }));
  // What proxies skip, and what DNS follows by name alone.
  if (service.spec?.type === 'ExternalName') return [];
  if (!service.spec?.clusterIPs?.some((ip) => ip !== 'None')) return endpoints;
  return [
    ...whole(
      'CLUSTER_IP',
      service.spec?.clusterIPs?.filter((ip) => ip !== 'None'),
    ),
    ...withPorts('LOAD_BALANCER', ingress),
    ...withPorts('EXTERNAL_IP', service.spec?.externalIPs),
    ...(service.spec?.ports ?? []).flatMap((port) => {
      const { nodePort } = port;
      if (!nodePort) return [];
      const protocol = `PROTOCOL_${port.protocol ?? 'TCP'}`;
      return lists.nodes
        .flatMap((node) => addressesOfNode(lists, node.metadata?.name))
        .map((address): Claim => ({ address, port: nodePort, protocol, holder: holder('NODE_PORT', entity) }));
    }),
    ...endpoints,
  ];
}

function addressesOfNode(lists: ClusterLists, name: string | undefined): readonly string[] {
  const node = lists.nodes.find((candidate) => candidate.metadata?.name === name);
  return (node?.status?.addresses ?? [])
    .filter(({ type }) => type === 'InternalIP' || type === 'ExternalIP')
    .map(({ address }) => canonical(address));
}

/** A live pod with an address outside of every node's pod range shows that there are ranges that no node tells. */
function hasPodOutsideRanges(lists: ClusterLists, version: number): boolean {
  const family = version === 6 ? 'ipv6' : 'ipv4';
  const ranges = new BlockList();
  for (const cidr of podRanges(lists)) {
    const [network = '', bits = ''] = cidr.split('/');
    if (isIP(network) === version) ranges.addSubnet(network, Number(bits), family);
  }
  return lists.pods.some(
    (pod) =>
      pod.spec?.hostNetwork !== true &&
      pod.status?.phase !== 'Succeeded' &&
      pod.status?.phase !== 'Failed' &&
      podAddresses(pod).some((address) => isIP(address) === version && !ranges.check(address, family)),
  );
}

function podRanges(lists: ClusterLists): readonly string[] {
  return lists.nodes.flatMap((node) => node.spec?.podCIDRs ?? []);
}

function sweep(cidr: string): readonly string[] {
  const [network = '', bits = ''] = cidr.split('/');
  if (network.includes(':')) {
    return Array.from({ length: IPV6_SWEEP }, (_, host) => canonical(`${network}${host.toString(16)}`));
  }
  const octets = network.split('.').map(Number);
  const size = 2 ** (32 - Number(bits));
  return Array.from({ length: size }, (_, host) => [...octets.slice(0, 3), (octets[3] ?? 0) + host].join('.'));
}
