// What the catalog tells Prometheus. Gauges are read at scrape time; label values are resources and kinds.

import { Counter, Gauge, type Registry } from '@prometheus-io/client';
import type { EntityKind } from '../model/entities.ts';

export interface CatalogCounts {
  /** Objects by resource. */
  objects(): ReadonlyMap<string, number>;
  /** Published entities by kind. */
  entities(): Readonly<Record<EntityKind, number>>;
  /** Pods and services of namespaces that are not published. */
  hiddenEntities(): number;
  /** Owners that vanished while pods below them live. */
  retainedOwners(): number;
  /** Annotations of secondary networks of which something was left out, by why. */
  networkProblems(): Readonly<Record<string, number>>;
  /** Entities that do not list everything that other objects add to them. */
  cutEntities(): number;
}

export interface CatalogMetrics {
  changed(kind: EntityKind): void;
  unchanged(resource: string): void;
}

export function createCatalogMetrics(registry: Registry, counts: CatalogCounts): CatalogMetrics {
  const registers = [registry];
  new Gauge({
    name: 'digger_objects',
    help: 'Objects known, by resource',
    labelNames: ['resource'],
    registers,
    collect() {
      for (const [resource, count] of counts.objects()) this.set({ resource }, count);
    },
  });
  new Gauge({
    name: 'digger_catalog_entities',
    help: 'Published entities, by kind',
    labelNames: ['kind'],
    registers,
    collect() {
      for (const [kind, count] of Object.entries(counts.entities())) this.set({ kind }, count);
    },
  });
  new Gauge({
    name: 'digger_catalog_hidden_entities',
    help: 'Pods and services of namespaces that --namespace-rule hides; they hold addresses, and nothing else is known',
    registers,
    collect() {
      this.set(counts.hiddenEntities());
    },
  });
  new Counter({
    name: 'digger_pod_network_annotations_rejected_total',
    help: 'Times that a pod was read whose annotations of secondary networks were malformed, too long or too many, in part',
    labelNames: ['reason'],
    registers,
    collect() {
      this.reset();
      for (const [reason, count] of Object.entries(counts.networkProblems())) this.inc({ reason }, count);
    },
  });
  new Gauge({
    name: 'digger_catalog_retained_owners',
    help: 'Owners that were deleted while pods below them live; bounded by the live pods',
    registers,
    collect() {
      this.set(counts.retainedOwners());
    },
  });
  new Gauge({
    name: 'digger_catalog_cut_entities',
    help: 'Entities with more services, workloads or manual endpoints than they list',
    registers,
    collect() {
      this.set(counts.cutEntities());
    },
  });
  const changes = new Counter({
    name: 'digger_catalog_changes_total',
    help: 'Changes of published entities, by kind',
    labelNames: ['kind'],
    registers,
  });
  const noops = new Counter({
    name: 'digger_catalog_noop_updates_total',
    help: 'Updates that changed nothing that is kept, by resource',
    labelNames: ['resource'],
    registers,
  });
  return {
    changed: (kind) => changes.inc({ kind }),
    unchanged: (resource) => noops.inc({ resource }),
  };
}
