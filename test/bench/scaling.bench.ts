// What one change costs where much hangs on it: services over the same pods, pods behind one service, owners of
// thousands, chains, endpoints by the ten thousand, nodes that are lost. `npm run bench -- scaling`; each line is one
// shape of cluster, through catalog, address book and feed.
//
// "longest" is the CPU time of the longest turn of the event loop, in which nothing else could run: a write, or a share
// of what a write left to do. Every shape is built anew for each run; the median of the runs is printed, after one that
// only warms the code, and the longest of all.

import type { KubernetesRecord, PodRecord } from '../../src/model/kubernetes/records.ts';
import { encodedLength } from '../../src/wire/encoded-entity.ts';
import { controlledBy, node, owner, pod, service, slice } from '../catalog/records.ts';
import { MeasuredPicture } from './measured-picture.ts';

const RUNS = process.argv.includes('--short') ? 1 : 5;
/** Only shapes with this in their name. */
const ONLY = process.argv.slice(2).find((argument) => !argument.startsWith('-')) ?? '';

const many = <T>(count: number, make: (at: number) => T): T[] => Array.from({ length: count }, (_, at) => make(at));
/** As Kubernetes' own controller makes them. */
const sliceOfPods = (name: string, of: string, pods: readonly PodRecord[]) => ({
  ...slice(name, of, pods),
  labels: { 'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io' },
  controller: { apiVersion: 'v1', kind: 'Service', name: of, uid: `uid-service-${of}` },
});
/** A hundred pods each. */
const slicesOfPods = (of: string, pods: readonly PodRecord[]) =>
  many(Math.ceil(pods.length / 100), (at) => sliceOfPods(`${of}-${at}`, of, pods.slice(at * 100, at * 100 + 100)));
const address = (at: number) => `10.${at >> 16}.${(at >> 8) & 255}.${at & 255}`;
const podAt = (at: number, some: Partial<PodRecord> = {}) => pod(`p${at}`, { podIps: [address(at)], ...some });
/** Of addresses that no pod has. */
const outsideSlice = (at: number, count: number, name = `e${at}`) =>
  slice(
    name,
    's',
    many(count, (of) => ({ addresses: [address(0x900000 + at * count + of)] })),
  );
const ms = (value: number) => `${value.toFixed(value < 10 ? 2 : 0)} ms`;

interface Figures {
  readonly longestMs: number;
  /** How the rest of the line reads. */
  readonly more: string;
}

/** Of a picture that took the change. */
function longest({ longestMs, totalMs, turns }: MeasuredPicture): Figures {
  return { longestMs, more: turns > 10 ? `${ms(totalMs)} in all` : '' };
}

/** The pictures with a change of it. */
async function change(
  records: readonly KubernetesRecord[],
  apply: (picture: MeasuredPicture) => Promise<void>,
): Promise<Figures> {
  const picture = await MeasuredPicture.open(...records);
  await apply(picture);
  return longest(picture);
}

const shapes: Record<string, () => Promise<Figures>> = {
  '400 services over the same 100 pods': () => {
    const set = owner('ReplicaSet', 'rs');
    const pods = many(100, (at) => podAt(at, { controller: controlledBy(set) }));
    return change([set, ...pods, ...many(400, (at) => service(`s${at}`))], (picture) =>
      picture.put(...many(400, (at) => slice(`e${at}`, `s${at}`, pods))),
    );
  },
  '1,500 services over 10 pods: one more': () => {
    const pods = many(10, (at) => podAt(at));
    const services = many(1_501, (at) => service(`s${at}`));
    const slices = many(1_500, (at) => slice(`e${at}`, `s${at}`, pods));
    return change([...pods, ...services, ...slices], (picture) => picture.put(slice('e1500', 's1500', pods)));
  },
  '4,000 bare pods behind one service, one after the other': async () => {
    const pods = many(4_000, (at) => podAt(at));
    const picture = await MeasuredPicture.open(service('s'), ...slicesOfPods('s', pods));
    await picture.put(...pods);
    const megabytes = (picture.serviceBytes / 1e6).toFixed(0);
    return { ...longest(picture), more: `${ms(picture.totalMs / 4_000)} a pod, ${megabytes} MB of services encoded` };
  },
  '20,000 pods whose owner is seen at last': () => {
    const set = owner('ReplicaSet', 'rs');
    const pods = many(20_000, (at) => podAt(at, { controller: controlledBy(set) }));
    return change(pods, (picture) => picture.put(set));
  },
  'a chain of 12,000 ReplicaSets: the first is deleted': () => {
    const sets = [owner('ReplicaSet', 'r0')];
    for (let at = 1; at < 12_000; at += 1) {
      sets.push(owner('ReplicaSet', `r${at}`, { controller: controlledBy(sets.at(-1) as (typeof sets)[number]) }));
    }
    return change(sets, (picture) => picture.remove(sets[0] as KubernetesRecord));
  },
  '8,000 children without pods of an owner that is retained: 1,000 of them go': async () => {
    const top = owner('Deployment', 'top');
    const child = (name: string) => owner('ReplicaSet', name, { controller: controlledBy(top) });
    const keeper = child('keeper');
    const children = many(8_000, (at) => child(`c${at}`));
    const pods = [podAt(1, { controller: controlledBy(keeper) })];
    const picture = await MeasuredPicture.open(top, ...children, keeper, ...pods);
    await picture.remove(top);
    picture.forget();
    await picture.remove(...children.slice(0, 1_000));
    return { ...longest(picture), more: `${ms(picture.totalMs / 1_000)} each` };
  },
  'a slice of 1,000 endpoints outside the cluster comes': () =>
    change([service('s')], (picture) => picture.put(outsideSlice(0, 1_000))),
  '… and has one more': () =>
    change([service('s'), outsideSlice(0, 1_000, 'e')], (picture) => picture.put(outsideSlice(0, 1_001, 'e'))),
  'a slice of 1,000 pods, written by hand, comes': () => {
    const pods = many(1_000, (at) => podAt(at));
    return change([service('s'), ...pods], (picture) => picture.put(slice('e', 's', pods)));
  },
  '… and goes': () => {
    const pods = many(1_000, (at) => podAt(at));
    return change([service('s'), ...pods, slice('e', 's', pods)], (picture) => picture.remove(slice('e', 's', [])));
  },
  '80,000 endpoints outside the cluster in one service come': async () => {
    const picture = await MeasuredPicture.open(service('s'));
    await picture.put(...many(80, (at) => outsideSlice(at, 1_000)));
    const entity = picture.catalog.service('shop', 's');
    const megabytes = (entity ? encodedLength(entity, 'FULL') : 0) / 1e6;
    return { ...longest(picture), more: `${megabytes.toFixed(2)} MB in a message` };
  },
  'a service of 10,000 endpoints outside the cluster goes': () =>
    change([service('s'), ...many(10, (at) => outsideSlice(at, 1_000))], (picture) => picture.remove(service('s'))),
  '… its slices go by a list': () =>
    change([service('s'), ...many(10, (at) => outsideSlice(at, 1_000))], (picture) =>
      picture.relist('EndpointSlice', []),
    ),
  'a service of 5,000 endpoints outside the cluster gets a label': () =>
    change([service('s'), ...many(5, (at) => outsideSlice(at, 1_000))], (picture) =>
      picture.put(service('s', { labels: { tier: 'front' } })),
    ),
  'a service of 5,000 pods gets a label': () => {
    const pods = many(5_000, (at) => podAt(at));
    return change([service('s'), ...pods, ...slicesOfPods('s', pods)], (picture) =>
      picture.put(service('s', { labels: { tier: 'front' } })),
    );
  },
  'a service of 5,000 pods goes': () => {
    const pods = many(5_000, (at) => podAt(at));
    return change([service('s'), ...pods, ...slicesOfPods('s', pods)], (picture) => picture.remove(service('s')));
  },
  'a node with 500 pods is lost': () => change(nodeWithPods(), (picture) => picture.remove(NODE)),
  '… and its pods go by a list': async () => {
    const picture = await MeasuredPicture.open(...nodeWithPods());
    await picture.remove(NODE);
    picture.forget();
    await picture.relist('Pod', []);
    return longest(picture);
  },
};

const NODE = node('n', { addresses: [{ type: 'InternalIP', address: '192.168.0.1' }], podCidrs: ['10.0.0.0/16'] });

/** All of them in one service, and half of them of one owner. */
function nodeWithPods(): KubernetesRecord[] {
  const set = owner('ReplicaSet', 'rs');
  const pods = many(500, (at) =>
    podAt(at, { nodeName: 'n', hostIps: ['192.168.0.1'], controller: at % 2 === 0 ? controlledBy(set) : undefined }),
  );
  return [NODE, set, service('s'), ...slicesOfPods('s', pods), ...pods];
}

for (const [shape, measure] of Object.entries(shapes)) {
  if (!shape.includes(ONLY)) continue;
  await measure();
  const runs: Figures[] = [];
  for (let run = 0; run < RUNS; run += 1) runs.push(await measure());
  runs.sort((a, b) => a.longestMs - b.longestMs);
  const median = runs[Math.floor(runs.length / 2)];
  const most = runs.at(-1)?.longestMs ?? 0;
  const turn =
    `longest ${ms(median?.longestMs ?? 0)}`.padEnd(18) + `(${ms(runs[0]?.longestMs ?? 0)} to ${ms(most)})`.padEnd(24);
  console.log(`${shape.padEnd(76)} ${turn} ${median?.more ?? ''}`.trimEnd());
}
process.exit();
