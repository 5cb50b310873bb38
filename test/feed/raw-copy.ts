// A consumer that keeps entities as the bytes that came, read by field numbers of the contract: quick enough for
// hundreds of thousands of frames, and shares nothing with the service's own encoding.

import assert from 'node:assert/strict';
import protobuf from 'protobufjs';
import { messageType } from '../../src/wire/schema.ts';

const number = (type: string, field: string): number => messageType(type).fields[field]?.id ?? 0;
const CHANGES = number('digger.v1.WatchResponse', 'changes');
const TOKEN = number('digger.v1.WatchResponse', 'resumeToken');
const RESET = number('digger.v1.WatchResponse', 'reset');
const SYNCED = number('digger.v1.WatchResponse', 'synced');
const UPSERT = number('digger.v1.Change', 'upsert');
const REMOVAL = number('digger.v1.Change', 'removal');
const Reset = messageType('digger.v1.Reset');
const Removal = messageType('digger.v1.Removal');
const ENTITIES = new Map(
  ['pod', 'service', 'node', 'workload', 'namespace'].map((kind) => [
    number('digger.v1.Entity', kind),
    { kind, type: messageType(`digger.v1.${kind[0]?.toUpperCase()}${kind.slice(1)}`) },
  ]),
);

interface Names {
  readonly namespace?: string;
  readonly name: string;
  readonly uid: string;
  readonly apiVersion?: string;
  readonly kind?: string;
}

export class RawCopy {
  /** By kind, API version and kind of a workload, namespace and name. */
  readonly entities = new Map<string, { readonly uid: string; readonly bytes: Uint8Array }>();
  /** By kind and uid, kept by uids alone: as consumers do it that do not care how an object is called. */
  readonly uids = new Set<string>();
  token: Uint8Array = new Uint8Array();
  synced = false;
  /** Reasons of all resets, in order. */
  readonly resets: string[] = [];
  changes = 0;

  apply(frame: Uint8Array): void {
    let hasToken = false;
    for (const { field, bytes } of fieldsOf(frame)) {
      switch (field) {
        case RESET:
          this.entities.clear();
          this.uids.clear();
          this.synced = false;
          this.resets.push(Reset.toObject(Reset.decode(bytes), { enums: String })['reason'] as string);
          break;
        case CHANGES:
          for (const change of fieldsOf(bytes)) this.#change(change.bytes);
          break;
        case SYNCED:
          assert.equal(this.synced, false, 'Synced comes once');
          this.synced = true;
          break;
        case TOKEN:
          assert.ok(bytes.byteLength <= 4096, `a token of ${bytes.byteLength} bytes`);
          this.token = Uint8Array.from(bytes);
          hasToken = true;
          break;
      }
    }
    assert.ok(hasToken, 'every frame carries a token');
  }

  /** Those who hold entities by their keys and those who hold them by their uids have the same. */
  assertOnePicture(): void {
    const byKey = [...this.entities].map(([key, { uid }]) => `${key.slice(0, key.indexOf('|'))} ${uid}`);
    assert.deepEqual([...this.uids].sort(), byKey.sort());
  }

  #change(bytes: Uint8Array): void {
    this.changes += 1;
    for (const { field, bytes: content } of fieldsOf(bytes)) {
      if (field === UPSERT) {
        for (const { field: kindField, bytes: entity } of fieldsOf(content)) {
          const { kind, type } = ENTITIES.get(kindField) ?? assert.fail(`no kind ${kindField}`);
          const names = type.decode(entity) as unknown as Names;
          this.entities.set(nameOf(kind, names), { uid: names.uid, bytes: Uint8Array.from(entity) });
          this.uids.add(`${kind} ${names.uid}`);
        }
      } else if (field === REMOVAL) {
        const removal = Removal.toObject(Removal.decode(content), { enums: String, defaults: true });
        const kind = String(removal['kind']).replace('ENTITY_KIND_', '').toLowerCase();
        const { workloadApiVersion: apiVersion, workloadKind } = removal as Record<string, string>;
        const key = nameOf(kind, {
          ...(removal as unknown as Names),
          apiVersion: apiVersion ?? '',
          kind: workloadKind ?? '',
        });
        this.uids.delete(`${kind} ${removal['uid']}`);
        // Another object under the name may have been told already by another replica.
        if (this.entities.get(key)?.uid === removal['uid']) this.entities.delete(key);
      }
    }
  }
}

/** The key of an entity in a copy. */
export function nameOf(
  kind: string,
  { namespace = '', name, apiVersion = '', kind: workloadKind = '' }: Names,
): string {
  return [kind, ...(kind === 'workload' ? [apiVersion, workloadKind] : []), namespace, name].join('|');
}

function* fieldsOf(message: Uint8Array): Generator<{ readonly field: number; readonly bytes: Uint8Array }> {
  const reader = new protobuf.Reader(message);
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if ((tag & 7) === 2) yield { field: tag >>> 3, bytes: reader.bytes() };
    else reader.skipType(tag & 7);
  }
}
