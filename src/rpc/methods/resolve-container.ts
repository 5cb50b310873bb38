// LookupService.ResolveContainer and BatchResolveContainers: whose container it is, by its id or by the uid of its pod.
//
// The first question waits until the containers are indexed. A pod's status tells of a container a moment after it has
// started, so a caller that is quicker than that may wait for it; a batch does not wait.

import type { ContainerSearch, FoundContainer, FoundPod } from '../../containers/container-index.ts';
import type { CatalogReader } from '../../catalog/reader.ts';
import {
  type ContainerIdPrefix,
  containerKey,
  MAX_DIGITS,
  MIN_DIGITS,
  parseContainerId,
} from '../../model/kubernetes/container-id.ts';
import type { ClusterIdentity } from '../../model/cluster-identity.ts';
import { isHidden } from '../../model/namespaces/published-namespaces.ts';
import type { Attribute } from '../../otel/attributes.ts';
import { clusterField } from '../../wire/encode-cluster.ts';
import type { View } from '../../wire/encoded-entity.ts';
import { FieldTags } from '../../wire/field-tags.ts';
import { writeBool, writeDuration, writeText, writeTimestamp } from '../../wire/fields.ts';
import type { BatchResolveContainersRequest__Output } from '../../wire/generated/digger/v1/BatchResolveContainersRequest.ts';
import type { ContainerQuery__Output } from '../../wire/generated/digger/v1/ContainerQuery.ts';
import type { ResolveContainerRequest__Output } from '../../wire/generated/digger/v1/ResolveContainerRequest.ts';
import { type MessageWriter, startMessage } from '../../wire/message-writer.ts';
import { messageType } from '../../wire/schema.ts';
import { type CallError, quote } from '../errors/call-error.ts';
import { containerIdAmbiguous, containerIndexFull, containerNotFound, invalidArgument } from '../errors/outcomes.ts';
import { toStatus } from '../errors/status-details.ts';
import { CALL_COSTS } from '../limits/caller-rates.ts';
import { MAX_QUERIES, tooManyQueries } from './batch-resolve-addresses.ts';
import type { CallContext, CountContainer, Staleness } from './call-context.ts';
import { containerWaitKey, type NameWaiters, podUidKey } from './name-waiters.ts';
import { NamedNamespaces } from './answers/named-namespaces.ts';
import { type PodAttributes, type ToldContainer, wishOf, writeAttributes } from './answers/otel-attributes.ts';
import { parseView, parseWait, Violations } from './requests/request-fields.ts';

/** Containers by id, as the server needs them. */
export interface ContainerReader {
  /** Resolves when they can be found; `undefined`: now. */
  ready(): Promise<void> | undefined;
  find(asked: ContainerIdPrefix): ContainerSearch;
  pod(uid: string): FoundPod | undefined;
}

export interface ContainerLookup {
  readonly containers: ContainerReader;
  readonly catalog: Pick<CatalogReader, 'resolveWorkload' | 'namespace' | 'node'>;
  readonly names: NameWaiters;
  readonly cluster: () => ClusterIdentity;
  readonly podAttributes: PodAttributes;
  readonly stalenessMs: Staleness;
  readonly countContainer: CountContainer;
}

/** The encoded ResolveContainerResponse. Throws CallError. */
export function resolveContainer(
  request: ResolveContainerRequest__Output,
  lookup: ContainerLookup,
  call: CallContext,
): Uint8Array | Promise<Uint8Array> {
  const violations = new Violations();
  const subject = parseSubject(request, '', violations);
  const waitMs = parseWait(request.wait, violations);
  const view = parseView(request.view, violations);
  violations.throwIfAny();

  const encode = (found: Found): Uint8Array => {
    const writer = startMessage();
    const context = contextOf(request, view, lookup);
    const begun = writer.uint32(RESPONSE.resolution).begin();
    writeResolution(writer, found, context);
    context.namespaces.write(writer.end(begun), RESPONSE.namespaces);
    return writer.finish();
  };
  const answer = (): Uint8Array | Promise<Uint8Array> => {
    const found = search(subject, lookup);
    if (!('none' in found)) return encode(counted(found, lookup));
    if (waitMs === 0) throw counted(found, lookup).none;
    call.charge(CALL_COSTS.wait);
    return waitFor(subject, lookup, call, call.waitSignal(waitMs)).then((late) => {
      counted(late, lookup);
      if ('none' in late) throw late.none;
      return encode(late);
    });
  };
  const building = lookup.containers.ready();
  if (building === undefined || subject.by === 'pod_uid') return answer();
  return building.then(() => {
    call.throwIfOver();
    return answer();
  });
}

/** The encoded BatchResolveContainersResponse. Throws CallError. */
export function batchResolveContainers(
  request: BatchResolveContainersRequest__Output,
  lookup: ContainerLookup,
  call: CallContext,
): Uint8Array | Promise<Uint8Array> {
  const { queries } = request;
  const violations = new Violations();
  if (queries.length === 0) violations.add('queries', 'REQUIRED', `none given; 1–${MAX_QUERIES} are allowed`);
  if (queries.length > MAX_QUERIES) violations.add('queries', 'TOO_MANY', tooManyQueries(`${queries.length}`));
  const view = parseView(request.view, violations);
  violations.throwIfAny();
  call.charge(queries.length);

  const answer = (): Uint8Array => {
    const writer = startMessage();
    const context = contextOf(request, view, lookup);
    for (const [index, query] of queries.entries()) writeItem(writer, query, index, lookup, context);
    context.namespaces.write(writer, BATCH.namespaces);
    return writer.finish();
  };
  const building = lookup.containers.ready();
  if (building === undefined) return answer();
  return building.then(() => {
    call.throwIfOver();
    return answer();
  });
}

type Subject =
  | { readonly by: 'container_id'; readonly asked: ContainerIdPrefix; readonly text: string }
  | { readonly by: 'pod_uid'; readonly text: string };

/** A container, a pod, or what to say instead. */
type Found = FoundContainer | FoundPod;
type Search = Found | { readonly none: CallError };

interface ResolutionContext {
  readonly catalog: ContainerLookup['catalog'];
  readonly cluster: ClusterIdentity;
  readonly stalenessMs: number | undefined;
  readonly attributes: ((pod: FoundPod['pod'], container?: ToldContainer) => readonly Attribute[]) | undefined;
  readonly namespaces: NamedNamespaces;
  readonly view: View;
}

/** Longest uid: the API server's have 36 characters, those of static pods 32. */
const MAX_UID_LENGTH = 253;

function parseSubject(
  { subject, containerId = '', podUid = '' }: ContainerQuery__Output,
  path: string,
  violations: Violations,
): Subject {
  if (subject === 'podUid') {
    if (podUid === '') violations.add(`${path}pod_uid`, 'REQUIRED', 'must not be empty');
    if (podUid.length > MAX_UID_LENGTH) {
      violations.add(`${path}pod_uid`, 'OUT_OF_RANGE', `${podUid.length} characters, at most ${MAX_UID_LENGTH}`);
    }
    return { by: 'pod_uid', text: podUid };
  }
  if (subject === undefined) violations.add(`${path}subject`, 'REQUIRED', 'container_id or pod_uid has to be given');
  const asked = parseContainerId(containerId);
  if (subject !== undefined && asked === undefined) {
    const given = containerId === '' ? 'empty' : `"${quote(containerId)}"`;
    const allowed = `${MIN_DIGITS}–${MAX_DIGITS} hexadecimal digits, with or without a scheme (containerd://)`;
    violations.add(`${path}container_id`, 'NOT_A_CONTAINER_ID', `${given} is not the id of a container: ${allowed}`);
  }
  return { by: 'container_id', asked: asked ?? { scheme: '', digits: '' }, text: containerId };
}

function search(subject: Subject, { containers }: ContainerLookup): Search {
  if (subject.by === 'pod_uid') {
    return containers.pod(subject.text) ?? { none: containerNotFound('pod_uid', subject.text) };
  }
  const found = containers.find(subject.asked);
  switch (found.is) {
    case 'found':
      return isHidden(found.container.pod.namespace)
        ? { none: containerNotFound('container_id', subject.text) }
        : found.container;
    case 'ambiguous':
      return { none: containerIdAmbiguous(subject.text, found.count) };
    case 'unknown':
      return { none: containerIndexFull(subject.text) };
    case 'none':
      return { none: containerNotFound('container_id', subject.text) };
  }
}

async function waitFor(
  subject: Subject,
  lookup: ContainerLookup,
  call: CallContext,
  signal: AbortSignal,
): Promise<Search> {
  const key =
    subject.by === 'pod_uid' ? podUidKey(subject.text) : containerWaitKey(containerKey(subject.asked.digits) ?? -1);
  for (;;) {
    const found = search(subject, lookup);
    // More digits would help, time does not.
    if (!('none' in found) || found.none.reason === 'CONTAINER_ID_AMBIGUOUS' || signal.aborted) return found;
    const waiting = lookup.names.waitForName(key, signal);
    if (waiting === undefined) return found;
    await waiting;
    await call.turn();
    call.throwIfOver();
  }
}

function counted<S extends Search>(found: S, { countContainer }: ContainerLookup): S {
  if (!('none' in found)) countContainer('RESOLVED');
  else countContainer(found.none.reason === 'CONTAINER_ID_AMBIGUOUS' ? 'AMBIGUOUS' : 'NOT_FOUND');
  return found;
}

function contextOf(
  { otelAttributes }: Pick<ResolveContainerRequest__Output, 'otelAttributes'>,
  view: View,
  lookup: ContainerLookup,
): ResolutionContext {
  return {
    catalog: lookup.catalog,
    cluster: lookup.cluster(),
    stalenessMs: lookup.stalenessMs(),
    attributes: wishOf(otelAttributes, lookup),
    namespaces: new NamedNamespaces(lookup.catalog, view),
    view,
  };
}

function writeItem(
  writer: MessageWriter,
  query: ContainerQuery__Output,
  index: number,
  lookup: ContainerLookup,
  context: ResolutionContext,
): void {
  const violations = new Violations();
  const subject = parseSubject(query, `queries[${index}].`, violations);
  const begun = writer.uint32(BATCH.results).begin();
  let error: CallError | undefined;
  if (violations.any) {
    lookup.countContainer('INVALID');
    error = invalidArgument(violations.all);
  } else {
    const found = counted(search(subject, lookup), lookup);
    if ('none' in found) error = found.none;
    else {
      const resolution = writer.uint32(RESULT.resolution).begin();
      writeResolution(writer, found, context);
      writer.end(resolution);
    }
  }
  if (error !== undefined) writer.uint32(RESULT.error).bytes(StatusType.encode(toStatus(error)).finish());
  writer.end(begun);
}

/** The fields of a `digger.v1.ContainerResolution`. */
function writeResolution(writer: MessageWriter, found: Found, context: ResolutionContext): void {
  const { pod, isFormer, removedMs } = found;
  const { catalog, view, namespaces } = context;
  writer.uint32(RESOLUTION.pod).entity(pod, view);
  const isContainer = 'message' in found;
  if (isContainer) {
    const begun = writer.uint32(RESOLUTION.container).begin();
    writer.fields(found.message).end(begun);
    writeText(writer, RESOLUTION.containerId, found.id);
  }
  writeBool(writer, RESOLUTION.ended, isContainer ? found.ended : isFormer || pod.terminal);
  if (removedMs !== undefined) writeTimestamp(writer, RESOLUTION.removalTime, removedMs);
  const workload = catalog.resolveWorkload(pod.workload);
  // The uid that a reference names may be a hidden object's by now.
  if (!isHidden(workload.namespace)) {
    writer.uint32(RESOLUTION.workload).entity(workload, view);
    namespaces.add(workload.namespace, undefined);
  }
  namespaces.add(pod.namespace, removedMs);
  if (context.stalenessMs !== undefined) writeDuration(writer, RESOLUTION.staleness, context.stalenessMs);
  writer.fields(encodedCluster(context.cluster));
  if (context.attributes !== undefined) {
    const container = isContainer ? { name: found.name, containerId: found.id } : undefined;
    writeAttributes(writer, RESOLUTION.otelAttributes, context.attributes(pod, container));
  }
}

const StatusType = messageType('google.rpc.Status');
const response = new FieldTags('digger.v1.ResolveContainerResponse');
const RESPONSE = { resolution: response.delimited('resolution'), namespaces: response.delimited('namespaces') };
const batch = new FieldTags('digger.v1.BatchResolveContainersResponse');
const BATCH = { results: batch.delimited('results'), namespaces: batch.delimited('namespaces') };
const result = new FieldTags('digger.v1.BatchResolveContainersResult');
const RESULT = { resolution: result.delimited('resolution'), error: result.delimited('error') };
const resolution = new FieldTags('digger.v1.ContainerResolution');
const RESOLUTION = {
  pod: resolution.delimited('pod'),
  container: resolution.delimited('container'),
  containerId: resolution.delimited('containerId'),
  ended: resolution.varint('ended'),
  removalTime: resolution.delimited('removalTime'),
  workload: resolution.delimited('workload'),
  staleness: resolution.delimited('staleness'),
  otelAttributes: resolution.delimited('otelAttributes'),
};
const encodedCluster = clusterField(resolution.delimited('cluster'));
