// Where nodes are, for the pods on them: zone and region, encoded once for each node and shared by its pods.
//
// A node that comes, goes or moves to another zone concerns its own pods and no others, so they are found by the name
// of their node. Names are what pods know; a node that was made anew under its name takes the place over.

import { type ByteString, NO_BYTES } from '../../model/byte-string.ts';
import type { NodeState } from './node-state.ts';
import type { PodState } from './pod-state.ts';

export class NodePlace {
  /** Fields of `digger.v1.Pod`. */
  bytes: ByteString = NO_BYTES;
  /** Of the node that it is the place of; empty: no such node is known. */
  uid = '';
  readonly pods = new Set<PodState>();
}

export class NodePlaces {
  /** By name; only of nodes that are there or have pods. */
  readonly #places = new Map<string, NodePlace>();

  /** Fields that the node adds to its pods; none where it is not known or has no zone. */
  bytesOf(nodeName: string): ByteString {
    return this.#places.get(nodeName)?.bytes ?? NO_BYTES;
  }

  podAdded(pod: PodState): void {
    const { nodeName } = pod.row;
    // Not scheduled yet.
    if (nodeName !== '') this.#place(nodeName).pods.add(pod);
  }

  /** `nodeName`: where it was. */
  podLeft(pod: PodState, nodeName: string): void {
    const place = this.#places.get(nodeName);
    place?.pods.delete(pod);
    this.#release(nodeName, place);
  }

  /** The place, if its pods come out differently now. */
  nodeChanged({ row: { name, uid }, place: bytes }: NodeState): NodePlace | undefined {
    const place = this.#place(name);
    place.uid = uid;
    if (place.bytes === bytes) return undefined;
    place.bytes = bytes;
    return place;
  }

  /** As above. */
  nodeRemoved({ row: { name, uid } }: NodeState): NodePlace | undefined {
    const place = this.#places.get(name);
    // Its successor is there already.
    if (place === undefined || place.uid !== uid) return undefined;
    const differs = place.bytes !== NO_BYTES;
    place.uid = '';
    place.bytes = NO_BYTES;
    this.#release(name, place);
    return differs ? place : undefined;
  }

  #place(name: string): NodePlace {
    let place = this.#places.get(name);
    if (place === undefined) this.#places.set(name, (place = new NodePlace()));
    return place;
  }

  #release(name: string, place: NodePlace | undefined): void {
    if (place !== undefined && place.pods.size === 0 && place.uid === '') this.#places.delete(name);
  }
}
