// Who held a place, as data: the form in which server and replicas keep what `digger.v1.AddressTimeline` says.
//
// A timeline is immutable: it is replaced as a whole. Moments are whole milliseconds since the epoch, intervals contain
// their start and not their end, Infinity is an end that has not come. Nothing here knows where the data comes from:
// the server writes it from claims, a replica decodes it.

import type { Protocol } from '../model/entities.ts';

/** How an address is held. Names as in `digger.v1.AddressRole`. */
export type AddressRole =
  | 'POD_IP'
  | 'HOST_PORT'
  | 'HOST_NETWORK'
  | 'CLUSTER_IP'
  | 'LOAD_BALANCER'
  | 'EXTERNAL_IP'
  | 'NODE_PORT'
  | 'NODE_ADDRESS'
  | 'ENDPOINT';

/** An answer lists at most so many holders; one more in a span means that there are others. */
export const MAX_CANDIDATES = 100;

/** Ports, both ends included. */
export interface PortRange {
  readonly first: number;
  readonly last: number;
  readonly protocol: Protocol;
}

/** What reading needs to know of a holder; see `digger.v1.TimelineHolder`. Those who keep timelines know more of it. */
export interface TimelineHolder {
  readonly kind: 'Pod' | 'Service' | 'Node';
  readonly uid: string;
  readonly name: string;
  readonly role: AddressRole;
  readonly validFromMs: number;
  /** `undefined` while it lasts. */
  readonly validToMs: number | undefined;
  readonly doubtedFromMs: number | undefined;
  /** These three order the holders of several places. */
  readonly startedMs: number;
  readonly seenMs: number;
  readonly createdMs: number;
  /** Of holders of `ports of an address` only. */
  readonly ports?: readonly PortRange[] | undefined;
  /** `ports` is wider than what it has. */
  readonly arePortsInexact?: boolean | undefined;
}

/** How certain it is, as far as the span can tell, that a holder has the place. */
export type Doubt = typeof CERTAIN | typeof AT_EDGE | typeof UNCERTAIN;
export const CERTAIN = 0;
/** Its claim begins or ends hereabouts. */
export const AT_EDGE = 1;
export const UNCERTAIN = 2;

/** A stretch of time in which the verdict is the same. */
export interface Span<H extends TimelineHolder> {
  readonly fromMs: number;
  readonly toMs: number;
  /**
   * `holds`: the holders have the place. `near`: the one holder had it shortly before or after. `presumed`: often given
   * to this node. `unknown-node`: no holders; a node has it, and it is not known which.
   */
  readonly is: 'holds' | 'near' | 'presumed' | 'unknown-node';
  /** Best first. */
  readonly holders: readonly H[];
  /** One for each holder; for a single certain one shared. */
  readonly doubts: readonly Doubt[];
  /** Of a `near` one: what the distance is measured from. */
  readonly nearMs: number;
  /** There are more holders than are listed; of `ports of an address` only. */
  readonly hasMore: boolean;
}

/** Which nodes an address belongs to. */
export interface NodeSpan {
  readonly fromMs: number;
  readonly toMs: number;
  readonly names: readonly string[];
}

export interface Timeline<H extends TimelineHolder> {
  /** Oldest first, not overlapping. */
  readonly spans: readonly Span<H>[];
  /** Oldest first, not overlapping. Of an address only. */
  readonly nodes: readonly NodeSpan[];
  /** A pod, a node or a service of the cluster itself has or had the address. */
  readonly isInCluster: boolean;
  /** What was before is forgotten; -Infinity: nothing is. */
  readonly cutAtMs: number;
}

/** What a timeline is of; see `digger.v1.TimelinePlace`. */
export type TimelinePlace =
  /** On a secondary network as `networkAddress` names it. */
  | { readonly of: 'address'; readonly address: string }
  /** Services with this port of an address. */
  | { readonly of: 'port of an address'; readonly address: string; readonly port: number; readonly protocol: Protocol }
  /** Services with so many ports that they are listed with their ports. */
  | { readonly of: 'ports of an address'; readonly address: string }
  | {
      readonly of: 'port of a node';
      readonly node: string;
      readonly port: number;
      readonly protocol: Protocol;
      /** Only at this address of the node; includes what holds the port at every one. */
      readonly address: string | undefined;
    }
  | { readonly of: 'port of every node'; readonly port: number; readonly protocol: Protocol }
  /** The pods in its network. */
  | { readonly of: 'node'; readonly node: string };

/** Equal for equal places, and for no others. */
export function placeKey(place: TimelinePlace): string {
  // Neither addresses nor names of nodes contain a space.
  switch (place.of) {
    case 'address':
      return place.address;
    case 'port of an address':
      return `a ${place.address} ${place.port} ${place.protocol}`;
    case 'ports of an address':
      return `a ${place.address}`;
    case 'port of a node':
      return `h ${place.node} ${place.port} ${place.protocol} ${place.address ?? ''}`;
    case 'port of every node':
      return `p ${place.port} ${place.protocol}`;
    case 'node':
      return `n ${place.node}`;
  }
}

/** The span, or stretch of nodes, that contains the moment. */
export function spanAt<S extends { readonly fromMs: number; readonly toMs: number }>(
  spans: readonly S[],
  atMs: number,
): S | undefined {
  // Most questions are about the newest one.
  const newest = spans[spans.length - 1];
  if (newest === undefined) return undefined;
  if (newest.fromMs <= atMs) return atMs < newest.toMs ? newest : undefined;
  let low = 0;
  let high = spans.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((spans[middle] as S).fromMs <= atMs) low = middle + 1;
    else high = middle;
  }
  const span = spans[low - 1];
  return span !== undefined && atMs < span.toMs ? span : undefined;
}

/** Newest first, as rule 6 says. */
export function newestHolderFirst(a: TimelineHolder, b: TimelineHolder): number {
  if (a.startedMs !== b.startedMs) return b.startedMs - a.startedMs;
  if (a.seenMs !== b.seenMs) return b.seenMs - a.seenMs;
  if (a.createdMs !== b.createdMs) return b.createdMs - a.createdMs;
  return a.uid < b.uid ? 1 : a.uid > b.uid ? -1 : 0;
}

/** Which of two claims of one object stands for it among holders. */
export function goesBefore(claim: TimelineHolder, other: TimelineHolder): boolean {
  const rank = ({ role }: TimelineHolder) => (role === 'EXTERNAL_IP' ? 1 : 0);
  const order = rank(claim) - rank(other);
  return order < 0 || (order === 0 && newestHolderFirst(claim, other) < 0);
}
