// The simplest cluster there is: a log of what happened to a handful of pods, from which every past state can be told.
//
// Nothing is ever forgotten here, also where the API server in front of it has: so a test can ask whether a store is
// what the cluster was at the version that the store claims.

import type { StoredObject } from '../../../src/simulator/server/stored-objects.ts';

export interface ModelledEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  /** For DELETED: the last state under the version of the deletion. */
  readonly object: StoredObject;
  readonly version: bigint;
}

/** Name → what makes two states of a pod different: uid and label. */
export type State = ReadonlyMap<string, string>;

export class ModelledCluster {
  readonly #log: ModelledEvent[] = [];
  readonly #objects = new Map<string, StoredObject>();
  #version: bigint;
  #writes = 0;

  constructor(firstVersion: bigint) {
    this.#version = firstVersion;
  }

  get version(): bigint {
    return this.#version;
  }

  /** Creates or changes it. */
  put(name: string): ModelledEvent {
    const previous = this.#objects.get(name);
    const uid = previous?.metadata.uid ?? `uid-${this.#writes}`;
    return this.#append(previous === undefined ? 'ADDED' : 'MODIFIED', name, uid);
  }

  /** `undefined`: there was none. */
  remove(name: string): ModelledEvent | undefined {
    const previous = this.#objects.get(name);
    return previous === undefined ? undefined : this.#append('DELETED', name, previous.metadata.uid);
  }

  /** Writes that concern other resources. */
  advance(versions: number): void {
    this.#version += BigInt(versions);
  }

  /** Everything after this version never happened: what restoring a backup of etcd does. */
  restore(version: bigint): void {
    while ((this.#log.at(-1)?.version ?? 0n) > version) this.#log.pop();
    this.#version = version;
    this.#objects.clear();
    for (const object of this.objectsAt(version)) this.#objects.set(object.metadata.name, object);
  }

  eventsAfter(version: bigint): readonly ModelledEvent[] {
    return this.#log.filter((event) => event.version > version);
  }

  lastEvents(count: number): readonly ModelledEvent[] {
    return this.#log.slice(-count);
  }

  objectsAt(version: bigint): readonly StoredObject[] {
    const objects = new Map<string, StoredObject>();
    for (const event of this.#log) {
      if (event.version > version) break;
      if (event.type === 'DELETED') objects.delete(event.object.metadata.name);
      else objects.set(event.object.metadata.name, event.object);
    }
    return [...objects.values()].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  }

  stateAt(version: bigint): State {
    return new Map(this.objectsAt(version).map(({ metadata }) => [metadata.name, stateOf(metadata)]));
  }

  #append(type: ModelledEvent['type'], name: string, uid: string): ModelledEvent {
    this.#version += 1n;
    const revision = type === 'DELETED' ? 'deleted' : String(this.#writes);
    this.#writes += 1;
    const metadata = {
      ...{ name, namespace: 'shop', uid, resourceVersion: this.#version.toString() },
      ...{ creationTimestamp: '2026-01-02T03:04:05Z', labels: { revision } },
    };
    const object: StoredObject = { kind: 'Pod', apiVersion: 'v1', metadata };
    if (type === 'DELETED') this.#objects.delete(name);
    else this.#objects.set(name, object);
    const event: ModelledEvent = { type, object, version: this.#version };
    this.#log.push(event);
    return event;
  }
}

/** Of an object's metadata, or of a record. */
export function stateOf({
  uid,
  labels,
}: {
  readonly uid: string;
  readonly labels?: Readonly<Record<string, string>>;
}): string {
  return `${uid} ${labels?.['revision']}`;
}
