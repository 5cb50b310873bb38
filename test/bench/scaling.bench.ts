// What one change costs the catalog where much hangs on it: services over the same pods, pods behind one service,
// owners of thousands, chains, endpoints by the ten thousand. `npm run bench -- scaling`; each line is one shape of
// cluster.
//
// "longest" is the longest time for which nothing else could run: a write, or a slice of what a write left to do.

import { setImmediate as nextTurn } from 'node:timers/promises';
import { Registry } from '@prometheus-io/client';
import { Catalog } from '../../src/catalog/catalog.ts';
import type { KubernetesRecord, PodRecord } from '../../src/model/records.ts';
import { encodedLength } from '../../src/wire/encoded-entity.ts';
import { controlledBy, owner, pod, service, slice } from '../catalog/records.ts';

const SEEN = { atMs: 0 };

/** A catalog that is open, with what it took and told. */
class Measured {
  readonly catalog = new Catalog({ registry: new Registry() });
  longestMs = 0;
  totalMs = 0;
  serviceBytes = 0;
  entities = 0;
  readonly #stores = {
    Pod: this.catalog.store('Pod', 'pods'),
    Service: this.catalog.store('Service', 'services'),
    EndpointSlice: this.catalog.store('EndpointSlice', 'endpointslices.discovery.k8s.io'),
    Node: this.catalog.store('Node', 'nodes'),
    Owner: this.catalog.store('Owner', 'replicasets.apps'),
  } as unknown as Record<string, { upsert(...of: unknown[]): void; remove(...of: unknown[]): void }>;

  static async open(...records: readonly KubernetesRecord[]): Promise<Measured> {
    const measured = new Measured();
    for (const record of records) measured.#stores[record.type]?.upsert(record, '1', SEEN);
    await measured.catalog.open();
    measured.catalog.onBatch(({ changes }) => {
      measured.entities += changes.length;
      for (const { after } of changes) {
        if (after?.kind === 'Service') measured.serviceBytes += encodedLength(after, 'FULL');
      }
    });
    return measured;
  }

  async put(record: KubernetesRecord): Promise<void> {
    await this.#take(() => this.#stores[record.type]?.upsert(record, '2', SEEN));
  }

  async remove(record: KubernetesRecord): Promise<void> {
    await this.#take(() => this.#stores[record.type]?.remove(record, '2', SEEN));
  }

  /** The write, and the turns until nothing more is told. */
  async #take(write: () => void): Promise<void> {
    const started = performance.now();
    write();
    this.longestMs = Math.max(this.longestMs, performance.now() - started);
    this.totalMs += performance.now() - started;
    if (this.entities < 500) return;
    for (let before = 0; before !== this.entities; ) {
      before = this.entities;
      const turned = performance.now();
      await nextTurn();
      this.longestMs = Math.max(this.longestMs, performance.now() - turned);
      this.totalMs += performance.now() - turned;
    }
    this.entities = 0;
  }
}

const many = <T>(count: number, make: (at: number) => T): T[] => Array.from({ length: count }, (_, at) => make(at));
/** As Kubernetes' own controller makes them. */
const sliceOfPods = (name: string, of: string, pods: readonly PodRecord[]) => ({
  ...slice(name, of, pods),
  labels: { 'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io' },
  controller: { apiVersion: 'v1', kind: 'Service', name: of, uid: `uid-service-${of}` },
});
const address = (at: number) => `10.${at >> 16}.${(at >> 8) & 255}.${at & 255}`;
const podAt = (at: number, some: Partial<PodRecord> = {}) => pod(`p${at}`, { podIps: [address(at)], ...some });
const ms = (value: number) => `${value.toFixed(value < 10 ? 2 : 0)} ms`;

const shapes: Record<string, () => Promise<string>> = {
  '400 services over the same 100 pods': async () => {
    const set = owner('ReplicaSet', 'rs');
    const pods = many(100, (at) => podAt(at, { controller: controlledBy(set) }));
    const measured = await Measured.open(set, ...pods, ...many(400, (at) => service(`s${at}`)));
    for (let at = 0; at < 400; at += 1) await measured.put(slice(`e${at}`, `s${at}`, pods));
    return `${ms(measured.totalMs)} in all, longest ${ms(measured.longestMs)}`;
  },
  '1,500 services over 10 pods: one more': async () => {
    const pods = many(10, (at) => podAt(at));
    const services = many(1_501, (at) => service(`s${at}`));
    const slices = many(1_500, (at) => slice(`e${at}`, `s${at}`, pods));
    const measured = await Measured.open(...pods, ...services, ...slices);
    await measured.put(slice('e1500', 's1500', pods));
    return ms(measured.longestMs);
  },
  '4,000 bare pods behind one service, one after the other': async () => {
    const measured = await Measured.open(
      service('s'),
      ...many(40, (at) =>
        sliceOfPods(
          `e${at}`,
          's',
          many(100, (of) => podAt(at * 100 + of)),
        ),
      ),
    );
    for (let at = 0; at < 4_000; at += 1) await measured.put(podAt(at));
    return `${ms(measured.totalMs / 4_000)} a pod, longest ${ms(measured.longestMs)}, ${(measured.serviceBytes / 1e6).toFixed(0)} MB of services encoded`;
  },
  '20,000 pods whose owner is seen at last': async () => {
    const set = owner('ReplicaSet', 'rs');
    const measured = await Measured.open(...many(20_000, (at) => podAt(at, { controller: controlledBy(set) })));
    await measured.put(set);
    return `${ms(measured.totalMs)} in all, longest ${ms(measured.longestMs)}`;
  },
  'a chain of 12,000 ReplicaSets: the first is deleted': async () => {
    const sets = [owner('ReplicaSet', 'r0')];
    for (let at = 1; at < 12_000; at += 1) {
      sets.push(owner('ReplicaSet', `r${at}`, { controller: controlledBy(sets.at(-1) as (typeof sets)[number]) }));
    }
    const measured = await Measured.open(...sets);
    await measured.remove(sets[0] as KubernetesRecord);
    return ms(measured.longestMs);
  },
  '8,000 children without pods of an owner that is retained: one of them goes': async () => {
    const top = owner('Deployment', 'top');
    const child = (name: string) => owner('ReplicaSet', name, { controller: controlledBy(top) });
    const keeper = child('keeper');
    const children = many(8_000, (at) => child(`c${at}`));
    const measured = await Measured.open(top, ...children, keeper, podAt(1, { controller: controlledBy(keeper) }));
    await measured.remove(top);
    measured.totalMs = 0;
    for (const each of children.slice(0, 1_000)) await measured.remove(each);
    return `${ms(measured.totalMs / 1_000)} each`;
  },
  '80,000 endpoints by hand in one service': async () => {
    const measured = await Measured.open(service('s'));
    for (let at = 0; at < 80; at += 1) {
      const listed = many(1_000, (of) => ({ addresses: [address(0x900000 + at * 1_000 + of)] }));
      await measured.put(slice(`e${at}`, 's', listed));
    }
    const entity = measured.catalog.service('shop', 's');
    return `${((entity ? encodedLength(entity, 'FULL') : 0) / 1e6).toFixed(2)} MB in a message, longest ${ms(measured.longestMs)}`;
  },
};

for (const [shape, measure] of Object.entries(shapes)) {
  // A shape that the catalog does not survive is a figure too.
  console.log(`${shape.padEnd(76)} ${await measure().catch((error: unknown) => String(error))}`);
}
