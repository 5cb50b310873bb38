// What is kept of an owner's record: its workload entity. Only top-level owners are published; a link of a chain is
// joined on demand, because its changes are not published.

import { NO_BYTES } from '../../model/byte-string.ts';
import type { WorkloadEntity } from '../../model/entities.ts';
import type { KnownObject, ControllerReference, OwnerRecord } from '../../model/kubernetes/records.ts';
import { encodeOwnerRecord } from '../../wire/encode-workload.ts';
import type { ValuePolicy } from '../../wire/value-policy.ts';
import type { Interner } from '../records/text-interner.ts';
import type { OwnerLink } from '../owners/owner-links.ts';
import type { Shelved } from '../records/record-table.ts';
import { isSameButJoined, NO_REFERENCES } from '../records/rows.ts';

export interface OwnerDraft {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly row: WorkloadEntity;
  readonly controller: ControllerReference | undefined;
}

export class OwnerState implements Shelved {
  readonly resource: string;
  readonly link: OwnerLink;
  row: WorkloadEntity;
  published: WorkloadEntity | undefined;
  /** The joined entity of a link, once asked for; void after a change above it. */
  joined: WorkloadEntity | undefined;
  seenIn = 0;
  fingerprint = 0;

  constructor(resource: string, link: OwnerLink, row: WorkloadEntity) {
    this.resource = resource;
    this.link = link;
    this.row = row;
  }

  get uid(): string {
    return this.row.uid;
  }

  /** The entity now, published or not. */
  entity(): WorkloadEntity {
    this.joined ??= joinOwner(this);
    return this.joined;
  }
}

function joinOwner({ row, link }: OwnerState): WorkloadEntity {
  const { edge } = link;
  // A draft of a top-level owner is already its entity.
  if (edge === undefined)
    return row.topLevel ? row : { ...row, topLevel: true, ownerChain: NO_REFERENCES, joined: NO_BYTES };
  const { chain, workloadBytes } = edge.lineageFor(link.uid);
  return { ...row, topLevel: false, ownerChain: chain, joined: workloadBytes };
}

export function draftOwner(record: OwnerRecord, policy: ValuePolicy, interner: Interner): OwnerDraft {
  const encoded = encodeOwnerRecord(record, policy);
  const namespace = interner.string(record.namespace);
  const row: WorkloadEntity = {
    kind: 'Workload',
    uid: record.uid,
    namespace,
    name: record.name,
    creationTimeMs: record.creationTimeMs,
    apiVersion: interner.string(record.apiVersion),
    workloadKind: interner.string(record.kind),
    ownerChain: NO_REFERENCES,
    topLevel: true,
    ...encoded,
    joined: NO_BYTES,
  };
  return { namespace, name: record.name, uid: record.uid, row, controller: record.controller };
}

/** The owner as others refer to it. */
export function knownOwner({ row, controller }: OwnerDraft): KnownObject {
  const { apiVersion, workloadKind: kind, namespace, name, uid } = row;
  return { apiVersion, kind, namespace, name, uid, controller };
}

export function isSameOwner(state: OwnerState, { row, controller }: OwnerDraft): boolean {
  const { edge } = state.link;
  return (
    (controller === undefined ? edge === undefined : edge?.says(controller) === true) && isSameButJoined(state.row, row)
  );
}
