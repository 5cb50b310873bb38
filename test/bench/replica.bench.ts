// What a replica costs in the process of a sensor: taking in the timelines of a cluster, heap for each address, and
// questions, beside a Map from the address to what a naive copy keeps: an object with name, namespace and workload.
//
// 100,000 pods of 2,000 workloads with one address each, in the frames that a server sends. CPU times are of this
// process; nothing is sent over a socket, which costs the same for both. Run with `--expose-gc` for figures of memory.

import { Picture } from '../../src/client/picture.ts';
import { DEFAULT_BOUNDS } from '../../src/client/replica.ts';
import { SharedValues } from '../../src/client/shared-values.ts';
import type { ReplicaHolder } from '../../src/client/holder-message.ts';
import { resolve, Verdict } from '../../src/timelines/resolve.ts';
import { messageType } from '../../src/wire/schema.ts';
import { createRandom } from '../random.ts';

const PODS = process.argv.includes('--short') ? 20_000 : 100_000;
const PODS_PER_WORKLOAD = 50;
const CHANGES_PER_FRAME = 500;
const QUESTIONS = 2_000_000;
const FEW = 2_000;
const START_MS = Date.UTC(2026, 10, 23, 12);

const Changes = messageType('digger.v1.Changes');
const random = createRandom(1);
let nowMs = START_MS + 60_000;

const frames: Uint8Array[] = [];
for (let from = 0; from < PODS; from += CHANGES_PER_FRAME) {
  const changes: object[] = from === 0 ? [{ facts: factsMessage() }] : [];
  for (let index = from; index < Math.min(from + CHANGES_PER_FRAME, PODS); index++) {
    changes.push({ timeline: timelineMessage(index) });
  }
  frames.push(Changes.encode(Changes.fromObject({ changes })).finish());
}
const wire = frames.reduce((sum, { length }) => sum + length, 0);
console.log(`${PODS} pods: ${(wire / PODS).toFixed(0)} bytes of frames for each`);

// Once for the compiler, whose code the second one runs with.
takeIn();
const before = heapBytes();
const begunCpu = process.cpuUsage();
const picture = takeIn();
const takenMs = cpuMsSince(begunCpu);
const heap = heapBytes() - before;
console.log(`taking in: ${takenMs.toFixed(0)} ms of CPU, ${((takenMs * 1_000) / PODS).toFixed(1)} µs an address`);
console.log(`heap: ${(heap / PODS).toFixed(0)} bytes an address, with name, namespace and workload`);

const naiveBefore = heapBytes();
const naive = new Map<string, { name: string; namespace: string; workload: { kind: string; name: string } }>();
for (let index = 0; index < PODS; index++) {
  naive.set(address(index), {
    name: podName(index),
    namespace: `namespace-${index % 40}`,
    workload: { kind: 'Deployment', name: `workload-${Math.floor(index / PODS_PER_WORKLOAD)}` },
  });
}
console.log(
  `heap of the naive copy, which knows neither time nor doubt: ${((heapBytes() - naiveBefore) / PODS).toFixed(0)} bytes an address`,
);

const verdict = new Verdict<ReplicaHolder>();
let found = 0;
const question = { address: '' };
const ask = (asked: string): void => {
  question.address = asked;
  resolve(picture, question, nowMs, verdict);
  if (verdict.holders.length === 1) found++;
};
const look = (asked: string): void => {
  if (naive.get(asked) !== undefined) found++;
};
for (const [title, count] of [
  [`${FEW} addresses, as a node talks to`, FEW],
  [`all ${PODS} addresses`, PODS],
] as const) {
  const asked = Array.from({ length: 65_536 }, () => address(random.between(0, count - 1)));
  const ours = nsPer(asked, ask);
  const theirs = nsPer(asked, look);
  console.log(
    `${title}: ${ours.toFixed(0)} ns of CPU a question (${(1_000 / ours).toFixed(1)} M/s), ` +
      `a Map look-up ${theirs.toFixed(0)} ns: ${(ours / theirs).toFixed(1)} ×`,
  );
}
const some = Array.from({ length: 1_024 }, (_, index) => address(index));
for (const each of some) ask(each);
const allocatedBefore = process.memoryUsage().heapUsed;
for (let round = 0; round < 100; round++) for (const each of some) ask(each);
const allocated = process.memoryUsage().heapUsed - allocatedBefore;
console.log(`allocated by a hit: ${(allocated / (100 * some.length)).toFixed(1)} bytes`);
if (found === 0) throw new Error('nothing was found');

function takeIn(): Picture {
  const taken = new Picture(DEFAULT_BOUNDS, new SharedValues(), false);
  for (const frame of frames) taken.apply(frame);
  return taken;
}

function nsPer(asked: readonly string[], answer: (address: string) => void): number {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 5; round++) {
    const begun = process.cpuUsage();
    for (let done = 0; done < QUESTIONS / 5; done += asked.length) {
      nowMs += 1;
      for (const each of asked) answer(each);
    }
    const questions = Math.ceil(QUESTIONS / 5 / asked.length) * asked.length;
    best = Math.min(best, (cpuMsSince(begun) * 1e6) / questions);
  }
  return best;
}

function cpuMsSince(begun: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(begun);
  return (user + system) / 1_000;
}

function heapBytes(): number {
  globalThis.gc?.();
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

function address(index: number): string {
  return `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`;
}

function podName(index: number): string {
  const workload = Math.floor(index / PODS_PER_WORKLOAD);
  return `workload-${workload}-7d9f8b6c5d-${(index * 7_919).toString(36).padStart(5, '0').slice(-5)}`;
}

function uid(index: number): string {
  const digits = (index * 2_654_435_761).toString(16).padStart(12, '0').slice(-12);
  return `2f1d7c3a-4b5e-4c6d-8e9f-${digits}`;
}

function factsMessage(): object {
  return { beganMs: START_MS - 60_000, historyMs: 600_000, reportDelayMs: 2_000, rangesCompleteIpv4: true };
}

/** As a pod has it that was there when the service started. */
function timelineMessage(index: number): object {
  const workload = Math.floor(index / PODS_PER_WORKLOAD);
  const namespace = `namespace-${workload % 40}`;
  const from = START_MS - 1_000 * (index % 3_600);
  return {
    place: { address: address(index) },
    holders: [
      {
        kind: 1,
        namespace,
        name: podName(index),
        uid: uid(index),
        role: 1,
        validFromMs: from,
        workload: {
          apiVersion: 'apps/v1',
          kind: 'Deployment',
          namespace,
          name: `workload-${workload}`,
          uid: uid(1e6 + workload),
        },
      },
    ],
    spans: [
      { fromMs: from - 500, toMs: from, holders: [0], nearMs: from },
      { fromMs: from, toMs: from + 1_000, holders: [0], atEdge: [0] },
      { fromMs: from + 1_000, holders: [0] },
    ],
    inCluster: true,
  };
}
