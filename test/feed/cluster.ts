// A picture that changes: makes entities with real encoded bytes, numbers changes densely as the catalog does, and can
// say what a filter would show of it now.

import { toByteString, NO_BYTES } from '../../src/model/byte-string.ts';
import type { ChangeBatch, EntityChange } from '../../src/model/changes.ts';
import type { Entity, EntityKind } from '../../src/model/entities.ts';
import { PLAIN_POD, PLAIN_SERVICE } from '../entities.ts';
import type { FilterCriteria } from '../../src/feed/log/filter.ts';
import type { LabelRequirement } from '../../src/model/kubernetes/label-selector.ts';
import { messageType } from '../../src/wire/schema.ts';

export interface EntitySpec {
  readonly kind: EntityKind;
  readonly namespace: string;
  readonly name: string;
  readonly nodeName?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** Only makes the bytes differ. */
  readonly revision?: number;
  /** Bytes of ballast in an annotation. */
  readonly ballast?: number;
}

export function entity(spec: EntitySpec, uid: string): Entity {
  const { kind, name, nodeName = '', labels = {}, revision = 0 } = spec;
  const isClusterScoped = kind === 'Node' || kind === 'Namespace';
  const namespace = isClusterScoped ? '' : spec.namespace;
  const type = messageType(`digger.v1.${kind}`);
  const basic = {
    uid,
    name,
    ...(kind === 'Node' ? { zone: `zone-${revision}` } : isClusterScoped ? {} : { namespace }),
    ...(kind === 'Pod' ? { nodeName, addresses: [`10.0.0.${revision % 250}`] } : {}),
    ...(kind === 'Service' ? { clusterAddresses: [`10.96.0.${revision % 250}`] } : {}),
    ...(kind === 'Workload' ? { apiVersion: 'apps/v1', kind: 'Deployment', incomplete: revision % 2 === 1 } : {}),
  };
  const first = type.encode(basic).finish();
  const annotations = { note: `revision ${revision}${'x'.repeat(spec.ballast ?? 0)}` };
  const second = type.encode(kind === 'Node' ? { labels } : { labels, annotations }).finish();
  const facts = {
    uid,
    namespace,
    name,
    creationTimeMs: undefined,
    own: toByteString(Buffer.from(first)),
    joined: NO_BYTES,
    values: toByteString(Buffer.from(second)),
    rest: NO_BYTES,
  };
  switch (kind) {
    case 'Pod':
      return {
        ...PLAIN_POD,
        ...facts,
        nodeName,
        workload: { apiVersion: 'v1', kind: 'Pod', namespace, name, uid, incomplete: false },
      };
    case 'Service':
      return { ...PLAIN_SERVICE, ...facts };
    case 'Node':
      return { ...facts, kind, deletionTimeMs: undefined, addresses: [], podRanges: [] };
    case 'Namespace':
      return { ...facts, kind };
    case 'Workload':
      return {
        ...facts,
        kind,
        apiVersion: 'apps/v1',
        workloadKind: 'Deployment',
        ownerChain: [],
        topLevel: true,
      };
  }
}

/** The catalog's side: what lives now, by kind, namespace and name. */
export class Picture {
  readonly #live = new Map<string, { readonly spec: EntitySpec; readonly entity: Entity }>();
  readonly #onBatch: (batch: ChangeBatch) => void;
  sequence = 0;
  #uids = 0;

  constructor(onBatch: (batch: ChangeBatch) => void) {
    this.#onBatch = onBatch;
  }

  /** Adds or updates, keeping the uid. */
  set(spec: EntitySpec): string {
    const key = liveKey(spec.kind, spec.namespace, spec.name);
    const before = this.#live.get(key)?.entity;
    const uid = before?.uid ?? `uid-${++this.#uids}`;
    const after = entity(spec, uid);
    this.#live.set(key, { spec, entity: after });
    this.#emit([{ sequence: ++this.sequence, before, after }]);
    return uid;
  }

  remove(kind: EntityKind, namespace: string, name: string): void {
    const key = liveKey(kind, namespace, name);
    const before = this.#live.get(key)?.entity;
    if (before === undefined) return;
    this.#live.delete(key);
    this.#emit([{ sequence: ++this.sequence, before, after: undefined }]);
  }

  /** Deleted and created under the same name within one source change. */
  recreate(spec: EntitySpec): void {
    const key = liveKey(spec.kind, spec.namespace, spec.name);
    const before = this.#live.get(key)?.entity;
    const after = entity(spec, `uid-${++this.#uids}`);
    this.#live.set(key, { spec, entity: after });
    const removal = before === undefined ? [] : [{ sequence: ++this.sequence, before, after: undefined }];
    this.#emit([...removal, { sequence: ++this.sequence, before: undefined, after }]);
  }

  /** What passes the filter: key of the consumer → whole encoded entity. Written without the feed's own filter. */
  visible(criteria: FilterCriteria): ReadonlyMap<string, Entity> {
    const shown = new Map<string, Entity>();
    for (const { spec, entity: live } of this.#live.values()) {
      if (criteria.kinds.length > 0 && !criteria.kinds.includes(spec.kind)) continue;
      const namespace = spec.kind === 'Namespace' ? spec.name : live.namespace;
      if (criteria.namespaces.length > 0 && !criteria.namespaces.includes(namespace)) continue;
      const { namespaceSelector = [] } = criteria;
      const ofNamespace = this.#live.get(liveKey('Namespace', '', namespace))?.spec.labels;
      const isIn = ofNamespace !== undefined && namespaceSelector.every((each) => meets(ofNamespace, each));
      if (namespaceSelector.length > 0 && !isIn) continue;
      const node = spec.kind === 'Node' ? spec.name : spec.kind === 'Pod' ? (spec.nodeName ?? '') : '';
      if (criteria.nodeNames.length > 0 && !criteria.nodeNames.includes(node)) continue;
      const { labelSelector = [] } = criteria;
      if (!labelSelector.every((each) => meets(spec.labels ?? {}, each))) continue;
      if ([...criteria.labels].some(([key, value]) => spec.labels?.[key] !== value)) continue;
      const workload = spec.kind === 'Workload' ? ['apps/v1', 'Deployment'] : ['', ''];
      shown.set([spec.kind.toLowerCase(), ...workload, live.namespace, spec.name].join('|'), live);
    }
    return shown;
  }

  #emit(changes: readonly EntityChange[]): void {
    this.#onBatch({
      changes,
      seen: { atMs: 0 },
      position: { resource: 'pods', resourceVersion: String(this.sequence) },
    });
  }
}

function liveKey(kind: EntityKind, namespace: string, name: string): string {
  return `${kind}/${kind === 'Node' || kind === 'Namespace' ? '' : namespace}/${name}`;
}

/** What the operators mean, in plain lines. */
function meets(labels: Readonly<Record<string, string>>, { key, operator, values }: LabelRequirement): boolean {
  const value = labels[key];
  switch (operator) {
    case 'exists':
      return value !== undefined;
    case 'absent':
      return value === undefined;
    case 'in':
      return value !== undefined && values.includes(value);
    case 'notin':
      return value === undefined || !values.includes(value);
    case 'gt':
      return value !== undefined && Number(value) > Number(values[0]);
    case 'lt':
      return value !== undefined && Number(value) < Number(values[0]);
  }
}

export function everything(criteria: Partial<FilterCriteria> = {}): FilterCriteria {
  return { kinds: [], namespaces: [], nodeNames: [], labels: new Map(), ...criteria };
}
