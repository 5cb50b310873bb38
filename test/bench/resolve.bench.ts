// What a question costs in the address index itself, without gRPC: ns per answer for every kind of answer, beside a Map
// from the address to the pod, which knows nothing of ports, time, services or doubt. CPU time of the thread that
// answers.
//
// 20,000 pods, 2,000 services, 200 nodes, and one address that 1,000 pods have had; questions come in random order, so
// that caches of the processor help no more than they do in a cluster. Also: heap per claim, claims per second while
// pods come and go, and what it takes to wake 10,000 waiters. Run with `--expose-gc` for figures of memory.

import { AddressBook, type AddressBookOptions } from '../../src/addresses/address-book.ts';
import type { AddressAnswer, AddressQuestion } from '../../src/addresses/reader.ts';
import type { Entity } from '../../src/model/entities.ts';
import { node, pod, service } from '../addresses/world.ts';
import { createRandom } from '../random.ts';

const PODS = 20_000;
const SERVICES = 2_000;
const NODES = 200;
const PAST_HOLDERS = 1_000;
const WAITERS = 10_000;
const CHURNED = 100_000;
const QUESTIONS = 20_000;
const ROUNDS = process.argv.includes('--short') ? 3 : 7;
const START_MS = Date.UTC(2026, 10, 23, 12);
const REUSED = '10.200.0.1';
const CONTESTED = 500;

const random = createRandom(1);
let nowMs = START_MS;
let sequence = 0;

const options: AddressBookOptions = {
  now: () => nowMs,
  slackMs: 500,
  retentionMs: 600_000,
  maxClaims: 2 * CHURNED,
  maxBytes: 1_000_000_000,
  maxWaiters: WAITERS,
  clusterRanges: ['10.0.0.0/8', '172.16.0.0/12'],
  blindSinceMs: () => undefined,
};

measureMemory();
const book = createBook();
measureQuestions(book);
measureChurn();
await measureWaiters();

function podAddress(index: number): string {
  return `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`;
}

function serviceAddress(index: number): string {
  return `172.20.${index >> 8}.${index & 255}`;
}

function nodeAddress(index: number): string {
  return `192.168.${index >> 8}.${index & 255}`;
}

function put(into: AddressBook, before: Entity | undefined, after: Entity | undefined): void {
  into.apply({
    changes: [{ sequence: ++sequence, before, after }],
    seen: { atMs: nowMs },
    position: { resource: 'pods', resourceVersion: '1' },
  });
}

function createPod(index: number): Entity {
  return pod(`checkout-7d9c5b6f4-${index}`, {
    addresses: [podAddress(index)],
    hostAddresses: [nodeAddress(index % NODES)],
    nodeName: `node-${index % NODES}`,
    sandboxReadyTimeMs: nowMs,
  });
}

function createBook(): AddressBook {
  const created = new AddressBook(options);
  created.open();
  for (let index = 0; index < NODES; index++) {
    put(created, undefined, node(`node-${index}`, { addresses: [nodeAddress(index)] }));
  }
  for (let index = 0; index < PODS; index++) put(created, undefined, createPod(index));
  for (let index = 0; index < SERVICES; index++) {
    const nodePorts = [{ port: 30_000 + index, protocol: 'TCP' as const }];
    put(created, undefined, service(`shop-${index}`, { clusterAddresses: [serviceAddress(index)], nodePorts }));
  }
  // Two live pods with one address each, as after the loss of a node.
  for (let index = 0; index < CONTESTED; index++) {
    for (const side of ['a', 'b']) {
      const name = `contested-${index}-${side}`;
      put(created, undefined, pod(name, { addresses: [`10.201.${index >> 8}.${index & 255}`], nodeName: 'node-1' }));
    }
  }
  for (let index = 0; index < PAST_HOLDERS; index++) {
    const holder = pod(`job-${index}`, { addresses: [REUSED], nodeName: 'node-1' });
    put(created, undefined, holder);
    nowMs += 250;
    put(created, holder, undefined);
    nowMs += 250;
  }
  return created;
}

interface Case {
  readonly name: string;
  readonly outcome: AddressAnswer['outcome'];
  readonly ask: () => AddressQuestion;
}

function measureQuestions(asked: AddressBook): void {
  const cases: readonly Case[] = [
    { name: 'pod', outcome: 'RESOLVED', ask: () => ({ address: podAddress(below(PODS)) }) },
    {
      name: 'pod, with port and time',
      outcome: 'RESOLVED',
      ask: () => ({ address: podAddress(below(PODS)), port: 8080, protocol: 'TCP', atMs: nowMs - 10_000 }),
    },
    {
      name: 'service',
      outcome: 'RESOLVED',
      ask: () => ({ address: serviceAddress(below(SERVICES)), port: 80 }),
    },
    {
      name: 'node port',
      outcome: 'RESOLVED',
      ask: () => ({ address: nodeAddress(below(NODES)), port: 30_000 + below(SERVICES) }),
    },
    { name: 'node', outcome: 'RESOLVED', ask: () => ({ address: nodeAddress(below(NODES)), port: 10_250 }) },
    {
      name: `one of ${PAST_HOLDERS} past holders`,
      outcome: 'RESOLVED',
      ask: () => ({ address: REUSED, atMs: START_MS + 500 * below(PAST_HOLDERS) + 100 }),
    },
    { name: 'two live holders', outcome: 'AMBIGUOUS', ask: () => ({ address: contested(below(CONTESTED)) }) },
    { name: 'no holder, in a range', outcome: 'UNASSIGNED', ask: () => ({ address: `10.99.${byte()}.${byte()}` }) },
    { name: 'no holder, outside', outcome: 'EXTERNAL', ask: () => ({ address: `203.0.${byte()}.${byte()}` }) },
  ];
  const naive = new Map<string, string>();
  for (let index = 0; index < PODS; index++) naive.set(podAddress(index), `pod-${index}`);
  const addresses = Array.from({ length: QUESTIONS }, () => podAddress(below(PODS)));
  let found = 0;
  const baselineNs = medianNs(addresses, (address) => {
    if (naive.get(flat(address)) !== undefined) found++;
  });
  if (found === 0) throw new Error('the baseline found no holder');
  console.log(`resolve, Map.get of a pod's address (baseline): ${baselineNs.toFixed(0)} ns`);
  for (const { name, outcome, ask } of cases) {
    const questions = Array.from({ length: QUESTIONS }, ask);
    let wrong = 0;
    const ns = medianNs(questions, (question) => {
      // A text of its own for every question, as calls bring them: its hash is not known yet.
      if (asked.resolve({ ...question, address: flat(question.address) }).outcome !== outcome) wrong++;
    });
    if (wrong > 0) throw new Error(`${name}: ${wrong} answers were not ${outcome}`);
    console.log(`resolve, ${outcome} ${name}: ${ns.toFixed(0)} ns (${(ns / baselineNs).toFixed(1)} of the baseline)`);
  }
}

function contested(index: number): string {
  return `10.201.${index >> 8}.${index & 255}`;
}

function below(limit: number): number {
  return random.between(0, limit - 1);
}

function byte(): number {
  return below(256);
}

/** A new string with the same text. */
function flat(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}

function medianNs<T>(items: readonly T[], use: (item: T) => void): number {
  const rounds: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const { user, system } = process.threadCpuUsage();
    for (const item of items) use(item);
    const spent = process.threadCpuUsage({ user, system });
    // Round 0 warms up.
    if (round > 0) rounds.push(((spent.user + spent.system) * 1e3) / items.length);
  }
  return rounds.toSorted((a, b) => a - b)[ROUNDS >> 1] as number;
}

function heapBytes(): number {
  if (globalThis.gc === undefined) return Number.NaN;
  globalThis.gc();
  return process.memoryUsage().heapUsed;
}

/** A pod has one claim here: its address. The entities themselves are counted apart. */
function measureMemory(): void {
  const pods = Array.from({ length: PODS }, (_, index) => createPod(index));
  const measured = new AddressBook(options);
  measured.open();
  const before = heapBytes();
  for (const each of pods) put(measured, undefined, each);
  const open = (heapBytes() - before) / PODS;
  for (const each of pods) put(measured, each, undefined);
  const ended = (heapBytes() - before) / PODS;
  if (measured.size.ended !== PODS || pods.length !== PODS) throw new Error(JSON.stringify(measured.size));
  const told = (bytes: number) => (Number.isNaN(bytes) ? 'not measured (--expose-gc)' : `${bytes.toFixed(0)} bytes`);
  console.log(`heap per open claim: ${told(open)}; per ended claim: ${told(ended)}`);
}

/** Pods come, are seen once more, and go; the oldest claims fall out of the retention meanwhile. */
function measureChurn(): void {
  const churned = new AddressBook({ ...options, maxClaims: 20_000 });
  churned.open();
  const pods = Array.from({ length: CHURNED }, (_, index) => createPod(index % PODS));
  const startedMs = performance.now();
  for (const each of pods) {
    put(churned, undefined, each);
    put(churned, each, { ...each });
    put(churned, each, undefined);
    nowMs += 1;
  }
  const seconds = (performance.now() - startedMs) / 1000;
  console.log(`churn: ${Math.round(CHURNED / seconds)} claims/s opened, kept by an update, and ended`);
}

/** Each waits for an address of its own; the next address that is claimed wakes one of them, whatever the others. */
async function measureWaiters(): Promise<void> {
  for (const count of [100, WAITERS]) {
    const waited = new AddressBook(options);
    waited.open();
    const { signal } = new AbortController();
    const waiting = Array.from({ length: count }, (_, index) => waited.waitForHolder([podAddress(index)], signal));
    const pods = Array.from({ length: count }, (_, index) => createPod(index));
    const startedMs = performance.now();
    for (const each of pods) put(waited, undefined, each);
    const held = await Promise.all(waiting.map((each) => each?.next()));
    const us = ((performance.now() - startedMs) * 1000) / count;
    for (const each of waiting) each?.[Symbol.dispose]();
    if (held.some((claimed) => claimed?.length !== 1)) throw new Error('a waiter was not woken');
    console.log(`waiters: ${us.toFixed(1)} µs to open a claim and wake who waits for it, among ${count} waiters`);
  }
}
