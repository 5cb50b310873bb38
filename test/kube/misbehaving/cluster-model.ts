// What is in the cluster behind the misbehaving server: objects of a few resources, and the last events of each.
//
// One version counter for all, as in etcd. History is bounded: a version older than it is answered with 410, and that
// is also all the compaction there is. The state of a resource is compared as name → uid and revision.

import type { StoredObject } from '../../../src/simulator/server/stored-objects.ts';

export interface ModelEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  /** For DELETED: the last state under the version of the deletion. */
  readonly object: StoredObject;
  readonly version: number;
  /** Its frame cannot be decoded, however often it is sent. */
  readonly poisoned: boolean;
}

/** Plural → kind and apiVersion, of everything that the server serves. */
export const SERVED: Readonly<Record<string, { readonly kind: string; readonly apiVersion: string }>> = {
  pods: { kind: 'Pod', apiVersion: 'v1' },
  services: { kind: 'Service', apiVersion: 'v1' },
  nodes: { kind: 'Node', apiVersion: 'v1' },
  endpointslices: { kind: 'EndpointSlice', apiVersion: 'discovery.k8s.io/v1' },
  replicasets: { kind: 'ReplicaSet', apiVersion: 'apps/v1' },
};

/** Events kept of one resource. */
const HISTORY = 200;

export class ClusterModel {
  #version = 1_000;
  readonly #objects = new Map<string, Map<string, StoredObject>>();
  readonly #events = new Map<string, ModelEvent[]>();
  /** Per resource: watches from an older version get 410. */
  readonly #oldest = new Map<string, number>();
  #revision = 0;

  constructor() {
    for (const plural of Object.keys(SERVED)) {
      this.#objects.set(plural, new Map());
      this.#events.set(plural, []);
      this.#oldest.set(plural, this.#version);
    }
  }

  get version(): number {
    return this.#version;
  }

  /** Creates or changes it. */
  put(plural: string, name: string, poisoned = false): ModelEvent {
    const previous = this.#of(plural).get(name);
    return this.#append(plural, previous === undefined ? 'ADDED' : 'MODIFIED', name, previous?.metadata.uid, poisoned);
  }

  /** `undefined`: there was none. */
  remove(plural: string, name: string): ModelEvent | undefined {
    const previous = this.#of(plural).get(name);
    return previous && this.#append(plural, 'DELETED', name, previous.metadata.uid, false);
  }

  /** As after a restart: no watch goes on from before. */
  forget(): void {
    // Something was written that concerns nothing here.
    this.#version += 1;
    for (const plural of Object.keys(SERVED)) {
      this.#events.set(plural, []);
      this.#oldest.set(plural, this.#version);
    }
  }

  objects(plural: string): readonly StoredObject[] {
    return [...this.#of(plural).values()].toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  }

  /** `undefined`: the history does not reach back so far. */
  eventsAfter(plural: string, version: number): readonly ModelEvent[] | undefined {
    if (version < (this.#oldest.get(plural) ?? 0)) return undefined;
    return (this.#events.get(plural) ?? []).filter((event) => event.version > version);
  }

  /** `name uid revision`, sorted. */
  state(plural: string): readonly string[] {
    return this.objects(plural).map(({ metadata }) => stateOf(metadata));
  }

  #of(plural: string): Map<string, StoredObject> {
    const objects = this.#objects.get(plural);
    if (objects === undefined) throw new Error(`not served: ${plural}`);
    return objects;
  }

  #append(
    plural: string,
    type: ModelEvent['type'],
    name: string,
    knownUid: string | undefined,
    poisoned: boolean,
  ): ModelEvent {
    this.#version += 1;
    this.#revision += 1;
    const metadata = {
      name,
      ...(plural === 'nodes' ? {} : { namespace: 'shop' }),
      uid: knownUid ?? `uid-${this.#revision}`,
      resourceVersion: String(this.#version),
      creationTimestamp: '2026-01-02T03:04:05Z',
      labels: { revision: String(this.#revision) },
    };
    const type_ = SERVED[plural];
    if (type_ === undefined) throw new Error(`not served: ${plural}`);
    const object: StoredObject = { ...type_, metadata };
    if (type === 'DELETED') this.#of(plural).delete(name);
    else this.#of(plural).set(name, object);
    const event: ModelEvent = { type, object, version: this.#version, poisoned };
    const events = this.#events.get(plural) ?? [];
    events.push(event);
    const dropped = events.length > HISTORY ? events.shift() : undefined;
    if (dropped !== undefined) this.#oldest.set(plural, dropped.version);
    return event;
  }
}

/** Of an object's metadata, or of a record. */
export function stateOf({
  name,
  uid,
  labels,
}: {
  readonly name: string;
  readonly uid: string;
  readonly labels?: Readonly<Record<string, string>>;
}): string {
  return `${name} ${uid} ${labels?.['revision']}`;
}
