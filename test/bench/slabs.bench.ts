// Would the garbage collector have less to do, and the process be smaller, if pods lay in memory outside the heap? The
// form of today (an object for each pod, its encoded parts as text) beside rows in typed arrays whose bytes lie in
// slabs, shared text once: 100,000 pods, each form in a process of its own, both drafted from the same records by the
// product's own code; and between them objects of which only the bytes that no other pod has lie in slabs, which could
// be had without the rest. Catalog, claims and feed are in none.
//
//   node --expose-gc test/bench/slabs.bench.ts [PODS] [--short]
//
// Processor time of the thread; a pause of the collector is by the clock. docs/decisions/no-slabs-for-entities.md draws
// the conclusion.

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { PerformanceObserver } from 'node:perf_hooks';
import { type PodRow, PodState, draftPod } from '../../src/catalog/entities/pod-state.ts';
import { Interner } from '../../src/catalog/records/text-interner.ts';
import { encodePodOwners } from '../../src/wire/encode-pod.ts';
import { NO_BYTES } from '../../src/model/byte-string.ts';
import { copyEncoded } from '../../src/wire/encoded-entity.ts';
import { DEFAULT_VALUE_POLICY } from '../../src/wire/value-policy.ts';
import { createRandom } from '../random.ts';
import { SlabPods } from './slab-pods.ts';
import { addressOf, podRecordAt, workloadAt } from './slab-records.ts';

const args = process.argv.slice(2);
const PODS = Number(args.find((each) => /^\d+$/.test(each)) ?? (args.includes('--short') ? 10_000 : 100_000));
const LOOKUPS = 200_000;
/** Of the pods, whose bytes change; then the slabs are compacted. */
const CHURN = 0.3;
const SLICE_BYTES = 64 * 1024;
const SLAB_BYTES = 2 ** 20;

/** What both forms can do. */
interface Form {
  put(at: number, row: PodRow): void;
  /** Writes the whole entity of the pod with this address; returns its length. */
  copy(address: string, target: Buffer): number;
  /** A share of the compaction; false: nothing is left. */
  compact(bytes: number): boolean;
}

class Objects implements Form {
  readonly #byUid = new Map<string, PodState>();
  readonly #byName = new Map<string, Map<string, PodState>>();
  readonly #byAddress = new Map<string, PodState>();

  put(_at: number, row: PodRow): void {
    const before = this.#byUid.get(row.uid);
    if (before !== undefined) {
      before.row = row;
      return;
    }
    const state = new PodState('pods', row);
    this.#byUid.set(row.uid, state);
    let names = this.#byName.get(row.namespace);
    if (names === undefined) this.#byName.set(row.namespace, (names = new Map()));
    names.set(row.name, state);
    this.#byAddress.set(row.addresses[0] ?? '', state);
  }

  copy(address: string, target: Buffer): number {
    const row = this.find(address);
    return row === undefined ? 0 : copyEncoded(target, 0, row, 'FULL');
  }

  find(address: string): PodRow | undefined {
    return this.#byAddress.get(address)?.row;
  }

  compact(): boolean {
    return false;
  }
}

/** Objects, whose own bytes and last part lie in slabs; the bytes of what is gone are not used again. */
class ObjectsWithSlabs implements Form {
  readonly #others = new Objects();
  readonly #slabs: Buffer[] = [];
  #used = SLAB_BYTES;

  put(at: number, row: PodRow): void {
    const { own, rest } = row;
    if (this.#used + own.length + rest.length > SLAB_BYTES) {
      this.#slabs.push(Buffer.from(new SharedArrayBuffer(SLAB_BYTES)));
      this.#used = 0;
    }
    const slab = this.#slabs.at(-1) as Buffer;
    const place = (this.#slabs.length - 1) * SLAB_BYTES + this.#used;
    this.#used += slab.write(own, this.#used, 'latin1');
    this.#used += slab.write(rest, this.#used, 'latin1');
    const kept = {
      ...row,
      own: NO_BYTES,
      rest: NO_BYTES,
      slabAt: place,
      ownLength: own.length,
      restLength: rest.length,
    };
    this.#others.put(at, kept);
  }

  copy(address: string, target: Buffer): number {
    const row = this.#others.find(address) as (PodRow & Placed) | undefined;
    if (row === undefined) return 0;
    const slab = this.#slabs[Math.floor(row.slabAt / SLAB_BYTES)] as Buffer;
    const from = row.slabAt % SLAB_BYTES;
    const ownEnd = from + row.ownLength;
    let length = slab.copy(target, 0, from, ownEnd);
    length = copyEncoded(target, length, row, 'FULL');
    return length + slab.copy(target, length, ownEnd, ownEnd + row.restLength);
  }

  compact(): boolean {
    return false;
  }
}

interface Placed {
  readonly slabAt: number;
  readonly ownLength: number;
  readonly restLength: number;
}

const form = args.find((each) => each.startsWith('--form='))?.slice('--form='.length);
if (form === undefined) compare();
else if (form === 'slabs') await measure(new SlabPods(PODS));
else await measure(form === 'objects' ? new Objects() : new ObjectsWithSlabs());

function compare(): void {
  const forms = ['objects', 'bytes', 'slabs'] as const;
  const found = new Map<string, Record<string, number>[]>(forms.map((each) => [each, []]));
  for (const each of [...forms, ...forms.toReversed()]) {
    const child = spawnSync(
      process.execPath,
      ['--expose-gc', '--max-semi-space-size=4', import.meta.filename, String(PODS), `--form=${each}`],
      { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] },
    );
    found.get(each)?.push(JSON.parse(child.stdout) as Record<string, number>);
  }
  process.stdout.write(
    `${PODS} pods, in turns, each twice\n\n| | objects | objects, bytes in slabs | all in slabs |\n|---|---|---|---|\n`,
  );
  for (const name of Object.keys(found.get('slabs')?.[0] ?? {})) {
    const cells = forms.map((each) => (found.get(each) ?? []).map((of) => of[name]).join(', '));
    process.stdout.write(`| ${name} | ${cells.join(' | ')} |\n`);
  }
}

async function measure(pods: Form): Promise<void> {
  const collections = { scavenges: 0, scavengeMs: 0, others: 0 };
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const { kind } = (entry as unknown as { readonly detail: { readonly kind: number } }).detail;
      if (kind === 1) {
        collections.scavenges += 1;
        collections.scavengeMs += entry.duration;
      } else collections.others += 1;
    }
  });
  observer.observe({ entryTypes: ['gc'] });
  const interner = new Interner();
  const build = fill(pods, interner, 0, 1, '');
  // The observer hears of them in later turns.
  await nextTurn();
  const buildMs = await build;
  await nextTurn();
  const { scavenges, scavengeMs, others } = collections;
  const pauses: number[] = [];
  for (let round = 0; round < 5; round += 1) {
    const begin = performance.now();
    globalThis.gc?.();
    pauses.push(performance.now() - begin);
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  const residentMiB = resident();
  const random = createRandom(7);
  const questions = Array.from({ length: LOOKUPS }, () => addressOf(random.between(0, PODS - 1)));
  const target = Buffer.alloc(64 * 1024);
  for (const question of questions.slice(0, 20_000)) pods.copy(question, target);
  let bytes = 0;
  const lookupMs = cpu(() => {
    for (const question of questions) bytes += pods.copy(question, target);
  });
  const churnMs = await fill(pods, interner, 0, 1 / CHURN, 'churned');
  const slices: number[] = [];
  const progress = { isDone: false };
  const compactSome = (): void => {
    progress.isDone = !pods.compact(SLICE_BYTES);
  };
  while (!progress.isDone) slices.push(cpu(compactSome));
  globalThis.gc?.();
  const after = process.memoryUsage();
  const round = (value: number, digits = 1): number => Number(value.toFixed(digits));
  process.stdout.write(
    JSON.stringify({
      'bytes of an entity': Math.round(bytes / LOOKUPS),
      'building, drafting included, µs a pod': round((buildMs * 1_000) / PODS),
      'scavenges meanwhile': scavenges,
      '… ms': Math.round(scavengeMs),
      'other collections meanwhile': others,
      'full collection, ms, best of 5': round(Math.min(...pauses)),
      'heap, bytes a pod': Math.round(heapUsed / PODS),
      'outside, bytes a pod': Math.round(arrayBuffers / PODS),
      'resident, MiB': residentMiB,
      'lookup with its copy, ns': Math.round((lookupMs * 1e6) / LOOKUPS),
      [`${CHURN * 100} % change, µs each`]: round((churnMs * 1_000) / (PODS * CHURN)),
      'compaction: slices': slices.length,
      '… ms in all': round(slices.reduce((all, each) => all + each, 0)),
      '… the longest, ms': round(Math.max(...slices), 2),
      'heap and outside afterwards, bytes a pod': Math.round((after.heapUsed + after.arrayBuffers) / PODS),
    }),
  );
}

/** Every `step`th pod; processor time in ms. */
async function fill(pods: Form, interner: Interner, from: number, step: number, mark: string): Promise<number> {
  const values = new Map<string, PodRow['values']>();
  let spent = 0;
  const put = (next: number): void => {
    const at = Math.floor(next);
    const { row } = draftPod(podRecordAt(at, mark), DEFAULT_VALUE_POLICY, interner);
    const workload = workloadAt(at);
    row.workload = workload.reference;
    row.joined = workload.joined ??= encodePodOwners(workload.reference, [workload.reference]);
    const shared = values.get(row.values);
    if (shared === undefined) values.set(row.values, row.values);
    else row.values = shared;
    pods.put(at, row);
  };
  // In turns, as a list arrives.
  for (let begin = from; begin < PODS; begin += 500 * step) {
    const end = Math.min(PODS, begin + 500 * step);
    spent += cpu(() => {
      for (let next = begin; next < end; next += step) put(next);
    });
    await nextTurn();
  }
  return spent;
}

function cpu(work: () => void): number {
  const before = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1_000;
}

function resident(): number {
  return Math.round(Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) / 1_024);
}
