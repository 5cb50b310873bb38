// LookupService.GetPod, GetService, GetNode, GetWorkload and GetNamespace: one object by name, and by uid where the
// caller means a certain object and not its successor under the name. They differ only in where they look.
//
// A namespace that is not watched is refused, and so is one that is not published: by its name alone, so that the
// refusal does not tell whether it exists. With `wait`, NOT_FOUND is said only after that time; when too many calls
// wait already, at once.

import { status } from '@grpc/grpc-js';
import type { CatalogReader } from '../../catalog/reader.ts';
import type { ClusterIdentity } from '../../model/cluster-identity.ts';
import type { Entity } from '../../model/entities.ts';
import type { PublishedNamespaces } from '../../model/namespaces/published-namespaces.ts';
import { writeDuration } from '../../wire/fields.ts';
import type { GetNamespaceRequest__Output } from '../../wire/generated/digger/v1/GetNamespaceRequest.ts';
import type { GetNodeRequest__Output } from '../../wire/generated/digger/v1/GetNodeRequest.ts';
import type { GetPodRequest__Output } from '../../wire/generated/digger/v1/GetPodRequest.ts';
import type { GetServiceRequest__Output } from '../../wire/generated/digger/v1/GetServiceRequest.ts';
import type { GetWorkloadRequest__Output } from '../../wire/generated/digger/v1/GetWorkloadRequest.ts';
import { startMessage } from '../../wire/message-writer.ts';
import { FieldTags } from '../../wire/field-tags.ts';
import type { CallContext, Staleness } from './call-context.ts';
import { CALL_COSTS } from '../limits/caller-rates.ts';
import { CallError } from '../errors/call-error.ts';
import { namespaceNotPublished, namespacesUnknown, objectNotFound } from '../errors/outcomes.ts';
import { entityKey, type NameWaiters, workloadKey } from './name-waiters.ts';
import { type PodAttributes, wishOf, writeAttributes } from './answers/otel-attributes.ts';
import { parseView, parseWait, requireText, Violations } from './requests/request-fields.ts';
import { kindHint, type KindHint, type WorkloadKind } from './answers/workload-kinds.ts';

export interface EntityLookup {
  readonly catalog: Pick<CatalogReader, 'pod' | 'service' | 'node' | 'workload' | 'namespace'>;
  readonly names: NameWaiters;
  /** What `getWorkload` finds, for callers that ask for something else. */
  readonly workloadKinds: () => readonly WorkloadKind[];
  /** Watched; empty: all. */
  readonly namespaces: readonly string[];
  readonly published: PublishedNamespaces;
  /** There is a list of namespaces. */
  readonly knowsNamespaces: () => boolean;
  readonly cluster: () => ClusterIdentity;
  readonly podAttributes: PodAttributes;
  readonly stalenessMs: Staleness;
}

type Answer = Uint8Array | Promise<Uint8Array>;

/** The encoded GetPodResponse. Throws CallError. */
export function getPod(request: GetPodRequest__Output, lookup: EntityLookup, call: CallContext): Answer {
  const { namespace, name } = request;
  const violations = new Violations();
  requireText(namespace, 'namespace', violations);
  requireText(name, 'name', violations);
  const find = () => lookup.catalog.pod(namespace, name);
  return answer(
    {
      request,
      violations,
      kind: 'pod',
      namespace,
      key: entityKey('Pod', namespace, name),
      find,
      tags: POD,
      attributes: wishOf(request.otelAttributes, lookup),
    },
    lookup,
    call,
  );
}

/** The encoded GetServiceResponse. Throws CallError. */
export function getService(request: GetServiceRequest__Output, lookup: EntityLookup, call: CallContext): Answer {
  const { namespace, name } = request;
  const violations = new Violations();
  requireText(namespace, 'namespace', violations);
  requireText(name, 'name', violations);
  const find = () => lookup.catalog.service(namespace, name);
  const key = entityKey('Service', namespace, name);
  return answer({ request, violations, kind: 'service', namespace, key, find, tags: SERVICE }, lookup, call);
}

/** The encoded GetNodeResponse. Throws CallError. */
export function getNode(request: GetNodeRequest__Output, lookup: EntityLookup, call: CallContext): Answer {
  const { name } = request;
  const violations = new Violations();
  requireText(name, 'name', violations);
  const find = () => lookup.catalog.node(name);
  const key = entityKey('Node', '', name);
  return answer({ request, violations, kind: 'node', namespace: '', key, find, tags: NODE }, lookup, call);
}

/** The encoded GetWorkloadResponse. Throws CallError. */
export function getWorkload(request: GetWorkloadRequest__Output, lookup: EntityLookup, call: CallContext): Answer {
  const { apiGroup, kind, namespace, name, uid } = request;
  const violations = new Violations();
  requireText(kind, 'kind', violations);
  requireText(name, 'name', violations);
  const find = () => lookup.catalog.workload(apiGroup, kind, namespace, name, uid);
  const key = workloadKey(apiGroup, kind, namespace, name);
  const hint = () => kindHint({ apiGroup, kind, namespace }, lookup.workloadKinds());
  return answer({ request, violations, kind, namespace, key, find, tags: WORKLOAD, hint }, lookup, call);
}

/** The encoded GetNamespaceResponse. Throws CallError. */
export function getNamespace(request: GetNamespaceRequest__Output, lookup: EntityLookup, call: CallContext): Answer {
  const { name } = request;
  const violations = new Violations();
  requireText(name, 'name', violations);
  const find = () => lookup.catalog.namespace(name);
  const key = entityKey('Namespace', '', name);
  return answer({ request, violations, kind: 'namespace', namespace: name, key, find, tags: NAMESPACE }, lookup, call);
}

/** Where to look, and how to answer. */
interface Search {
  readonly request: Pick<GetPodRequest__Output, 'name' | 'uid' | 'view' | 'wait'>;
  readonly violations: Violations;
  /** For people. */
  readonly kind: string;
  /** A namespace is in itself. */
  readonly namespace: string;
  /** What to wait for. */
  readonly key: string;
  readonly find: () => Entity | undefined;
  readonly tags: ResponseTags;
  /** Resource attributes, where they are asked for. */
  readonly attributes?: ReturnType<typeof wishOf>;
  /** What may have been meant, when nothing is found. */
  readonly hint?: () => KindHint | undefined;
}

interface ResponseTags {
  readonly entity: number;
  readonly staleness: number;
  /** Unset for what has no namespace. */
  readonly namespace?: number;
}

const POD = namespacedTags('GetPodResponse', 'pod');
const SERVICE = namespacedTags('GetServiceResponse', 'service');
const OTEL_ATTRIBUTES = new FieldTags('digger.v1.GetPodResponse').delimited('otelAttributes');
const NODE = responseTags('GetNodeResponse', 'node');
const WORKLOAD = namespacedTags('GetWorkloadResponse', 'workload');
const NAMESPACE = responseTags('GetNamespaceResponse', 'namespace');

function answer(search: Search, lookup: EntityLookup, call: CallContext): Answer {
  const { request, violations } = search;
  const waitMs = parseWait(request.wait, violations);
  const view = parseView(request.view, violations);
  violations.throwIfAny();
  refuseUnwatched(search.namespace, lookup.namespaces);
  if (!lookup.published.has(search.namespace)) throw namespaceNotPublished(search.namespace);
  if (search.tags === NAMESPACE && !lookup.knowsNamespaces()) throw namespacesUnknown();

  const encode = (entity: Entity | undefined): Uint8Array => {
    if (entity === undefined) {
      const namespace = search.tags === NAMESPACE ? '' : search.namespace;
      throw objectNotFound(search.kind, namespace, request.name, request.uid, search.hint?.());
    }
    const writer = startMessage();
    writer.uint32(search.tags.entity).entity(entity, view);
    const stalenessMs = lookup.stalenessMs();
    if (stalenessMs !== undefined) writeDuration(writer, search.tags.staleness, stalenessMs);
    if (search.tags.namespace !== undefined && view === 'FULL') {
      const namespace = lookup.catalog.namespace(entity.namespace);
      if (namespace !== undefined) writer.uint32(search.tags.namespace).entity(namespace, view);
    }
    if (search.attributes !== undefined && entity.kind === 'Pod') {
      writeAttributes(writer, OTEL_ATTRIBUTES, search.attributes(entity));
    }
    return writer.finish();
  };
  const entity = find(search);
  if (waitMs === 0 || entity !== undefined) return encode(entity);
  call.charge(CALL_COSTS.wait);
  return waitForEntity(search, lookup, call, call.waitSignal(waitMs)).then(encode);
}

/** Nothing is known there: NOT_FOUND would be a guess. What has no namespace is looked for everywhere. */
function refuseUnwatched(namespace: string, watched: readonly string[]): void {
  if (namespace === '' || watched.length === 0 || watched.includes(namespace)) return;
  const message = `this replica watches only the namespaces ${watched.join(', ')}, not ${namespace}`;
  throw new CallError(status.FAILED_PRECONDITION, 'NAMESPACE_NOT_WATCHED', message, { metadata: { namespace } });
}

async function waitForEntity(
  search: Search,
  { names }: EntityLookup,
  call: CallContext,
  signal: AbortSignal,
): Promise<Entity | undefined> {
  while (!signal.aborted) {
    const waiting = names.waitForName(search.key, signal);
    if (waiting === undefined) break;
    await waiting;
    await call.turn();
    call.throwIfOver();
    // Another object under the name, or a change that concerned another waiter: look again, and wait on.
    const entity = find(search);
    if (entity !== undefined) return entity;
  }
  return undefined;
}

function find({ find: lookUp, request: { uid } }: Search): Entity | undefined {
  const entity = lookUp();
  return entity === undefined || uid === '' || entity.uid === uid ? entity : undefined;
}

function responseTags(typeName: string, field: string): ResponseTags {
  const tags = new FieldTags(`digger.v1.${typeName}`);
  return { entity: tags.delimited(field), staleness: tags.delimited('staleness') };
}

function namespacedTags(typeName: string, field: string): ResponseTags {
  const namespace = new FieldTags(`digger.v1.${typeName}`).delimited('namespace');
  return { ...responseTags(typeName, field), namespace };
}
