// The objects that a feed tells of, by the key of its consumers and by uid: those that are there, and former ones that
// timelines still name. Kept as the bytes that came; one is read when somebody asks for it.

import { type ByteString, toByteString } from '../model/byte-string.ts';
import { keyOf } from '../model/entity-key.ts';
import { decodeToJson, type JsonObject } from '../wire/proto-json.ts';
import { eachField, fieldNumbers, type FieldReader, messageEnd, valueNames } from './message-fields.ts';

/** The kinds of entities, as `digger.v1.Entity` has them. */
export type EntityKind = 'Pod' | 'Service' | 'Node' | 'Workload' | 'Namespace';

/** What finds an object by its name. */
export type EntityName =
  | { readonly kind: 'Pod' | 'Service'; readonly namespace: string; readonly name: string }
  | { readonly kind: 'Node' | 'Namespace'; readonly namespace: ''; readonly name: string }
  | {
      readonly kind: 'Workload';
      readonly apiVersion: string;
      readonly workloadKind: string;
      readonly namespace: string;
      readonly name: string;
    };

/** An object as it came. */
export interface ReplicaEntity {
  readonly kind: EntityKind;
  readonly uid: string;
  /** Gone; kept because timelines name it. */
  readonly isFormer: boolean;
  /** The message `digger.v1.Pod` (and so on) in its JSON form. */
  readonly message: JsonObject;
}

/** What it may hold. */
export interface EntityBounds {
  readonly maxEntities: number;
  readonly maxEntityBytes: number;
}

interface Stored {
  readonly kind: EntityKind;
  readonly uid: string;
  readonly bytes: ByteString;
}

const FIELDS = fieldNumbers('digger.v1.Entity', ['pod', 'service', 'node', 'workload', 'namespace']);
const KINDS = new Map<number, EntityKind>([
  [FIELDS.pod, 'Pod'],
  [FIELDS.service, 'Service'],
  [FIELDS.node, 'Node'],
  [FIELDS.workload, 'Workload'],
  [FIELDS.namespace, 'Namespace'],
]);
const NAMES = {
  Pod: fieldNumbers('digger.v1.Pod', ['uid', 'namespace', 'name']),
  Service: fieldNumbers('digger.v1.Service', ['uid', 'namespace', 'name']),
  Node: fieldNumbers('digger.v1.Node', ['uid', 'name']),
  Workload: fieldNumbers('digger.v1.Workload', ['uid', 'namespace', 'name', 'apiVersion', 'kind']),
  Namespace: fieldNumbers('digger.v1.Namespace', ['uid', 'name']),
} as const;
const REMOVAL = fieldNumbers('digger.v1.Removal', [
  'kind',
  'namespace',
  'name',
  'uid',
  'workloadApiVersion',
  'workloadKind',
]);
const FORGOTTEN = fieldNumbers('digger.v1.Forgotten', ['kind', 'uid']);
/** `digger.v1.EntityKind` by number. */
const KIND_NUMBERS = valueNames<string>('digger.v1.EntityKind', 'ENTITY_KIND_').map((name) =>
  [...KINDS.values()].find((kind) => kind.toUpperCase() === name),
);

export class EntityStore {
  readonly #bounds: EntityBounds;
  readonly #byKey = new Map<string, Stored>();
  readonly #byUid = new Map<string, Stored>();
  readonly #former = new Map<string, Stored>();
  #bytes = 0;
  #leftOut = 0;

  constructor(bounds: EntityBounds) {
    this.#bounds = bounds;
  }

  get size(): number {
    return this.#byKey.size;
  }

  /** Of the objects that are kept, former ones too. */
  get bytes(): number {
    return this.#bytes;
  }

  /** How often an object was not kept, because of a bound. */
  get leftOut(): number {
    return this.#leftOut;
  }

  /** `digger.v1.Entity`: it is there now, or (`isFormer`) it was. Returns its uid; unset for a kind unknown here. */
  put(reader: FieldReader, end: number, isFormer: boolean): string | undefined {
    let stored: Stored | undefined;
    let key = '';
    eachField(reader, end, (field) => {
      const kind = KINDS.get(field);
      if (kind === undefined) return false;
      const messageEndsAt = messageEnd(reader);
      const from = reader.pos;
      const name = readName(kind, reader, messageEndsAt);
      key = keyOf(name.key);
      const message = Buffer.from(reader.buf.buffer, reader.buf.byteOffset + from, messageEndsAt - from);
      stored = { kind, uid: name.uid, bytes: toByteString(message) };
      return true;
    });
    if (stored === undefined) return undefined;
    if (isFormer) this.#replace(this.#former, stored.uid, stored);
    else {
      this.#unlist(this.#byKey.get(key));
      if (this.#replace(this.#byKey, key, stored)) this.#byUid.set(stored.uid, stored);
    }
    return stored.uid;
  }

  /** `digger.v1.Removal`. Returns the uid of what is gone. */
  remove(reader: FieldReader, end: number): string {
    let kindNumber = 0;
    const parts = { namespace: '', name: '', uid: '', apiVersion: '', workloadKind: '' };
    eachField(reader, end, (field) => {
      switch (field) {
        case REMOVAL.kind:
          kindNumber = reader.uint32();
          return true;
        case REMOVAL.namespace:
          parts.namespace = reader.string();
          return true;
        case REMOVAL.name:
          parts.name = reader.string();
          return true;
        case REMOVAL.uid:
          parts.uid = reader.string();
          return true;
        case REMOVAL.workloadApiVersion:
          parts.apiVersion = reader.string();
          return true;
        case REMOVAL.workloadKind:
          parts.workloadKind = reader.string();
          return true;
        default:
          return false;
      }
    });
    const kind = KIND_NUMBERS[kindNumber];
    if (kind === undefined) return parts.uid;
    const key = keyOf({ ...parts, kind } as EntityName);
    // Another uid under the name: its successor has come already, from another server.
    const before = this.#byKey.get(key);
    if (before?.uid === parts.uid) {
      this.#unlist(before);
      this.#drop(this.#byKey, key);
    }
    return parts.uid;
  }

  /** `digger.v1.Forgotten`. */
  forget(reader: FieldReader, end: number): void {
    let uid = '';
    eachField(reader, end, (field) => {
      if (field !== FORGOTTEN.uid) return false;
      uid = reader.string();
      return true;
    });
    this.#drop(this.#former, uid);
  }

  byName(name: EntityName): ReplicaEntity | undefined {
    return read(this.#byKey.get(keyOf(name)), false);
  }

  /** Also of an object that is gone, as long as timelines name it. */
  byUid(uid: string): ReplicaEntity | undefined {
    return read(this.#byUid.get(uid), false) ?? read(this.#former.get(uid), true);
  }

  /** False: a bound does not allow it, and what was there is gone too: it is not true any more. */
  #replace(map: Map<string, Stored>, key: string, stored: Stored): boolean {
    this.#drop(map, key);
    const isFull =
      this.#byKey.size + this.#former.size >= this.#bounds.maxEntities ||
      this.#bytes + stored.bytes.length > this.#bounds.maxEntityBytes;
    if (isFull) {
      this.#leftOut++;
      return false;
    }
    map.set(key, stored);
    this.#bytes += stored.bytes.length;
    return true;
  }

  /** An object that was told under another key since then stays listed by its uid. */
  #unlist(stored: Stored | undefined): void {
    if (stored !== undefined && this.#byUid.get(stored.uid) === stored) this.#byUid.delete(stored.uid);
  }

  #drop(map: Map<string, Stored>, key: string): void {
    const before = map.get(key);
    if (before === undefined) return;
    map.delete(key);
    this.#bytes -= before.bytes.length;
  }
}

function read(stored: Stored | undefined, isFormer: boolean): ReplicaEntity | undefined {
  if (stored === undefined) return undefined;
  const { kind, uid, bytes } = stored;
  return { kind, uid, isFormer, message: decodeToJson(`digger.v1.${kind}`, Buffer.from(bytes, 'latin1')) };
}

function readName(
  kind: EntityKind,
  reader: FieldReader,
  end: number,
): { readonly uid: string; readonly key: EntityName } {
  const numbers: Readonly<Record<string, number | undefined>> = NAMES[kind];
  const parts = { namespace: '', name: '', uid: '', apiVersion: '', workloadKind: '' };
  eachField(reader, end, (field) => {
    if (field === numbers['uid']) parts.uid = reader.string();
    else if (field === numbers['namespace']) parts.namespace = reader.string();
    else if (field === numbers['name']) parts.name = reader.string();
    else if (field === numbers['apiVersion']) parts.apiVersion = reader.string();
    else if (field === numbers['kind']) parts.workloadKind = reader.string();
    else return false;
    return true;
  });
  return { uid: parts.uid, key: { ...parts, kind } as EntityName };
}
