// A picture of a cluster that a test writes by hand: what the server asks of addresses, catalog, feed and status, and
// nothing of how those come by their answers.

import { PublishedNamespaces } from '../../src/model/namespaces/published-namespaces.ts';
import { toByteString, NO_BYTES } from '../../src/model/byte-string.ts';
import type { AddressAnswer, AddressQuestion, AddressReader, Holder } from '../../src/addresses/reader.ts';
import type { CatalogReader } from '../../src/catalog/reader.ts';
import type {
  EncodedEntity,
  Entity,
  NamespaceEntity,
  NodeEntity,
  ObjectReference,
  PodEntity,
  ServiceEntity,
  WorkloadEntity,
} from '../../src/model/entities.ts';
import { PLAIN_POD, PLAIN_SERVICE } from '../entities.ts';
import { NameWaiterTable } from '../../src/rpc/methods/name-waiters.ts';
import type { NamedNetwork, NetworkNames } from '../../src/rpc/methods/answers/resolution.ts';
import { UNKNOWN_CLUSTER } from '../../src/model/cluster-identity.ts';
import { ContainerIndex } from '../../src/containers/container-index.ts';
import type { RpcSources, WatchCall } from '../../src/rpc/methods/register.ts';
import type { WorkloadKind } from '../../src/rpc/methods/answers/workload-kinds.ts';
import { messageType } from '../../src/wire/schema.ts';

export const START_MS = Date.UTC(2026, 0, 1);

export class FakePicture implements RpcSources {
  pending: readonly string[] = [];
  stalenessMs: number | undefined;
  credentialsTrouble = '';
  cluster = UNKNOWN_CLUSTER;
  clusterProblem = '';
  knowsNamespaces = true;
  /** Answers by address, or by `address:port`. */
  readonly answers = new Map<string, AddressAnswer>();
  readonly questions: AddressQuestion[] = [];
  readonly found = new Map<string, Entity>();
  readonly workloads = new Map<string, WorkloadEntity>();
  readonly watches = new Set<WatchCall>();
  readonly names = new NameWaiterTable(10);
  kinds: readonly WorkloadKind[] = [];
  readonly workloadKinds = () => this.kinds;
  /** Room for callers that wait for a holder. */
  maxWaiters = 10;
  readonly waiters = new Set<{ addresses: readonly string[]; wake(address?: string): void }>();
  onWatch: (call: WatchCall, caller: string, revoked?: AbortSignal) => void = () => undefined;
  onDrain: () => void = () => {
    for (const call of this.watches) call.end();
  };

  /** From now on an object holds the address. */
  setAnswer(address: string, answer: AddressAnswer): void {
    this.answers.set(address, answer);
    for (const waiter of this.waiters) if (waiter.addresses.includes(address)) waiter.wake(address);
  }

  /** From now on the object exists. */
  setEntity(entity: Entity, key = `${entity.kind}/${entity.namespace}/${entity.name}`): void {
    this.found.set(key, entity);
    this.names.onChanges({
      changes: [{ sequence: 1, before: undefined, after: entity }],
      seen: { atMs: START_MS },
      position: { resource: entity.kind === 'Workload' ? 'deployments.apps' : 'pods', resourceVersion: '1' },
    });
  }

  readonly addresses: AddressReader = {
    historySinceMs: START_MS,
    resolve: (question) => {
      this.questions.push(question);
      const exact = question.port === undefined ? undefined : this.answers.get(`${question.address}:${question.port}`);
      return exact ?? this.answers.get(question.address) ?? { outcome: 'UNASSIGNED', historySinceMs: START_MS };
    },
    history: ({ address }) => {
      const answer = this.answers.get(address);
      const isHeld = answer?.outcome === 'RESOLVED';
      return {
        stretches: isHeld
          ? [{ fromMs: START_MS, toMs: undefined, outcome: answer.outcome, holders: [answer.holder] }]
          : [],
        historySinceMs: START_MS,
      };
    },
    waitForHolder: (addresses, signal) => {
      if (this.waiters.size >= this.maxWaiters) return undefined;
      let wake = (): void => {};
      let claimed: readonly string[] = [];
      const waiter = {
        addresses,
        wake: (address?: string) => {
          claimed = address === undefined ? waiter.addresses : [...claimed, address];
          wake();
        },
      };
      const end = (): void => {
        this.waiters.delete(waiter);
        wake();
      };
      this.waiters.add(waiter);
      signal.addEventListener('abort', end, { once: true });
      return {
        next: async () => {
          if (claimed.length === 0 && !signal.aborted) await new Promise<void>((resolve) => (wake = resolve));
          const found = claimed;
          claimed = [];
          return signal.aborted ? [] : found;
        },
        forget: (address) => {
          waiter.addresses = waiter.addresses.filter((each) => each !== address);
        },
        [Symbol.dispose]: end,
      };
    },
  };

  readonly catalog: CatalogReader = {
    sequence: 7,
    pod: (namespace, name) => this.found.get(`Pod/${namespace}/${name}`) as PodEntity | undefined,
    podWithUid: (uid) => [...this.catalog.pods()].find((pod) => pod.uid === uid),
    service: (namespace, name) => this.found.get(`Service/${namespace}/${name}`) as ServiceEntity | undefined,
    node: (name) => this.found.get(`Node//${name}`) as NodeEntity | undefined,
    namespace: (name) => this.found.get(`Namespace//${name}`) as NamespaceEntity | undefined,
    workload: (group, kind, namespace, name) =>
      this.found.get(`${group}/${kind}/${namespace}/${name}`) as WorkloadEntity | undefined,
    resolveWorkload: (reference) => this.workloads.get(reference.uid) ?? fakeWorkload(reference),
    pods: () => [...this.found.values()].filter((entity) => entity.kind === 'Pod'),
    entities: () => this.found.values(),
  };

  readonly containers = new ContainerIndex({
    pods: () => this.catalog.pods(),
    pod: (uid) => this.catalog.podWithUid(uid),
    formerPods: () => [],
    formerPod: () => undefined,
    nowMs: () => START_MS,
    ...{ retentionMs: 60_000, maxFormerPods: 10, maxFormerBytes: 1_000_000 },
    slice: () => ({ due: () => false, pause: () => Promise.resolve() }),
  });

  readonly status: RpcSources['status'] = {
    version: '1.2.3',
    epoch: 'epoch-1',
    startTimeMs: START_MS,
    namespaces: [],
    published: new PublishedNamespaces([]),
    knowsNamespaces: () => this.knowsNamespaces,
    pending: () => this.pending,
    resources: () => [
      {
        resource: 'pods',
        required: true,
        synced: true,
        state: 'backing-off',
        objects: 3,
        lastContactMs: START_MS + 1_500,
        lastChangeMs: undefined,
        lists: 1,
        restarts: new Map([
          ['expired', 2],
          ['closed', 1],
        ]),
        message: 'connection refused',
      },
    ],
    subscribers: () => this.watches.size,
    sequence: () => 7,
    historySinceMs: () => START_MS,
    stalenessMs: () => this.stalenessMs,
    credentialsTrouble: () => this.credentialsTrouble,
    cluster: () => this.cluster,
    clusterProblem: () => this.clusterProblem,
    namedRanges: () => [],
    loadBalancerNames: () => undefined,
  };

  /** Named ranges by address. */
  readonly named = new Map<string, NamedNetwork>();
  readonly networks: NetworkNames = { find: (address) => this.named.get(address) };

  readonly feed: RpcSources['feed'] = {
    watch: (call, caller, revoked) => {
      this.watches.add(call);
      call.on('cancelled', () => this.watches.delete(call));
      this.onWatch(call, caller, revoked);
    },
    drain: () => this.onDrain(),
  };
}

/** Encodes an entity as the catalog does: fields that VIEW_BASIC leaves out come last. */
function encode(typeName: string, basic: Record<string, unknown>, full: Record<string, unknown>): EncodedEntity {
  const type = messageType(`digger.v1.${typeName}`);
  const first = type.encode(type.fromObject(basic)).finish();
  const rest = type.encode(type.fromObject(full)).finish();
  return {
    own: toByteString(Buffer.from(first)),
    joined: NO_BYTES,
    values: toByteString(Buffer.from(rest)),
    rest: NO_BYTES,
  };
}

export function fakePod(name: string, workload: ObjectReference, uid = `uid-${name}`): PodEntity {
  const namespace = 'default';
  return {
    ...encode('Pod', { uid, namespace, name, workload }, { labels: { app: name } }),
    ...PLAIN_POD,
    uid,
    namespace,
    name,
    creationTimeMs: START_MS,
    startTimeMs: START_MS,
    sandboxReadyTimeMs: START_MS,
    ownerChain: [workload],
    workload,
  };
}

export function fakeService(name: string, workloads: readonly ObjectReference[]): ServiceEntity {
  const namespace = 'default';
  const uid = `uid-${name}`;
  return {
    ...encode('Service', { uid, namespace, name, workloads }, { labels: { app: name } }),
    ...PLAIN_SERVICE,
    uid,
    namespace,
    name,
    creationTimeMs: START_MS,
    workloads,
  };
}

export function fakeNode(name: string): NodeEntity {
  const uid = `uid-${name}`;
  return {
    ...encode('Node', { uid, name }, { labels: { zone: 'a' } }),
    kind: 'Node',
    uid,
    namespace: '',
    name,
    creationTimeMs: START_MS,
    deletionTimeMs: undefined,
    addresses: [],
    podRanges: [],
  };
}

export function fakeReference(name: string): ObjectReference {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    namespace: 'default',
    name,
    uid: `uid-${name}`,
    incomplete: false,
  };
}

export function fakeWorkload(reference: ObjectReference): WorkloadEntity {
  const { apiVersion, kind, namespace, name, uid } = reference;
  return {
    ...encode('Workload', { apiVersion, kind, namespace, name, uid }, { labels: { team: 'a' } }),
    kind: 'Workload',
    apiVersion,
    workloadKind: kind,
    uid,
    namespace,
    name,
    creationTimeMs: START_MS,
    ownerChain: [],
    topLevel: true,
  };
}

export function holder(entity: Holder['entity'], role: Holder['role'], facts: Partial<Holder> = {}): Holder {
  return { entity, role, fromMs: START_MS, toMs: undefined, uncertain: false, ...facts };
}

export function resolved(by: Holder, alternatives: readonly Holder[] = []): AddressAnswer {
  return { outcome: 'RESOLVED', holder: by, alternatives, historySinceMs: START_MS };
}
