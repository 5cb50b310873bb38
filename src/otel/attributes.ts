// Resource attributes of OpenTelemetry for a pod: what the k8sattributes processor of the collector would set.
//
//   [conv]  https://opentelemetry.io/docs/specs/semconv/non-normative/k8s-attributes/ (annotations, service.*)
//   [k8s]   https://opentelemetry.io/docs/specs/semconv/resource/k8s/
//   [ctr]   https://opentelemetry.io/docs/specs/semconv/registry/attributes/container/
//   [proc]  https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/main/processor/k8sattributesprocessor
//
// Pure: a decoded pod in, attributes out. Where a rule asks for what is not known (an annotation that the configuration
// leaves out, an image that cannot be read, which of several containers is meant) the attribute is left out, never
// taken from the next rule. Annotations are written by tenants: they name services, and never what the API server says
// itself.

import { parseImageReference } from './image-reference.ts';

/** A value is text, or a list of texts where the conventions say so. */
export interface Attribute {
  readonly key: string;
  readonly value: string | readonly string[];
}

/** What is read of a `digger.v1.Pod`. */
export interface AttributePod {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly addresses: readonly string[];
  readonly nodeName: string;
  /** ms since the epoch. */
  readonly startTimeMs: number | undefined;
  readonly ownerChain: readonly AttributeOwner[];
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly imageDigests: ImageDigests;
  /** Those that may be meant. */
  readonly containers: readonly AttributeContainer[];
  /** `labels/KEY` and `annotations/KEY` that are there and not known; `*`: all. */
  readonly omitted: readonly string[];
}

export interface AttributeOwner {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
}

export interface AttributeContainer {
  readonly name: string;
  /** As the pod asks for it. */
  readonly image: string;
  /** With its scheme; empty until it was created. */
  readonly containerId: string;
}

/** By container name: `sha256:…` of the image that it runs. */
type ImageDigests = Readonly<Record<string, string>>;

export interface AttributeOptions {
  /** [conv] asks for an opt-in: labels `app.kubernetes.io/…` name the service. */
  readonly wellKnownLabels: boolean;
}

/** Sorted by key. */
export function podAttributes(pod: AttributePod, options: AttributeOptions): readonly Attribute[] {
  const found = new Map<string, string | readonly string[]>();
  const set = (key: string, value: string | readonly string[] | undefined): void => {
    if (value !== undefined && value.length > 0) found.set(key, value);
  };
  // [conv] all annotations with the prefix; what is known otherwise is set over them below.
  for (const [key, value] of Object.entries(pod.annotations)) {
    if (!key.startsWith(ANNOTATION_PREFIX)) continue;
    const attribute = key.slice(ANNOTATION_PREFIX.length);
    if (attribute !== '' && !OURS.test(attribute)) set(attribute, value);
  }
  // [k8s], [proc]
  set('k8s.namespace.name', pod.namespace);
  set('k8s.pod.name', pod.name);
  set('k8s.pod.uid', pod.uid);
  set('k8s.pod.ip', pod.addresses[0]);
  set('k8s.pod.start_time', pod.startTimeMs === undefined ? undefined : rfc3339(pod.startTimeMs));
  set('k8s.node.name', pod.nodeName);
  for (const owner of pod.ownerChain) {
    const prefix = OWNER_ATTRIBUTES.get(`${groupOf(owner.apiVersion)}/${owner.kind}`);
    if (prefix === undefined) continue;
    set(`${prefix}.name`, owner.name);
    set(`${prefix}.uid`, owner.uid);
  }
  // [proc] "if a pod contains more than one container", which one has to be told.
  const container = pod.containers.length === 1 ? pod.containers[0] : undefined;
  const image = container && parseImageReference(container.image);
  if (container !== undefined) {
    set('k8s.container.name', container.name);
    set('container.id', container.containerId.replace(/^[^:]*:\/\//, ''));
  }
  if (image !== undefined) {
    set('container.image.name', image.name);
    // https://kubernetes.io/docs/concepts/containers/images/: without tag and digest `latest` is meant.
    const tag = image.tag === '' && image.digest === '' ? 'latest' : image.tag;
    set('container.image.tags', tag === '' ? undefined : [tag]);
    // [ctr] what the runtime pulled, under the name that the pod asks for.
    const digest = container === undefined ? undefined : pod.imageDigests[container.name];
    if (digest !== undefined) set('container.image.repo_digests', [`${image.name}@${digest}`]);
  }
  setService();
  return [...found].map(([key, value]) => ({ key, value })).sort((a, b) => (a.key < b.key ? -1 : 1));

  /** [conv] of each the first that is found. */
  function setService(): void {
    const named = (key: string): string | undefined => {
      const value = found.get(key);
      return typeof value === 'string' ? value : undefined;
    };
    first('service.namespace', [], pod.namespace);
    first(
      'service.name',
      ['app.kubernetes.io/instance', 'app.kubernetes.io/name'],
      SERVICE_NAMES.map(named).find((name) => name !== undefined),
    );
    first('service.version', ['app.kubernetes.io/version'], versionOf());
    first(
      'service.instance.id',
      [],
      container === undefined ? undefined : [pod.namespace, pod.name, container.name].join('.'),
    );
  }

  /** The annotation, which is there already; then the labels, if they are asked for; then `otherwise`. */
  function first(key: string, labels: readonly string[], otherwise: string | undefined): void {
    if (found.has(key) || isOmitted(`annotations/${ANNOTATION_PREFIX}${key}`)) return;
    for (const label of options.wellKnownLabels ? labels : []) {
      if (isOmitted(`labels/${label}`)) return;
      const value = pod.labels[label] ?? '';
      if (value === '') continue;
      set(key, value);
      return;
    }
    set(key, otherwise);
  }

  function isOmitted(name: string): boolean {
    return pod.omitted.includes(name) || pod.omitted.includes('*');
  }

  /** [conv] `<tag>@<digest>`, `<digest>`, `<tag>`; without either none. */
  function versionOf(): string | undefined {
    if (image === undefined) return undefined;
    const { tag, digest } = image;
    return tag !== '' && digest !== '' ? `${tag}@${digest}` : digest || tag;
  }
}

/** [k8s] of a cluster; empty texts are left out. */
export function clusterAttributes({
  name,
  uid,
}: {
  readonly name: string;
  readonly uid: string;
}): readonly Attribute[] {
  return present([
    ['k8s.cluster.name', name],
    ['k8s.cluster.uid', uid],
  ]);
}

/** [k8s] of the node that a pod is on, and where it is: https://opentelemetry.io/docs/specs/semconv/registry/attributes/cloud/ */
export function nodeAttributes(node: {
  readonly uid: string;
  readonly zone: string;
  readonly region: string;
}): readonly Attribute[] {
  return present([
    ['cloud.availability_zone', node.zone],
    ['cloud.region', node.region],
    ['k8s.node.uid', node.uid],
  ]);
}

function present(pairs: readonly (readonly [string, string])[]): readonly Attribute[] {
  return pairs.filter(([, value]) => value !== '').map(([key, value]) => ({ key, value }));
}

const ANNOTATION_PREFIX = 'resource.opentelemetry.io/';

/** Said by the API server: an annotation of a tenant must not say otherwise. */
const OURS = /^(?:k8s|container|cloud)\./;

/** [k8s] by API group and kind. */
const OWNER_ATTRIBUTES: ReadonlyMap<string, string> = new Map([
  ['apps/Deployment', 'k8s.deployment'],
  ['apps/ReplicaSet', 'k8s.replicaset'],
  ['apps/StatefulSet', 'k8s.statefulset'],
  ['apps/DaemonSet', 'k8s.daemonset'],
  ['batch/CronJob', 'k8s.cronjob'],
  ['batch/Job', 'k8s.job'],
  ['/ReplicationController', 'k8s.replicationcontroller'],
]);

/** [conv] "How service.name should be calculated". */
const SERVICE_NAMES = [
  'k8s.deployment.name',
  'k8s.replicaset.name',
  'k8s.statefulset.name',
  'k8s.daemonset.name',
  'k8s.cronjob.name',
  'k8s.job.name',
  'k8s.pod.name',
  'k8s.container.name',
] as const;

/** `2026-01-31T12:00:00Z`, as metav1.Time writes itself. */
function rfc3339(ms: number): string {
  return new Date(ms).toISOString().replace(/\.000Z$/, 'Z');
}

function groupOf(apiVersion: string): string {
  const slash = apiVersion.indexOf('/');
  return slash === -1 ? '' : apiVersion.slice(0, slash);
}
