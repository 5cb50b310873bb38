// An answer of a replica in the JSON form of `digger.v1.Resolution`, with the objects that the replica keeps: what a
// service would send, but for named ranges and resource attributes, which only the service knows.

import type { ObjectReference } from '../model/entities.ts';
import type { JsonObject, JsonValue } from '../wire/proto-json.ts';
import type { Answer, Holder } from './answer.ts';
import type { ReplicaEntity } from './entity-store.ts';

/** Where the objects come from; a Replica is one. */
export interface ResolutionObjects {
  byUid(uid: string): ReplicaEntity | undefined;
  /** `digger.v1.Cluster`; unset: not known. */
  readonly cluster: JsonObject | undefined;
}

/** `address` in canonical form. */
export function resolutionJson(address: string, answer: Answer, objects: ResolutionObjects): JsonObject {
  const { outcome, holder, workload, candidates, uncertain, historySince, staleness } = answer;
  const { cluster } = objects;
  return {
    outcome: `OUTCOME_${outcome}`,
    ...(holder && { ...(!holder.hidden && targetJson(address, holder, objects)), ...claimJson(holder) }),
    ...(workload && { workload: workloadJson(workload, objects) }),
    ...(candidates.length > 0 && { candidates: candidates.map((each) => candidateJson(address, each, objects)) }),
    ...(uncertain && { uncertain }),
    ...(Number.isFinite(historySince) && { historySince: timeJson(historySince) }),
    ...(staleness !== undefined && { staleness: `${Math.round(staleness) / 1_000}s` }),
    ...(cluster && { cluster }),
  };
}

function candidateJson(address: string, holder: Holder, objects: ResolutionObjects): JsonObject {
  const { workload, uncertain, hidden } = holder;
  return {
    ...(!hidden && targetJson(address, holder, objects)),
    ...(workload && { workload: referenceJson(workload) }),
    ...claimJson(holder),
    ...(uncertain && { uncertain }),
    ...(hidden && { hidden }),
  };
}

function claimJson({ role, validFrom, validTo }: Holder): JsonObject {
  return {
    role: `ADDRESS_ROLE_${role}`,
    validFrom: timeJson(validFrom),
    ...(validTo !== undefined && { validTo: timeJson(validTo) }),
  };
}

function targetJson(address: string, holder: Holder, objects: ResolutionObjects): JsonObject {
  const { kind, role, namespace, name, uid } = holder;
  if (role === 'ENDPOINT' && kind === 'Service') {
    const service = { apiVersion: 'v1', kind: 'Service', namespace, name, uid };
    return { externalEndpoint: { address, service } };
  }
  const message = objects.byUid(uid)?.message ?? { uid, ...(namespace !== '' && { namespace }), name };
  return { [kind.toLowerCase()]: message };
}

function workloadJson(reference: ObjectReference, objects: ResolutionObjects): JsonObject {
  // A pod without an owner is its own workload, and no entity of the feed.
  return objects.byUid(reference.uid)?.kind === 'Workload'
    ? (objects.byUid(reference.uid)?.message ?? {})
    : referenceJson(reference);
}

function referenceJson(reference: ObjectReference): JsonObject {
  const entries: [string, JsonValue][] = Object.entries(reference);
  return Object.fromEntries(entries.filter(([, value]) => value !== '' && value !== false));
}

function timeJson(ms: number): string {
  return new Date(ms).toISOString().replace('.000Z', 'Z');
}
