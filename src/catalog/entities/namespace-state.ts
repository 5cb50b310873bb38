// What is kept of a namespace. Nothing is joined into it, and it is joined into nothing: what lies in it names it, so
// that a change of its labels is one change, however many objects it has.

import { NO_BYTES } from '../../model/byte-string.ts';
import type { NamespaceEntity } from '../../model/entities.ts';
import type { NamespaceRecord } from '../../model/kubernetes/records.ts';
import { encodeNamespaceRecord } from '../../wire/encode-namespace.ts';
import type { ValuePolicy } from '../../wire/value-policy.ts';
import type { Shelf, Shelved } from '../records/record-table.ts';
import { isSameButJoined } from '../records/rows.ts';

export interface NamespaceDraft {
  readonly namespace: '';
  readonly name: string;
  readonly uid: string;
  readonly row: NamespaceEntity;
}

export class NamespaceState implements Shelved {
  readonly resource: string;
  row: NamespaceEntity;
  published: NamespaceEntity | undefined;
  seenIn = 0;
  fingerprint = 0;

  constructor(resource: string, row: NamespaceEntity) {
    this.resource = resource;
    this.row = row;
  }

  get uid(): string {
    return this.row.uid;
  }
}

export interface NamespaceShelfOptions {
  /** By uid. */
  readonly namespaces: Map<string, NamespaceState>;
  /** Those that are due. */
  readonly marked: () => Set<NamespaceState>;
  readonly policy: ValuePolicy;
  /** It was published and is gone. */
  readonly removed: (resource: string, published: NamespaceEntity | undefined) => void;
}

export function namespaceShelf(
  resource: string,
  { namespaces, marked, policy, removed }: NamespaceShelfOptions,
): Shelf<NamespaceRecord, NamespaceDraft, NamespaceState> {
  return {
    draft: (record) => draftNamespace(record, policy),
    isSame: (state, { row }) => isSameButJoined(state.row, row),
    create: (draft) => {
      const state = new NamespaceState(resource, draft.row);
      namespaces.set(draft.uid, state);
      marked().add(state);
      return state;
    },
    update: (state, draft) => {
      state.row = draft.row;
      marked().add(state);
    },
    remove: (state) => {
      namespaces.delete(state.uid);
      marked().delete(state);
      removed(resource, state.published);
    },
  };
}

function draftNamespace(record: NamespaceRecord, policy: ValuePolicy): NamespaceDraft {
  const { name, uid, creationTimeMs } = record;
  const row: NamespaceEntity = {
    kind: 'Namespace',
    uid,
    namespace: '',
    name,
    creationTimeMs,
    ...encodeNamespaceRecord(record, policy),
    joined: NO_BYTES,
  };
  return { namespace: '', name, uid, row };
}
