// Turns what the address index answers into the message `digger.v1.Resolution`: joins the workload, copies the bytes
// of the entities as the catalog encoded them, and adds how and since when the address is held.
//
// The workload is set only where it is certain: the pod's own, or the one that all backends of a service share, or the
// one that all candidates share. No entity is encoded here.

import { workloadOf } from '../../../addresses/holder-workload.ts';
import type { AddressAnswer, Holder, PlainHolder } from '../../../addresses/reader.ts';
import type { NodeEntity, ObjectReference, PodEntity, ServiceEntity, WorkloadEntity } from '../../../model/entities.ts';
import type { Attribute } from '../../../otel/attributes.ts';
import { type AddressRole, MAX_CANDIDATES } from '../../../timelines/timeline.ts';
import { writeAttributes } from './otel-attributes.ts';
import type { ClusterIdentity } from '../../../model/cluster-identity.ts';
import { clusterField } from '../../../wire/encode-cluster.ts';
import { splitNetworkAddress } from '../../../model/kubernetes/pod-networks.ts';
import { isHidden } from '../../../model/namespaces/published-namespaces.ts';
import type { ByteString } from '../../../model/byte-string.ts';
import { encodedLength, type View } from '../../../wire/encoded-entity.ts';
import { writeDuration, writeReference, writeText, writeTimestamp } from '../../../wire/fields.ts';
import { type MessageWriter, startEntity, startMessage, varintBytes } from '../../../wire/message-writer.ts';
import { FieldTags } from '../../../wire/field-tags.ts';
import { enumValues } from '../../../wire/schema.ts';
import type { NamedNamespaces } from './named-namespaces.ts';
import type { PlainAnswer } from './plain-answers.ts';

/** Names for addresses that no object of the cluster holds. */
export interface NetworkNames {
  /** The longest range that contains the (canonical) address. */
  find(address: string): NamedNetwork | undefined;
}

export interface NamedNetwork {
  /** Empty fields: not said. */
  readonly network: { readonly name: string; readonly kind: string; readonly zone: string; readonly region: string };
  /** `203.0.113.0/24`, canonical. */
  readonly range: string;
}

/** What a resolution is joined with. */
export interface ResolutionContext {
  /** As in CatalogReader. */
  resolveWorkload(reference: ObjectReference): WorkloadEntity;
  /** How much the picture may be behind; `undefined` while every watch is healthy. */
  readonly stalenessMs: number | undefined;
  readonly networks: NetworkNames;
  readonly cluster: ClusterIdentity;
  /** Resource attributes for callers that ask for them; unset: not asked for. */
  readonly otelAttributes?: ((entity: PodEntity | NodeEntity) => readonly Attribute[]) | undefined;
  readonly view: View;
  /** Is told those of all objects that are written. */
  readonly namespaces: NamedNamespaces;
}

/**
 * Writes the fields of a `digger.v1.Resolution` for `asked` (canonical, see `networkAddress`); the caller writes tag
 * and length around them.
 */
export function writeResolution(
  writer: MessageWriter,
  asked: string,
  answer: AddressAnswer,
  context: ResolutionContext,
): void {
  const { address, network } = splitNetworkAddress(asked);
  // Named ranges are of the cluster's network and of what is outside of it.
  const named = network === '' ? context.networks : NO_NAMES;
  writer.uint32(OUTCOME).uint32(OUTCOMES[outcomeOf(answer)]);
  switch (answer.outcome) {
    case 'RESOLVED': {
      const { holder } = answer;
      writeRole(writer, holder);
      if (holder.toMs !== undefined) writeTimestamp(writer, VALID_TO, holder.toMs);
      if (holder.uncertain) writer.uint32(UNCERTAIN).bool(true);
      // Of a hidden holder there is nothing else to tell.
      if (isHidden(holder.entity.namespace)) break;
      writeTarget(writer, RESOLUTION_TARGET, address, holder, context.view);
      writeWorkload(writer, workloadOf(holder), context);
      context.namespaces.add(holder.entity.namespace, holder.toMs);
      writeCandidates(writer, CANDIDATES, address, answer.alternatives, context);
      if (context.otelAttributes !== undefined && holder.entity.kind !== 'Service') {
        writeAttributes(writer, OTEL_ATTRIBUTES, context.otelAttributes(holder.entity));
      }
      if (holder.role === 'ENDPOINT') writeNetwork(writer, named.find(address));
      break;
    }
    case 'AMBIGUOUS':
      writeWorkload(writer, sharedWorkload(answer.candidates), context);
      writeCandidates(writer, CANDIDATES, address, answer.candidates, context);
      if (answer.candidates.every(({ uncertain }) => uncertain)) writer.uint32(UNCERTAIN).bool(true);
      break;
    case 'UNASSIGNED':
      break;
    case 'EXTERNAL':
    case 'UNKNOWN':
      writeNetwork(writer, named.find(address));
      break;
  }
  writeCircumstances(writer, answer.historySinceMs, context);
  writeText(writer, POD_NETWORK, network);
}

type Circumstances = Pick<ResolutionContext, 'stalenessMs' | 'cluster'>;

/** The last fields: what is true of every answer at a moment. */
function writeCircumstances(
  writer: MessageWriter,
  historySinceMs: number,
  { stalenessMs, cluster }: Circumstances,
): void {
  writeTimestamp(writer, HISTORY_SINCE, historySinceMs);
  if (stalenessMs !== undefined) writeDuration(writer, STALENESS, stalenessMs);
  writer.fields(encodedCluster(cluster));
}

/** The same, encoded; to be called before the message is started. */
export function encodeCircumstances(historySinceMs: number, circumstances: Circumstances): ByteString {
  const writer = startMessage();
  writeCircumstances(writer, historySinceMs, circumstances);
  return writer.cut();
}

/** What is kept of an answer with a plain holder, for the basic view; see `plain-answers.ts`. */
export function encodePlain(address: string, holder: PlainHolder): PlainAnswer | undefined {
  if (isHidden(holder.entity.namespace)) return undefined;
  const writer = startEntity();
  writer.uint32(OUTCOME).uint32(OUTCOMES.RESOLVED);
  writeRole(writer, holder);
  writeTarget(writer, RESOLUTION_TARGET, address, holder, 'BASIC');
  const { sinceMs, cutAtMs } = holder;
  return { address, fields: writer.cut(), workload: workloadOf(holder), sinceMs, cutAtMs };
}

/**
 * Writes a Resolution as `writeResolution` does, from an answer that is kept, with its length in front and the tags
 * that it is embedded with, outermost first. `resolved`: its workload as it is now; `circumstances`: of
 * `encodeCircumstances`.
 */
export function writePlain(
  writer: MessageWriter,
  tags: readonly [number] | readonly [number, number],
  { fields }: PlainAnswer,
  resolved: WorkloadEntity | undefined,
  circumstances: ByteString,
): void {
  const [outer, inner] = tags;
  const workload = resolved !== undefined && isHidden(resolved.namespace) ? undefined : resolved;
  const workloadLength = workload === undefined ? 0 : encodedLength(workload, 'BASIC');
  const length =
    fields.length +
    (workload === undefined ? 0 : varintBytes(WORKLOAD) + varintBytes(workloadLength) + workloadLength) +
    circumstances.length;
  writer.uint32(outer);
  if (inner !== undefined) writer.uint32(varintBytes(inner) + varintBytes(length) + length).uint32(inner);
  writer.uint32(length).fields(fields);
  if (workload !== undefined) writer.uint32(WORKLOAD).entity(workload, 'BASIC');
  writer.fields(circumstances);
}

/** As it is told: a holder that is not published is hidden. */
export function outcomeOf(answer: AddressAnswer): AddressAnswer['outcome'] | 'HIDDEN' {
  return answer.outcome === 'RESOLVED' && isHidden(answer.holder.entity.namespace) ? 'HIDDEN' : answer.outcome;
}

/** `digger.v1.Outcome` of an answer with these holders. */
export function outcomeNumber(outcome: AddressAnswer['outcome'], [holder]: readonly Holder[]): number {
  const isHiddenHolder = outcome === 'RESOLVED' && holder !== undefined && isHidden(holder.entity.namespace);
  return OUTCOMES[isHiddenHolder ? 'HIDDEN' : outcome];
}

/** Whether an entity holds (or may hold) the address: there is nothing to wait for. */
export function isHeld(answer: AddressAnswer): boolean {
  return answer.outcome === 'RESOLVED' || answer.outcome === 'AMBIGUOUS';
}

const resolutionTags = new FieldTags('digger.v1.Resolution');
const candidateTags = new FieldTags('digger.v1.Candidate');
const endpointTags = new FieldTags('digger.v1.ExternalEndpoint');

interface TargetTags {
  readonly Pod: number;
  readonly Service: number;
  readonly Node: number;
  readonly externalEndpoint: number;
}

const RESOLUTION_TARGET = targetTags(resolutionTags);
const CANDIDATE_TARGET = targetTags(candidateTags);

const OUTCOME = resolutionTags.varint('outcome');
const WORKLOAD = resolutionTags.delimited('workload');
const CANDIDATES = resolutionTags.delimited('candidates');
const ROLE = resolutionTags.varint('role');
const VALID_FROM = resolutionTags.delimited('validFrom');
const VALID_TO = resolutionTags.delimited('validTo');
const HISTORY_SINCE = resolutionTags.delimited('historySince');
const UNCERTAIN = resolutionTags.varint('uncertain');
const STALENESS = resolutionTags.delimited('staleness');

const encodedCluster = clusterField(resolutionTags.delimited('cluster'));
const OTEL_ATTRIBUTES = resolutionTags.delimited('otelAttributes');
const NETWORK = resolutionTags.delimited('network');
const POD_NETWORK = resolutionTags.delimited('podNetwork');
const NO_NAMES: NetworkNames = { find: () => undefined };

const networkTags = new FieldTags('digger.v1.Network');
const NETWORK_NAME = networkTags.delimited('name');
const NETWORK_KIND = networkTags.delimited('kind');
const NETWORK_ZONE = networkTags.delimited('zone');
const NETWORK_REGION = networkTags.delimited('region');
const NETWORK_RANGE = networkTags.delimited('range');

const CANDIDATE_WORKLOAD = candidateTags.delimited('workload');
const CANDIDATE_ROLE = candidateTags.varint('role');
const CANDIDATE_VALID_FROM = candidateTags.delimited('validFrom');
const CANDIDATE_VALID_TO = candidateTags.delimited('validTo');
const CANDIDATE_UNCERTAIN = candidateTags.varint('uncertain');
const CANDIDATE_HIDDEN = candidateTags.varint('hidden');

const ENDPOINT_ADDRESS = endpointTags.delimited('address');
const ENDPOINT_SERVICE = endpointTags.delimited('service');

const OUTCOMES: Readonly<Record<AddressAnswer['outcome'] | 'HIDDEN', number>> = numbers(
  'digger.v1.Outcome',
  'OUTCOME_',
  ['RESOLVED', 'AMBIGUOUS', 'UNASSIGNED', 'EXTERNAL', 'UNKNOWN', 'HIDDEN'],
);
const ROLES: Readonly<Record<AddressRole, number>> = numbers('digger.v1.AddressRole', 'ADDRESS_ROLE_', [
  'POD_IP',
  'HOST_PORT',
  'HOST_NETWORK',
  'CLUSTER_IP',
  'LOAD_BALANCER',
  'EXTERNAL_IP',
  'NODE_PORT',
  'NODE_ADDRESS',
  'ENDPOINT',
]);

function writeRole(writer: MessageWriter, { role, fromMs }: Pick<Holder, 'role' | 'fromMs'>): void {
  writer.uint32(ROLE).uint32(ROLES[role]);
  writeTimestamp(writer, VALID_FROM, fromMs);
}

function writeTarget(
  writer: MessageWriter,
  tags: TargetTags,
  address: string,
  holder: Pick<Holder, 'role' | 'entity'>,
  view: View,
): void {
  const { entity } = holder;
  if (holder.role === 'ENDPOINT' && entity.kind === 'Service') {
    // The service does not hold the address, its endpoints list it: the target is the endpoint, not the service.
    const begun = writer.uint32(tags.externalEndpoint).begin();
    writeText(writer, ENDPOINT_ADDRESS, address);
    writeReference(writer, ENDPOINT_SERVICE, referenceToService(entity));
    writer.end(begun);
    return;
  }
  writer.uint32(tags[entity.kind]).entity(entity, view);
}

function writeNetwork(writer: MessageWriter, found: NamedNetwork | undefined): void {
  if (found === undefined) return;
  const { network, range } = found;
  const begun = writer.uint32(NETWORK).begin();
  writeText(writer, NETWORK_NAME, network.name);
  writeText(writer, NETWORK_KIND, network.kind);
  writeText(writer, NETWORK_ZONE, network.zone);
  writeText(writer, NETWORK_REGION, network.region);
  writeText(writer, NETWORK_RANGE, range);
  writer.end(begun);
}

function writeWorkload(
  writer: MessageWriter,
  reference: ObjectReference | undefined,
  context: ResolutionContext,
): void {
  if (reference === undefined) return;
  const workload = context.resolveWorkload(reference);
  // The uid that a reference names may be a hidden object's by now.
  if (isHidden(workload.namespace)) return;
  context.namespaces.add(workload.namespace, undefined);
  writer.uint32(WORKLOAD).entity(workload, context.view);
}

/** Fields of `digger.v1.Candidate`, with this tag; as many as an answer lists. */
export function writeCandidates(
  writer: MessageWriter,
  tag: number,
  address: string,
  candidates: readonly Holder[],
  { namespaces, view }: Pick<ResolutionContext, 'namespaces' | 'view'>,
): void {
  const count = Math.min(candidates.length, MAX_CANDIDATES);
  for (let index = 0; index < count; index += 1) {
    const holder = candidates[index];
    if (holder === undefined) break;
    const begun = writer.uint32(tag).begin();
    namespaces.add(holder.entity.namespace, holder.toMs);
    const isHiddenHolder = isHidden(holder.entity.namespace);
    if (!isHiddenHolder) writeTarget(writer, CANDIDATE_TARGET, address, holder, view);
    const workload = isHiddenHolder ? undefined : workloadOf(holder);
    if (workload !== undefined) writeReference(writer, CANDIDATE_WORKLOAD, workload);
    writer.uint32(CANDIDATE_ROLE).uint32(ROLES[holder.role]);
    writeTimestamp(writer, CANDIDATE_VALID_FROM, holder.fromMs);
    if (holder.toMs !== undefined) writeTimestamp(writer, CANDIDATE_VALID_TO, holder.toMs);
    if (holder.uncertain) writer.uint32(CANDIDATE_UNCERTAIN).bool(true);
    if (isHiddenHolder) writer.uint32(CANDIDATE_HIDDEN).bool(true);
    writer.end(begun);
  }
}

function sharedWorkload(candidates: readonly Holder[]): ObjectReference | undefined {
  // There are others, which are not looked at.
  if (candidates.length > MAX_CANDIDATES) return undefined;
  let shared: ObjectReference | undefined;
  for (const holder of candidates) {
    const workload = workloadOf(holder);
    if (workload === undefined) return undefined;
    if (shared !== undefined && shared.uid !== workload.uid) return undefined;
    shared = workload;
  }
  return shared;
}

function referenceToService(service: ServiceEntity): ObjectReference {
  const { namespace, name, uid } = service;
  return { apiVersion: 'v1', kind: 'Service', namespace, name, uid, incomplete: false };
}

function targetTags(tags: FieldTags): TargetTags {
  return {
    Pod: tags.delimited('pod'),
    Service: tags.delimited('service'),
    Node: tags.delimited('node'),
    externalEndpoint: tags.delimited('externalEndpoint'),
  };
}

function numbers<Name extends string>(enumName: string, prefix: string, names: readonly Name[]): Record<Name, number> {
  const values = enumValues(enumName);
  const entries = names.map((name) => {
    const value = values[`${prefix}${name}`];
    if (value === undefined) throw new Error(`${enumName} has no ${prefix}${name}`);
    return [name, value] as const;
  });
  return Object.fromEntries(entries) as Record<Name, number>;
}
