// Histories of a hostile cluster for the catalog: owners of every scope in every order (shared by namespaces, said in
// two API versions, in circles, in chains longer than any that is followed, deleted first), slices that name what is
// not theirs (other namespaces' pods, nodes' addresses, pods that are gone), pods whose addresses move, services that
// change.
//
// A step is drawn from a seed. A history can be played into a catalog and into the model; what is there at its end can
// be played into another catalog in another order, where only the names of retained owners may be missing. In some
// histories the catalog tells one or two entities at a time, so that most writes are told in slices, and others come in
// between; in some, others come in between while it opens. Consumers of the feed follow it all.

import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import type {
  ControllerReference,
  EndpointRecord,
  EndpointSliceRecord,
  KubernetesRecord,
  OwnerRecord,
  PodRecord,
} from '../../src/model/kubernetes/records.ts';
import { createRandom, type Random } from '../random.ts';
import { Pacer } from '../../src/catalog/pacer.ts';
import { groupOf } from '../../src/model/kubernetes/api-version.ts';
import type { Entity, PodEntity } from '../../src/model/entities.ts';
import { checkFacts } from './facts.ts';
import { Followers } from './followers.ts';
import { countsOf, decode, Harness, scrapedCounts } from './harness.ts';
import { LONGEST_CHAIN, Model } from './model.ts';
import { namespace, node, owner, pod, service, slice } from './records.ts';

const NAMESPACES = ['shop', 'bank'];
const PODS = ['p0', 'p1', 'p2', 'p3', 'p4'];
const OWNERS = ['o0', 'o1', 'o2', 'o3'];
/** A chain that is longer than what is followed of one. */
const LINKS = Array.from({ length: 13 }, (_, depth) => `l${depth}`);
const ADDRESSES = ['10.0.0.1', '10.0.0.2', '10.0.0.3', '192.168.0.1', '192.168.0.2', '203.0.113.7'];
const KINDS = ['Deployment', 'Installation'];
const PORT = { name: 'http', protocol: '', port: 80, targetPort: '', appProtocol: '' };

const ZONE = 'topology.kubernetes.io/zone';

/** `Installation`s are of a kind that is not watched, until a record of one comes after all. */
export const isWatchedKind = (kind: string): boolean => kind !== 'Installation';

export class Adversary {
  readonly harness: Harness;
  readonly model = new Model(isWatchedKind);
  readonly #random: Random;
  readonly #followers: Followers;
  readonly #relists: boolean;
  /** The last records that were written. */
  readonly #earlier: KubernetesRecord[] = [];
  /** Uids of records that were ever written, and of entities that were ever told. */
  readonly #everTold = new Set<string>();
  #isOpening = false;

  private constructor(random: Random, relists: boolean) {
    this.#random = random;
    this.#relists = relists;
    this.harness = new Harness({
      isWatchedKind: (_, kind) => isWatchedKind(kind),
      sliceSize: random.pick([1, 1, 2, 5, 512]),
      ...(random.chance(0.5) ? { pacer: this.#hurriedPacer() } : {}),
    });
    this.#followers = new Followers(this.harness.catalog, random);
  }

  /** Of an open catalog, with some steps before or after that. */
  static async begin(seed: number, { relists = true } = {}): Promise<Adversary> {
    const random = createRandom(seed);
    const adversary = new Adversary(random, relists);
    if (random.chance(0.3)) for (let steps = 0; steps < 40; steps += 1) await adversary.#write();
    // The whole of the long chain: by chance it would never be there.
    if (random.chance(0.4)) LINKS.forEach((_, depth) => adversary.#put(adversary.#link(depth, true)));
    adversary.#isOpening = true;
    await adversary.harness.catalog.open();
    adversary.#isOpening = false;
    adversary.#followers.connect();
    return adversary;
  }

  /** Every step takes the whole turn: the catalog opens an entity at a time, and something is written in between. */
  #hurriedPacer(): Pacer {
    let nowMs = 0;
    return new Pacer({
      budgetMs: 0,
      nowMs: () => (nowMs += 1),
      turn: async () => {
        await setImmediate();
        if (!this.#isOpening) return;
        for (let writes = this.#random.between(0, 2); writes > 0; writes -= 1) this.#writeOne();
      },
    });
  }

  /** Something happens; afterwards all of it is told, or only a part yet. */
  async step(): Promise<void> {
    await this.#write();
    this.#followers.step();
    assert.deepEqual(
      new Set(this.harness.catalog.entities()),
      new Set(this.harness.byKey.values()),
      'told is readable',
    );
    if (this.#random.chance(0.5)) await this.harness.catalog.settled();
  }

  async #write(): Promise<void> {
    if (this.#relists && this.#random.chance(0.01)) await this.#relist([...this.model.records.values()]);
    else this.#writeOne();
  }

  #writeOne(): void {
    const random = this.#random;
    const present = [...this.model.records.values()];
    if (random.chance(0.3) && present.length > 10) {
      // Often one that just came, of which a part may still be to be told.
      const last = random.chance(0.3) ? this.#earlier.at(-random.between(1, 3)) : undefined;
      const record = last ?? random.pick(present);
      this.harness.remove(record);
      this.model.remove(record);
    } else {
      const record = this.#next(present);
      const before = present.find((each) => isOneObject(each, record));
      this.#earlier.push(record);
      if (this.#earlier.length > 12) this.#earlier.shift();
      this.#put(record);
      // There and back, or gone, before anything else happens.
      if (before !== undefined && random.chance(0.1)) this.#put(before);
      if (random.chance(0.05)) {
        this.harness.remove(record);
        this.model.remove(record);
      }
    }
  }

  /** Something new; what an object said before, perhaps before what it said since is told; or the least change of it. */
  #next(present: readonly KubernetesRecord[]): KubernetesRecord {
    const random = this.#random;
    const dice = random.next();
    if (dice < 0.12 && this.#earlier.length > 0) return random.pick(this.#earlier);
    if (dice < 0.3 && present.length > 0) return this.#changed(random.pick(present));
    return this.#record();
  }

  #changed(record: KubernetesRecord): KubernetesRecord {
    const random = this.#random;
    const time = random.chance(0.5) ? 1_700_000_001_000 : undefined;
    const ways: KubernetesRecord[] = [
      { ...record, labels: record.type === 'Node' ? this.#nodeLabels() : this.#labels() },
      { ...record, creationTimeMs: random.pick([1_700_000_000_000, 1_700_000_002_000]) },
    ];
    if (record.type === 'Pod') {
      ways.push({ ...record, finishedTimeMs: time }, { ...record, sandboxReadyTimeMs: time });
      ways.push({ ...record, controller: this.#controller() }, { ...record, podIps: [random.pick(ADDRESSES)] });
    }
    if (record.type === 'EndpointSlice') {
      ways.push({ ...record, endpoints: [...record.endpoints, this.#endpoint()].slice(-5) });
      ways.push({ ...record, endpoints: record.endpoints.slice(1) });
    }
    return random.pick(ways);
  }

  #put(record: KubernetesRecord): void {
    this.harness.put(record);
    this.model.put(record);
  }

  /** The catalog has an entity by its uid while it is told, and not before or after that. */
  #checkUids(): void {
    const { catalog } = this.harness;
    const uids = new Set([...catalog.entities()].map(({ uid }) => uid));
    for (const uid of uids) this.#everTold.add(uid);
    for (const { uid } of this.model.records.values()) this.#everTold.add(uid);
    assert.deepEqual(new Set([...this.#everTold].filter((uid) => catalog.hasEntity(uid))), uids);
  }

  /** Listeners, readers, consumers of the feed and the model agree. */
  async check(): Promise<void> {
    const { harness, model } = this;
    await harness.catalog.settled();
    const told = new Map([...harness.byKey].map(([key, entity]) => [key, decode(entity)]));
    assert.deepEqual(told, model.entities());
    assert.deepEqual(new Set(harness.catalog.entities()), new Set(harness.byKey.values()));
    this.#checkUids();
    assert.deepEqual(await scrapedCounts(harness), countsOf(harness.byKey.values()));
    const records = new Map([...model.records.values()].map((record) => [record.uid, record]));
    for (const [key, entity] of harness.byKey) {
      this.#find(entity);
      checkFacts(entity, told.get(key) ?? {}, records.get(entity.uid));
    }
    for (const record of records.values()) if (record.type === 'Owner') this.#findOwner(record);
    this.#followers.check();
    const last = harness.batches.at(-1);
    assert.notEqual(last?.unfinished, true, 'what is told is finished');
    harness.storeOf('Pod').bookmark(harness.version());
    const { changes, touched } = harness.batches.at(-1) ?? assert.fail('a bookmark is told');
    assert.deepEqual([changes, touched], [[], undefined], 'nothing is left for the next position to tell');
    harness.batches.length = 0;
  }

  /** By its name and uid. */
  #find(entity: Entity): void {
    const { catalog } = this.harness;
    const { namespace, name, uid } = entity;
    switch (entity.kind) {
      case 'Pod':
        this.#resolve(entity);
        return assert.equal(catalog.pod(namespace, name), entity);
      case 'Service':
        return assert.equal(catalog.service(namespace, name), entity);
      case 'Node':
        return assert.equal(catalog.node(name), entity);
      case 'Namespace':
        return assert.equal(catalog.namespace(name), entity);
      case 'Workload': {
        const group = groupOf(entity.apiVersion);
        assert.deepEqual(catalog.workload(group, entity.workloadKind, namespace, name, uid), entity);
        assert.ok(catalog.workload(group, entity.workloadKind, namespace, name));
      }
    }
  }

  /** A catalog that took the same records in another order comes to the same bytes, but for retained owners. */
  async checkReplica(): Promise<void> {
    if (this.model.retained.size > 0) return;
    await this.harness.catalog.settled();
    const random = this.#random;
    const records = [...this.model.records.values()].map((record) => ({ record, at: random.next() }));
    const other = new Harness({ isWatchedKind: (_, kind) => isWatchedKind(kind) });
    await other.catalog.open();
    for (const { record } of records.sort((a, b) => a.at - b.at)) other.put(record);
    const [mine, theirs] = [this.harness, other].map(({ byKey }) =>
      [...byKey.entries()].sort(([a], [b]) => (a < b ? -1 : 1)),
    );
    assert.deepEqual(mine, theirs);
    assert.deepEqual(this.harness.digests, other.digests, 'equal records have equal digests');
  }

  /** Links of a chain too, which are not told. */
  #findOwner(record: OwnerRecord): void {
    const { kind, namespace, name, uid } = record;
    const group = groupOf(record.apiVersion);
    const found = this.harness.catalog.workload(group, kind, namespace, name, uid) ?? assert.fail(`no ${kind} ${name}`);
    assert.deepEqual(decode(found), this.model.owner(record));
    assert.equal(found.topLevel, record.controller === undefined);
  }

  /** The owners of a pod are what the pod says of them, whether they are there, retained or only referred to. */
  #resolve({ workload, ownerChain }: PodEntity): void {
    for (const reference of [workload, ...ownerChain]) {
      const found = this.harness.catalog.resolveWorkload(reference);
      const { uid, name, namespace, kind, apiVersion } = reference;
      assert.deepEqual(
        [found.uid, found.name, found.namespace, found.workloadKind, found.apiVersion],
        [uid, name, namespace, kind, apiVersion],
      );
      const message = decode(found);
      assert.deepEqual(message['ownerChain'] ?? [], this.model.chainAbove(uid));
      // Where a chain is cut at its bound, the owner there is known all the same.
      if (ownerChain.length < LONGEST_CHAIN) assert.equal(message['incomplete'] ?? false, reference.incomplete);
    }
  }

  async #relist(present: readonly KubernetesRecord[]): Promise<void> {
    const random = this.#random;
    const type = random.pick(['Pod', 'Owner', 'Service', 'EndpointSlice', 'Node', 'Namespace'] as const);
    const kept = present.filter((record) => record.type === type && random.chance(0.7));
    const records = new Map(kept.map((record) => [`${record.namespace}/${record.name}`, record]));
    for (let more = random.between(0, 2); more > 0; more -= 1) {
      const record = this.#record();
      if (record.type === type) records.set(`${record.namespace}/${record.name}`, record);
    }
    await this.harness.relist(type, this.#streamed([...records.values()], present));
    this.model.relist(type, [...records.values()]);
  }

  /** A streamed list may bring an object in several states, and under its name one that was there before; the last counts. */
  #streamed(records: readonly KubernetesRecord[], present: readonly KubernetesRecord[]): readonly KubernetesRecord[] {
    const random = this.#random;
    return records.flatMap((record) => {
      const others = [...present, ...this.#earlier].filter((each) => isOneObject(each, record));
      return others.length > 0 && random.chance(0.4) ? [random.pick(others), record] : [record];
    });
  }

  #record(): KubernetesRecord {
    const random = this.#random;
    const dice = random.next();
    if (dice < 0.32) return this.#pod();
    if (dice < 0.55) return this.#owner();
    if (dice < 0.63) return this.#link(random.between(0, LINKS.length - 1));
    if (dice < 0.72) return this.#service();
    if (dice < 0.78) return this.#node();
    if (dice < 0.8) return this.#namespace();
    return this.#slice();
  }

  #pod(): PodRecord {
    const random = this.#random;
    const name = random.pick(PODS);
    const namespace = random.pick(NAMESPACES);
    const hostNetwork = random.chance(0.15);
    const address = hostNetwork ? '192.168.0.1' : random.pick(ADDRESSES);
    return pod(name, {
      namespace,
      uid: `${namespace}-${name}-${random.between(0, 1)}`,
      controller: random.chance(0.8) ? this.#controller() : undefined,
      nodeName: random.pick(['', 'n0', 'n1']),
      ready: random.chance(0.5),
      hostNetwork,
      phase: random.pick(['Running', 'Running', 'Running', 'Pending', 'Succeeded', 'Failed']),
      ...this.#times(),
      podIps: random.chance(0.8) ? [this.#spelled(address)] : [],
      labels: this.#labels(),
    });
  }

  #owner() {
    const random = this.#random;
    const name = random.pick(OWNERS);
    // A uid has one scope for good.
    const namespace = name === 'o0' || name === 'o1' ? '' : 'shop';
    return owner(random.pick(KINDS), name, {
      namespace,
      uid: `${name}-${random.between(0, 1)}`,
      apiVersion: random.pick(['apps/v1', 'apps/v1', 'apps/v2']),
      controller: random.chance(0.3) ? this.#controller() : undefined,
      labels: this.#labels(),
    });
  }

  #link(depth: number, isWhole = false) {
    const name = LINKS[depth] ?? '';
    const above = LINKS[depth + 1];
    const isTop = above === undefined || (!isWhole && this.#random.chance(0.05));
    const controller = isTop
      ? undefined
      : { apiVersion: 'apps/v1', kind: 'Deployment', name: above, uid: `${above}-0` };
    return owner('Deployment', name, { uid: `${name}-0`, controller });
  }

  /** Of any owner, whether it is there or not; API versions, names and kinds need not agree with its record. */
  #controller(): ControllerReference {
    const random = this.#random;
    const dice = random.next();
    if (dice < 0.08) return { apiVersion: 'v1', kind: 'Node', name: 'n0', uid: 'n0-0' };
    if (dice < 0.16) return { apiVersion: 'v1', kind: 'Pod', name: 'p0', uid: `shop-p0-${random.between(0, 1)}` };
    if (dice < 0.35) return { apiVersion: 'apps/v1', kind: 'Deployment', name: 'l0', uid: 'l0-0' };
    const name = random.pick(OWNERS);
    return {
      apiVersion: random.pick(['apps/v1', 'apps/v1', 'apps/v2']),
      kind: random.pick(KINDS),
      name: random.chance(0.95) ? name : 'other',
      uid: `${name}-${random.between(0, 1)}`,
    };
  }

  #service() {
    const random = this.#random;
    const name = random.pick(['s0', 's1', 's2']);
    const namespace = random.pick(NAMESPACES);
    return service(name, {
      namespace,
      uid: `${namespace}-${name}-${random.between(0, 1)}`,
      serviceType: random.pick(['ClusterIP', 'ExternalName', 'LoadBalancer']),
      clusterIps: random.pick([['10.96.0.1'], ['None'], ['']]),
      externalIps: random.chance(0.3) ? [this.#spelled(random.pick(ADDRESSES))] : [],
      loadBalancerIps: random.chance(0.2) ? [this.#spelled(random.pick(ADDRESSES))] : [],
      ports: random.chance(0.3) ? [{ ...PORT, nodePort: random.pick([0, 30_080]) }] : [],
      labels: this.#labels(),
    });
  }

  /** As objects may have it that were stored before leading zeros were refused, or as IPv6 writes an IPv4 address. */
  #spelled(address: string): string {
    if (this.#random.chance(0.05)) return address.replace(/\d+/, (part) => part.padStart(3, '0'));
    return this.#random.chance(0.05) ? `::ffff:${address}` : address;
  }

  #node() {
    const random = this.#random;
    const name = random.pick(['n0', 'n1']);
    return node(name, {
      uid: `${name}-${random.between(0, 1)}`,
      addresses: Array.from({ length: random.pick([0, 1, 1, 2]) }, () => ({
        type: random.pick(['InternalIP', 'ExternalIP', 'Hostname']),
        address: this.#spelled(random.pick(ADDRESSES)),
      })),
      annotations: random.chance(0.2)
        ? { 'projectcalico.org/IPv4VXLANTunnelAddr': this.#spelled(random.pick(ADDRESSES)) }
        : {},
      podCidrs: random.chance(0.2) ? ['10.0.0.0/24'] : [],
      deletionTimeMs: random.chance(0.1) ? 1_700_000_001_000 : undefined,
      labels: { ...this.#labels(), ...(random.chance(0.6) ? { [ZONE]: random.pick(['a', 'b']) } : {}) },
    });
  }

  #nodeLabels() {
    const random = this.#random;
    const zone = random.chance(0.5) ? { 'topology.kubernetes.io/zone': random.pick(['a', 'b']) } : {};
    const region = random.chance(0.3) ? { 'topology.kubernetes.io/region': 'west' } : {};
    return { ...this.#labels(), ...zone, ...region };
  }

  #namespace() {
    const name = this.#random.pick(NAMESPACES);
    return namespace(name, { uid: `${name}-${this.#random.between(0, 1)}`, labels: this.#labels() });
  }

  #slice(): EndpointSliceRecord {
    const random = this.#random;
    const serviceName = random.pick(['s0', 's1', 's2']);
    const namespace = random.pick(NAMESPACES);
    const isKubernetes = random.chance(0.4);
    const endpoints = Array.from({ length: random.between(0, 4) }, () => this.#endpoint());
    const name = random.pick(['e0', 'e1', 'e2']);
    return {
      ...slice(name, serviceName, []),
      namespace,
      uid: `${namespace}-${name}`,
      endpoints: random.chance(0.2) ? [...endpoints, ...endpoints] : endpoints,
      labels: isKubernetes ? { 'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io' } : {},
      controller:
        isKubernetes && random.chance(0.9)
          ? { apiVersion: 'v1', kind: 'Service', name: serviceName, uid: `${namespace}-${serviceName}-0` }
          : undefined,
    };
  }

  #endpoint(): EndpointRecord {
    const random = this.#random;
    const addresses = [
      this.#spelled(random.pick(ADDRESSES)),
      ...(random.chance(0.2) ? [this.#spelled(random.pick(ADDRESSES))] : []),
    ];
    const namespace = random.pick(NAMESPACES);
    const name = random.pick(PODS);
    const uid = random.chance(0.8) ? `${namespace}-${name}-${random.between(0, 1)}` : '';
    const dice = random.next();
    const target =
      dice < 0.2
        ? undefined
        : dice < 0.4
          ? { kind: 'Node', namespace: '', name: 'n0', uid: 'n0-0' }
          : { kind: 'Pod', namespace: random.chance(0.7) ? namespace : random.pick(NAMESPACES), name, uid };
    return { addresses: random.chance(0.95) ? addresses : [], ready: true, target };
  }

  /** Mostly none, so that two states of a pod now and then differ in nothing else. */
  #times() {
    const random = this.#random;
    const some = (chance: number) => (random.chance(chance) ? 1_700_000_001_000 : undefined);
    return { sandboxReadyTimeMs: some(0.2), finishedTimeMs: some(0.2), deletionTimeMs: some(0.1) };
  }

  #labels() {
    return this.#random.chance(0.3) ? { tier: 'front' } : {};
  }
}

/** Of one type and name; another uid may be behind it. */
function isOneObject(a: KubernetesRecord, b: KubernetesRecord): boolean {
  return a.type === b.type && a.namespace === b.namespace && a.name === b.name;
}
