// What is kept of an EndpointSlice: its service, and what it lists, each once.
//
// What a slice lists is either an address, perhaps with a target that says who has it, or a target alone. The target
// alone counts in slices that Kubernetes' own controller makes from pods: there a pod that is not known here, or has
// another address, only means that two watches are not equally far. In every other slice the address is what traffic
// follows, and the target is a claim to be checked.

import { canonicalIps } from '../../model/ip/ip.ts';
import type { EndpointRecord, EndpointSliceRecord } from '../../model/kubernetes/records.ts';
import type { Shelved } from '../records/record-table.ts';
import type { Listing } from './listing.ts';
import type { ServiceState } from './service-state.ts';

/** One thing that a slice lists. */
export interface Listed {
  /** Equal for equal things of one namespace. */
  readonly key: string;
  /** Canonical; unset: the target alone counts. */
  readonly address: string | undefined;
  /** See `targetKey`; unset: no pod is named. */
  readonly target: string | undefined;
}

export interface SliceDraft {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly serviceName: string;
  /** Distinct, in the order of the slice. */
  readonly listed: readonly Listed[];
  /** The keys of `listed`. */
  readonly keys: readonly string[];
}

export class SliceState implements Shelved {
  readonly uid: string;
  service: ServiceState | undefined;
  listings: readonly Listing[] = NO_LISTINGS;
  /** What it says now, while that is being applied in parts; the two above are what it said before. */
  wanted: SliceDraft | undefined;
  seenIn = 0;
  fingerprint = 0;

  constructor(uid: string) {
    this.uid = uid;
  }
}

export const NO_LISTINGS: readonly Listing[] = Object.freeze([]);

/**
 * Kubernetes allows 1,000 endpoints in a slice, of up to 100 addresses each, and controllers write one or two: what is
 * beyond is read by nothing (kube-proxy takes the first address), and would make one write as long as a hundred.
 */
const MAX_LISTED_BY_SLICE = 4_000;

const MANAGED_BY = 'endpointslice.kubernetes.io/managed-by';
const KUBERNETES_CONTROLLER = 'endpointslice-controller.k8s.io';

export function draftSlice(record: EndpointSliceRecord): SliceDraft {
  const { namespace, name, uid, serviceName } = record;
  const listed = new Map<string, Listed>();
  if (serviceName !== '') {
    const isMadeFromPods = madeFromPods(record);
    for (const endpoint of record.endpoints) {
      for (const each of listedBy(endpoint, namespace, isMadeFromPods)) listed.set(each.key, each);
      if (listed.size >= MAX_LISTED_BY_SLICE) break;
    }
  }
  return { namespace, name, uid, serviceName, listed: [...listed.values()], keys: [...listed.keys()] };
}

/** The key of a pod that is meant by name. No uid begins with a slash. */
export function targetKey(namespace: string, name: string): string {
  return `/${namespace}/${name}`;
}

export function isSameSlice(state: SliceState, draft: SliceDraft): boolean {
  const { wanted } = state;
  if (wanted !== undefined)
    return wanted.serviceName === draft.serviceName && isSameListed(wanted.listed, draft.listed);
  return (
    (state.service?.name ?? '') === draft.serviceName &&
    state.listings.length === draft.keys.length &&
    state.listings.every(({ key, address }, at) => key === draft.keys[at] && address === draft.listed[at]?.address)
  );
}

function isSameListed(a: readonly Listed[], b: readonly Listed[]): boolean {
  return a.length === b.length && a.every(({ key, address }, at) => key === b[at]?.key && address === b[at]?.address);
}

/** Made by Kubernetes' own controller: copies of its slices keep the label at most, never a Service that owns them. */
function madeFromPods({ labels, controller, serviceName }: EndpointSliceRecord): boolean {
  return (
    labels[MANAGED_BY] === KUBERNETES_CONTROLLER && controller?.kind === 'Service' && controller.name === serviceName
  );
}

function listedBy({ addresses, target: named }: EndpointRecord, namespace: string, isMadeFromPods: boolean): Listed[] {
  const pod = named?.kind === 'Pod' ? named : undefined;
  const podNamespace = pod?.namespace || namespace;
  const target = pod === undefined ? undefined : pod.uid !== '' ? pod.uid : targetKey(podNamespace, pod.name);
  const canonical = isMadeFromPods && target !== undefined ? [] : canonicalIps(addresses);
  if (target !== undefined && canonical.length === 0) {
    // A pod of another namespace counts by its address only.
    return podNamespace === namespace ? [{ key: target, address: undefined, target }] : [];
  }
  return canonical.map((address) => ({ key: `${namespace} ${address} ${target ?? ''}`, address, target }));
}
