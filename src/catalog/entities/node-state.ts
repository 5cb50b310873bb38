// What is kept of a node. Nothing is joined into it, so its draft is its entity.

import { type ByteString, NO_BYTES } from '../../model/byte-string.ts';
import type { NodeEntity } from '../../model/entities.ts';
import { canonicalIps } from '../../model/ip/ip.ts';
import { pluginAddresses, pluginPodRanges } from '../../model/kubernetes/node-addresses.ts';
import type { KnownObject, NodeRecord } from '../../model/kubernetes/records.ts';
import { encodePodPlace } from '../../wire/encode-pod.ts';
import { encodeNodeRecord } from '../../wire/encode-node.ts';
import type { ValuePolicy } from '../../wire/value-policy.ts';
import type { Interner } from '../records/text-interner.ts';
import type { Shelved } from '../records/record-table.ts';
import { isSameButJoined } from '../records/rows.ts';

export interface NodeDraft {
  readonly namespace: '';
  readonly name: string;
  readonly uid: string;
  readonly row: NodeEntity;
  /** What it adds to its pods. */
  readonly place: ByteString;
}

export class NodeState implements Shelved {
  readonly resource: string;
  row: NodeEntity;
  /** What it adds to its pods. */
  place: ByteString;
  published: NodeEntity | undefined;
  seenIn = 0;
  fingerprint = 0;

  constructor(resource: string, { row, place }: NodeDraft) {
    this.resource = resource;
    this.row = row;
    this.place = place;
  }

  get uid(): string {
    return this.row.uid;
  }

  /** As others refer to it: a node owns its static pods. */
  get known(): KnownObject {
    const { name, uid } = this.row;
    return { apiVersion: 'v1', kind: 'Node', namespace: '', name, uid, controller: undefined };
  }
}

export function draftNode(record: NodeRecord, policy: ValuePolicy, interner: Interner): NodeDraft {
  const plugin = pluginAddresses(record.annotations, policy.deniedAnnotations);
  const ofPlugin = pluginPodRanges(record.annotations, policy.deniedAnnotations);
  const podRanges = ofPlugin.length > 0 ? ofPlugin : record.podCidrs;
  const encoded = encodeNodeRecord(record, { addresses: plugin, podRanges }, policy);
  const name = interner.string(record.name);
  // Of any type: what is a name is no address, and a node whose name is its address may tell it as Hostname alone.
  const own = record.addresses.map(({ address }) => address);
  const row: NodeEntity = {
    kind: 'Node',
    uid: record.uid,
    namespace: '',
    name,
    creationTimeMs: record.creationTimeMs,
    deletionTimeMs: record.deletionTimeMs,
    addresses: interner.list(canonicalIps([...own, ...plugin])),
    podRanges,
    ...encoded,
    joined: NO_BYTES,
  };
  return { namespace: '', name, uid: record.uid, row, place: encodePodPlace(record, policy) };
}

export function isSameNode(state: NodeState, { row }: NodeDraft): boolean {
  return isSameButJoined(state.row, row);
}
