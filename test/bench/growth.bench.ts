// What becomes dearer as the cluster grows: an update of a pod, a lookup, and a relist of everything that finds nothing
// different, with 1,000, 10,000 and 100,000 pods, through catalog, address book and feed. A lookup and an update are to
// cost the same, a relist the same for each pod.
//
// `npm run bench -- growth`, or `node --expose-gc test/bench/growth.bench.ts [--short]`, which leaves out the largest.
// CPU time of the thread, what V8's own threads do left out; medians of five rounds, collections between them not
// counted. What grows all the same are the misses of the processor's caches: a `Map` of as many addresses is asked
// beside the lookup.

import type { KubernetesRecord, PodRecord } from '../../src/model/kubernetes/records.ts';
import { createRandom } from '../random.ts';
import { controlledBy, node, owner, pod } from '../catalog/records.ts';
import { MeasuredPicture } from './measured-picture.ts';

const SIZES = process.argv.includes('--short') ? [1_000, 10_000] : [1_000, 10_000, 100_000];
const ROUNDS = 5;
const UPDATES = 500;
const LOOKUPS = 20_000;

const PODS_PER_DEPLOYMENT = 20;
const PODS_PER_NODE = 100;

process.stdout.write(
  '| pods | update, µs | lookup, ns | a Map, ns | relist of all, unchanged, µs a pod | longest turn, ms |\n',
);
process.stdout.write('|---|---|---|---|---|---|\n');
for (const size of SIZES) {
  const pods = Array.from({ length: size }, (_, at) => podAt(at));
  const nodes = Array.from({ length: Math.ceil(size / PODS_PER_NODE) }, (_, at) => node(`node-${at}`));
  const sets = Array.from({ length: Math.ceil(size / PODS_PER_DEPLOYMENT) }, (_, at) =>
    owner('ReplicaSet', `set-${at}`),
  );
  const records: KubernetesRecord[] = [...nodes, ...sets, ...pods];
  const picture = await MeasuredPicture.open(...records);
  const plain = new Map(pods.map((each) => [each.podIps[0], each]));
  const random = createRandom(3);
  const found = { update: [] as number[], lookup: [] as number[], map: [] as number[], relist: [] as number[] };
  let longestMs = 0;
  // The timeline of an address is written when it is asked for first.
  for (let at = 0; at < size; at += 1) picture.addresses.resolve({ address: addressOf(at) });
  for (let round = 0; round < ROUNDS; round += 1) {
    globalThis.gc?.();
    const some = Array.from({ length: UPDATES }, () => random.between(0, size - 1));
    const changed = some.map((at) => podAt(at, { ready: round % 2 === 0, annotations: { round: String(round) } }));
    const updateMs = await spentMs(() => picture.write(...changed));
    found.update.push((1_000 * updateMs) / UPDATES);
    const questions = Array.from({ length: LOOKUPS }, () => addressOf(random.between(0, size - 1)));
    let holders = 0;
    const lookupMs = await spentMs(() => {
      for (const address of questions) if (picture.addresses.resolve({ address }).outcome === 'RESOLVED') holders += 1;
    });
    if (holders !== LOOKUPS) throw new Error(`${LOOKUPS - holders} of ${LOOKUPS} lookups found no holder`);
    found.lookup.push((1e6 * lookupMs) / LOOKUPS);
    const mapMs = await spentMs(() => {
      for (const address of questions) if (plain.has(address)) holders += 1;
    });
    found.map.push((1e6 * mapMs) / LOOKUPS);
    for (const [index, at] of some.entries()) pods[at] = changed[index] ?? podAt(at);
    picture.forget();
    const relistMs = await spentMs(() => picture.relist('Pod', pods));
    longestMs = Math.max(longestMs, picture.longestMs);
    found.relist.push((1_000 * relistMs) / size);
  }
  const of = (values: readonly number[], digits: number): string => median(values).toFixed(digits);
  process.stdout.write(
    `| ${size} | ${of(found.update, 1)} | ${of(found.lookup, 0)} | ${of(found.map, 0)} | ${of(found.relist, 1)} | ${longestMs.toFixed(1)} |\n`,
  );
}
process.exit();

function podAt(at: number, some: Partial<PodRecord> = {}): PodRecord {
  const set = owner('ReplicaSet', `set-${Math.floor(at / PODS_PER_DEPLOYMENT)}`);
  return pod(`p${at}`, {
    podIps: [addressOf(at)],
    nodeName: `node-${Math.floor(at / PODS_PER_NODE)}`,
    controller: controlledBy(set),
    ...some,
  });
}

function addressOf(at: number): string {
  return `10.${at >> 16}.${(at >> 8) & 255}.${at & 255}`;
}

/** Processor time of this thread, ms. */
async function spentMs(work: () => unknown): Promise<number> {
  const before = process.threadCpuUsage();
  await work();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1_000;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
