// A catalog with everything it told its listener, and a copy that is kept from nothing but those changes.

import assert from 'node:assert/strict';
import { Registry } from '@prometheus-io/client';
import { Catalog, type CatalogOptions, type CatalogStore } from '../../src/catalog/catalog.ts';
import type { ChangeBatch } from '../../src/model/changes.ts';
import type { Entity } from '../../src/model/entities.ts';
import type {
  EndpointSliceRecord,
  KubernetesRecord,
  NamespaceRecord,
  NodeRecord,
  OwnerRecord,
  PodRecord,
  ServiceRecord,
} from '../../src/model/kubernetes/records.ts';
import { encodedBytes } from '../../src/wire/encoded-entity.ts';
import { messageType } from '../../src/wire/schema.ts';

export const SEEN = { atMs: 1_700_000_100_000 };

export class Harness {
  readonly registry = new Registry();
  readonly catalog: Catalog;
  readonly batches: ChangeBatch[] = [];
  /** Entities by uid, from the changes alone. */
  readonly copy = new Map<string, Entity>();
  /** Entities by the consumer's key, from the changes alone. */
  readonly byKey = new Map<string, Entity>();
  /** By resource, of those that have objects. */
  readonly digests = new Map<string, number>();
  readonly #stores: CatalogStores;
  #version = 100;

  constructor(options: Partial<CatalogOptions> = {}) {
    this.catalog = new Catalog({ registry: this.registry, ...options });
    this.#stores = storesOf(this.catalog);
    let sequence = 0;
    this.catalog.onBatch((batch) => {
      this.batches.push(batch);
      const { resource, digest = 0 } = batch.position;
      if (digest === 0) this.digests.delete(resource);
      else if (batch.unfinished !== true) this.digests.set(resource, digest);
      for (const { sequence: given, before, after } of batch.changes) {
        sequence += 1;
        assert.equal(given, sequence, 'sequences are dense');
        assert.equal(this.catalog.sequence >= given, true);
        const held = this.copy.get(before?.uid ?? after?.uid ?? '');
        assert.equal(held, before, 'before is what was told last');
        if (after === undefined) this.copy.delete(before?.uid ?? '');
        else this.copy.set(after.uid, after);
        // The invariant of keys: a change is of one key, and of what consumers hold under it.
        const key = readableKey(after ?? before ?? assert.fail('a change of nothing'));
        assert.equal(before === undefined || readableKey(before) === key, true, 'before and after share their key');
        assert.equal(this.byKey.get(key), before, 'before is what consumers hold under the key');
        if (after === undefined) this.byKey.delete(key);
        else this.byKey.set(key, after);
      }
    });
  }

  /** Opened, and with the story forgotten. */
  static async open(...records: KubernetesRecord[]): Promise<Harness> {
    const harness = new Harness();
    for (const record of records) harness.put(record);
    await harness.catalog.open();
    harness.batches.length = 0;
    return harness;
  }

  put(...records: KubernetesRecord[]): void {
    for (const record of records) this.store(record).upsert(record, this.version(), SEEN);
  }

  remove(...records: KubernetesRecord[]): void {
    for (const record of records) this.store(record).remove(record, this.version(), SEEN);
  }

  async relist(type: KubernetesRecord['type'], records: readonly KubernetesRecord[]): Promise<void> {
    const replacement = this.storeOf(type).beginReplace();
    for (const record of records) replacement.add(record);
    await replacement.commit(this.version(), SEEN);
  }

  version(): string {
    this.#version += 1;
    return String(this.#version);
  }

  store(record: KubernetesRecord): CatalogStore<KubernetesRecord> {
    return this.storeOf(record.type);
  }

  storeOf(type: KubernetesRecord['type']): CatalogStore<KubernetesRecord> {
    return (this.#stores as Partial<Record<typeof type, unknown>>)[type] as CatalogStore<KubernetesRecord>;
  }

  /** What was told since the last call, e.g. `~ Pod web-0`: + came, ~ changed, - went. */
  told(): string[] {
    const lines = this.batches.splice(0).flatMap(({ changes }) =>
      changes.map(({ before, after }) => {
        const { kind, name } = after ?? before ?? assert.fail('a change of nothing');
        return `${after === undefined ? '-' : before === undefined ? '+' : '~'} ${kind} ${name}`;
      }),
    );
    return lines.sort();
  }

  pod(name: string) {
    return this.catalog.pod('shop', name) ?? assert.fail(`no pod ${name}`);
  }

  service(name: string) {
    return this.catalog.service('shop', name) ?? assert.fail(`no service ${name}`);
  }
}

export interface CatalogStores {
  readonly Pod: CatalogStore<PodRecord>;
  readonly Service: CatalogStore<ServiceRecord>;
  readonly EndpointSlice: CatalogStore<EndpointSliceRecord>;
  readonly Node: CatalogStore<NodeRecord>;
  readonly Owner: CatalogStore<OwnerRecord>;
  readonly Namespace: CatalogStore<NamespaceRecord>;
}

/** A store of each type, as for a cluster that is watched as a whole. */
export function storesOf(catalog: Catalog): CatalogStores {
  return {
    Pod: catalog.store('Pod', 'pods'),
    Service: catalog.store('Service', 'services'),
    EndpointSlice: catalog.store('EndpointSlice', 'endpointslices.discovery.k8s.io'),
    Node: catalog.store('Node', 'nodes'),
    Owner: catalog.store('Owner', 'deployments.apps'),
    Namespace: catalog.store('Namespace', 'namespaces'),
  };
}

/** `Pod shop/web-0`, `Workload apps/v1 Deployment shop/web`. */
export function readableKey(entity: Entity): string {
  const { kind, namespace, name } = entity;
  const of = kind === 'Workload' ? ` ${entity.apiVersion} ${entity.workloadKind}` : '';
  return `${kind}${of} ${namespace}/${name}`;
}

/** Entities by kind, as a scrape tells them. */
export async function scrapedCounts({ registry }: Harness): Promise<Record<string, number>> {
  const text = await registry.metrics();
  const found = text.matchAll(/^digger_catalog_entities{kind="(\w+)"} (\d+)$/gm);
  return Object.fromEntries([...found].map(([, kind, count]) => [kind, Number(count)]));
}

/** The same, counted. */
export function countsOf(entities: Iterable<Entity>): Record<string, number> {
  const counts: Record<string, number> = { Pod: 0, Service: 0, Node: 0, Workload: 0, Namespace: 0 };
  for (const { kind } of entities) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

/** The message in an entity's bytes, as a reader who knows only the contract sees it. */
export function decode(entity: Entity): Record<string, unknown> {
  const type = messageType(`digger.v1.${entity.kind}`);
  return type.toObject(type.decode(encodedBytes(entity)), { longs: Number, enums: String });
}

/** `Deployment web`, with `?` when incomplete. */
export function brief(reference: { kind: string; name: string; incomplete: boolean }): string {
  return `${reference.kind} ${reference.name}${reference.incomplete ? '?' : ''}`;
}
