// Resource attributes of OpenTelemetry in answers, for callers that ask for them: decodes the pod's own message, and
// lets otel/attributes.ts apply the rules. Zone, region and uid of the node, and the cluster, are those of the moment.
//
// What follows from the pod alone is kept for pods that are asked about often; bounded, and dropped as a whole at the
// bound. Callers that do not ask pay nothing.

import type { CatalogReader } from '../../../catalog/reader.ts';
import type { ClusterIdentity } from '../../../model/cluster-identity.ts';
import type { NodeEntity, PodEntity } from '../../../model/entities.ts';
import {
  type Attribute,
  type AttributePod,
  clusterAttributes,
  nodeAttributes,
  podAttributes,
} from '../../../otel/attributes.ts';
import { encodedBytes } from '../../../wire/encoded-entity.ts';
import { FieldTags } from '../../../wire/field-tags.ts';
import { writeText } from '../../../wire/fields.ts';
import type { OtelAttributes__Output } from '../../../wire/generated/digger/v1/OtelAttributes.ts';
import type { Node__Output } from '../../../wire/generated/digger/v1/Node.ts';
import type { Pod__Output } from '../../../wire/generated/digger/v1/Pod.ts';
import type { MessageWriter } from '../../../wire/message-writer.ts';
import { messageType } from '../../../wire/schema.ts';

/** Pods whose attributes are kept for each wish: a batch asks about so many; 2 kB each, and the entity. */
const MAX_KEPT_PODS = 1_024;

/** Attributes of pods that were asked about; all are dropped at the bound. */
export class PodAttributes {
  /** By the entity, which is another object after each change; one map for each wish. */
  readonly #kept = {
    plain: new Map<PodEntity, readonly Attribute[]>(),
    labels: new Map<PodEntity, readonly Attribute[]>(),
  };

  get size(): number {
    return this.#kept.plain.size + this.#kept.labels.size;
  }

  of(entity: PodEntity, { wellKnownLabels }: OtelAttributes__Output): readonly Attribute[] {
    const known = wellKnownLabels ? this.#kept.labels : this.#kept.plain;
    let attributes = known.get(entity);
    if (attributes === undefined) {
      if (known.size >= MAX_KEPT_PODS) known.clear();
      attributes = podAttributes(decodePod(entity), { wellKnownLabels });
      known.set(entity, attributes);
    }
    return attributes;
  }
}

/** Of one container of a pod: what would be said of the pod if it had no other. */
function containerAttributes(
  entity: PodEntity,
  { name, containerId }: ToldContainer,
  { wellKnownLabels }: OtelAttributes__Output,
): readonly Attribute[] {
  const pod = decodePod(entity);
  const all = [...pod.containers, ...(pod.otherContainers ?? [])];
  const containers = all.filter((each) => each.name === name).map((each) => ({ ...each, containerId }));
  return podAttributes({ ...pod, containers }, { wellKnownLabels });
}

/** The container that was asked for: its predecessors have the same name and another id. */
export interface ToldContainer {
  readonly name: string;
  readonly containerId: string;
}

export interface OtelSources {
  readonly podAttributes: PodAttributes;
  readonly catalog: Pick<CatalogReader, 'node'>;
  readonly cluster: () => ClusterIdentity;
}

/** Attributes as a caller wants them; `undefined`: none are asked for. */
export function wishOf(
  wish: OtelAttributes__Output | null,
  sources: OtelSources,
): ((entity: PodEntity | NodeEntity, container?: ToldContainer) => readonly Attribute[]) | undefined {
  return wish === null ? undefined : (entity, container) => attributesOf(entity, wish, sources, container);
}

/** Of a pod, or of a node. */
function attributesOf(
  entity: PodEntity | NodeEntity,
  wish: OtelAttributes__Output,
  { catalog, cluster, podAttributes: pods }: OtelSources,
  container?: ToldContainer,
): readonly Attribute[] {
  const ofCluster = clusterAttributes(cluster());
  if (entity.kind === 'Node') {
    return [...ofCluster, { key: 'k8s.node.name', value: entity.name }, ...nodeAttributes(decodeNode(entity))];
  }
  const node = entity.nodeName === '' ? undefined : catalog.node(entity.nodeName);
  const ofNode = node === undefined ? [] : nodeAttributes(decodeNode(node));
  const ofPod = container === undefined ? pods.of(entity, wish) : containerAttributes(entity, container, wish);
  return [...ofCluster, ...ofNode, ...ofPod];
}

/** Each as an element of the repeated field. */
export function writeAttributes(writer: MessageWriter, tag: number, attributes: readonly Attribute[]): void {
  for (const { key, value } of attributes) {
    const attribute = writer.uint32(tag).begin();
    writeText(writer, KEY, key);
    const begun = writer.uint32(VALUE).begin();
    if (typeof value === 'string') writer.uint32(STRING).string(value);
    else {
      const list = writer.uint32(ARRAY).begin();
      for (const text of value) {
        const element = writer.uint32(ELEMENT).begin();
        writer.uint32(STRING).string(text);
        writer.end(element);
      }
      writer.end(list);
    }
    writer.end(begun).end(attribute);
  }
}

const attributeTags = new FieldTags('digger.v1.Attribute');
const KEY = attributeTags.delimited('key');
const VALUE = attributeTags.delimited('value');
const valueTags = new FieldTags('digger.v1.AttributeValue');
const STRING = valueTags.delimited('stringValue');
const ARRAY = valueTags.delimited('arrayValue');
const ELEMENT = new FieldTags('digger.v1.AttributeValues').delimited('values');

const PodMessage = messageType('digger.v1.Pod');
const NodeMessage = messageType('digger.v1.Node');
const AS_OBJECT = { longs: Number, defaults: true, arrays: true } as const;

function decodePod(entity: PodEntity): AttributePod & Pick<Pod__Output, 'otherContainers'> {
  const pod = PodMessage.toObject(PodMessage.decode(encodedBytes(entity)), AS_OBJECT) as Pod__Output;
  return { ...pod, startTimeMs: entity.startTimeMs };
}

function decodeNode(entity: NodeEntity): { readonly uid: string; readonly zone: string; readonly region: string } {
  return NodeMessage.toObject(NodeMessage.decode(encodedBytes(entity, 'BASIC')), AS_OBJECT) as Node__Output;
}
