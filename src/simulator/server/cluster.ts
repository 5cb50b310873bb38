// The simulated cluster's storage: every object of every resource under one increasing resourceVersion.
//
// Verbs for tests and for the demo's controllers, with the effects that the real ones have: the server assigns uid,
// creationTimestamp and resourceVersion, a write that changes nothing makes no event, a delete event carries the last
// state under a new resourceVersion. Nothing here is validated: garbage in, garbage watched. Every verb is synchronous
// and throws on what the real API would answer with 404 or 409.

import { createUid, type KubernetesObject, mergePatch, type StoredObject, toTimestamp } from './stored-objects.ts';
import { ResourceStore, storeKey } from './resource-store.ts';
import {
  apiVersionOf,
  BUILT_IN_RESOURCES,
  type CustomResource,
  type Resource,
  resourceName,
} from './served-resources.ts';

export interface ClusterOptions {
  /** Numbers in [0, 1), for uids. */
  readonly random: () => number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Events kept per resource, up to twice that before a block is dropped. */
  readonly maxHistoryEvents: number;
  /** The first write gets the next one. May lie beyond 64 bits to test clients. */
  readonly firstResourceVersion: bigint;
}

export class Cluster {
  readonly #options: ClusterOptions;
  readonly #stores = new Map<string, ResourceStore>();
  #resourceVersion: bigint;

  constructor(options: ClusterOptions) {
    this.#options = options;
    this.#resourceVersion = options.firstResourceVersion;
    for (const resource of BUILT_IN_RESOURCES) {
      this.#add(resource);
    }
  }

  /** The newest version in the whole cluster. */
  get resourceVersion(): bigint {
    return this.#resourceVersion;
  }

  get stores(): readonly ResourceStore[] {
    return [...this.#stores.values()];
  }

  /** Serves a custom kind from now on, as a CustomResourceDefinition does. */
  registerCustomResource(definition: CustomResource): void {
    this.#add({ ...definition, namespaced: definition.namespaced ?? true, custom: true });
  }

  /** `pods`, `deployments.apps`, or a plural without its group where that is unambiguous (`deployments`). */
  store(resource: string): ResourceStore {
    const exact = this.#stores.get(resource);
    if (exact !== undefined) {
      return exact;
    }
    const found = this.stores.filter((store) => store.resource.plural === resource);
    if (found.length !== 1 || found[0] === undefined) {
      throw new Error(`resource ${JSON.stringify(resource)} names ${found.length} served resources`);
    }
    return found[0];
  }

  /** Throws when the object exists. */
  create(resource: string, object: KubernetesObject): StoredObject {
    const store = this.store(resource);
    const key = storeKey(object.metadata.namespace, object.metadata.name);
    if (store.get(key) !== undefined) {
      throw new Error(`${resource} ${key} already exists`);
    }
    const created = this.#stamp(store.resource, object, {
      uid: object.metadata.uid ?? createUid(this.#options.random),
      creationTimestamp: object.metadata.creationTimestamp ?? toTimestamp(this.#options.now()),
      generation: object.metadata.generation ?? 1,
    });
    store.apply({
      type: 'ADDED',
      key,
      object: created,
      previous: undefined,
      resourceVersion: this.#resourceVersion,
    });
    return created;
  }

  /** Replaces the object; uid and creationTimestamp stay. No event when nothing changes. Throws when it is missing. */
  update(resource: string, object: KubernetesObject): StoredObject {
    const store = this.store(resource);
    const key = storeKey(object.metadata.namespace, object.metadata.name);
    const previous = this.#existing(store, resource, key);
    const specChanged = JSON.stringify(previous['spec']) !== JSON.stringify(object['spec']);
    const { uid, creationTimestamp } = previous.metadata;
    const generation = (previous.metadata.generation ?? 1) + (specChanged ? 1 : 0);
    const candidate: KubernetesObject = {
      ...object,
      apiVersion: previous.apiVersion,
      kind: previous.kind,
      metadata: {
        ...object.metadata,
        uid,
        creationTimestamp,
        generation,
        resourceVersion: previous.metadata.resourceVersion,
      },
    };
    if (sameContent(previous, candidate)) {
      return previous;
    }
    const updated = this.#stamp(store.resource, object, { uid, creationTimestamp, generation });
    store.apply({ type: 'MODIFIED', key, object: updated, previous, resourceVersion: this.#resourceVersion });
    return updated;
  }

  /** JSON merge patch on the whole object, `status` included. */
  patch(
    resource: string,
    namespace: string | undefined,
    name: string,
    patch: Readonly<Record<string, unknown>>,
  ): StoredObject {
    const previous = this.#existing(this.store(resource), resource, storeKey(namespace, name));
    return this.update(resource, mergePatch(previous, patch) as KubernetesObject);
  }

  /** Removes the object at once, whatever its finalizers say. Throws when it is missing. */
  delete(resource: string, namespace: string | undefined, name: string): StoredObject {
    const store = this.store(resource);
    const key = storeKey(namespace, name);
    const previous = this.#existing(store, resource, key);
    const { uid, creationTimestamp, generation } = previous.metadata;
    const deleted = this.#stamp(store.resource, previous, { uid, creationTimestamp, generation: generation ?? 1 });
    store.apply({ type: 'DELETED', key, object: deleted, previous, resourceVersion: this.#resourceVersion });
    return deleted;
  }

  get(resource: string, namespace: string | undefined, name: string): StoredObject | undefined {
    return this.store(resource).get(storeKey(namespace, name));
  }

  list(resource: string, namespace?: string): readonly StoredObject[] {
    const objects = this.store(resource)
      .list()
      .map(([, object]) => object);
    return namespace === undefined ? objects : objects.filter((object) => object.metadata.namespace === namespace);
  }

  /** Writes to objects that are not watched: the version moves on, as it does in a cluster with leases and events. */
  advanceResourceVersion(steps = 1): void {
    this.#resourceVersion += BigInt(steps);
  }

  /** Forgets the past of one resource or of all: watches from before get 410, open ones go on. */
  compact(resource?: string): void {
    for (const store of resource === undefined ? this.stores : [this.store(resource)]) {
      store.compact(this.#resourceVersion);
    }
  }

  #add(resource: Resource): void {
    const store = new ResourceStore(resource, this.#options.maxHistoryEvents, this.#resourceVersion);
    this.#stores.set(resourceName(resource), store);
  }

  #existing(store: ResourceStore, resource: string, key: string): StoredObject {
    const object = store.get(key);
    if (object === undefined) {
      throw new Error(`${resource} ${key} not found`);
    }
    return object;
  }

  /** Takes the next resourceVersion. */
  #stamp(
    resource: Resource,
    object: KubernetesObject,
    assigned: { readonly uid: string; readonly creationTimestamp: string; readonly generation: number },
  ): StoredObject {
    this.#resourceVersion += 1n;
    const { kind: _kind, apiVersion: _apiVersion, metadata, ...content } = object;
    // kind and apiVersion first, as the real server writes them: clients may look at the beginning only.
    return {
      kind: resource.kind,
      apiVersion: apiVersionOf(resource),
      metadata: { ...metadata, ...assigned, resourceVersion: this.#resourceVersion.toString() },
      ...content,
    };
  }
}

/** Equal as JSON, whatever the order of fields. */
function sameContent(left: unknown, right: unknown): boolean {
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) {
    return left === right;
  }
  if (Array.isArray(left) || Array.isArray(right)) {
    return (
      Array.isArray(left) &&
      Array.isArray(right) &&
      left.length === right.length &&
      left.every((item, index) => sameContent(item, right[index]))
    );
  }
  const leftFields = Object.entries(left).filter(([, value]) => value !== undefined);
  const rightFields = new Map(Object.entries(right).filter(([, value]) => value !== undefined));
  return (
    leftFields.length === rightFields.size &&
    leftFields.every(([field, value]) => rightFields.has(field) && sameContent(value, rightFields.get(field)))
  );
}
