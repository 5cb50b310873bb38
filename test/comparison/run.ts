// The comparison of docs/comparison.md: digger and its peers answer the same questions about one adversarial run on a
// real control plane, and start on one of many pods; prints the tables of the document.
//
//   npm run comparison [-- --seed 7] [--questions 20000] [--pods 10000]      (0: leave that part out)
//
// Every question is asked of all at the same moment. Half of them are about now, half about up to 30 s ago, as a
// pipeline asks that sees packets late: who keeps no history answers those with what it has now. Every so often the way
// to the API server is cut for some seconds, of all alike. Needs Go, and the control plane of the cluster tests.

import { parseArgs } from 'node:util';
import { type Answer, type Gap, judge, type Truth } from '../addresses/verdict.ts';
import { AdversarialKubelet } from '../cluster/adversarial-kubelet.ts';
import { blind, DELAY_MS, pause, TOLERANCE_MS } from '../cluster/adversarial-run.ts';
import { ControlPlane } from '../cluster/control-plane.ts';
import { loadPods } from '../cluster/etcd-loader.ts';
import { Scene } from '../cluster/scene.ts';
import { createServiceAccountKubeconfig } from '../cluster/service-account.ts';
import { createRandom } from '../random.ts';
import { type Asking, buildCandidates, type Candidate, costOf, type Subject } from './subjects.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1_000_000)) },
    questions: { type: 'string', default: '20000' },
    pods: { type: 'string', default: '10000' },
  },
});
const seed = Number(values.seed);
const questions = Number(values.questions);
const pods = Number(values.pods);

const BATCH = 100;
const PAUSE_MS = 600;
const LATE_MS = 30_000;
/** Between two cuts of the way to the API server. */
const CALM_MS = 20_000;
const ROUNDS = 3;
/** After a start, until memory is read. */
const SETTLE_MS = 10_000;

/** What an answer is worth, in the order of the tables. */
const CLASSES = [
  'right',
  'right, but not sure',
  'another or several, and not sure',
  'no answer',
  'not to be known',
  'WRONG, and sure',
] as const;

type Asked = Asking & { readonly askedMs: number; readonly answers: readonly (Answer | undefined)[] };

const progress = (text: string): void => void process.stderr.write(`${text}\n`);

progress('building digger and its peers');
using candidates = buildCandidates();
if (questions > 0) await compareAnswers(candidates.all);
if (pods > 0) await compareStarts(candidates.all);

async function compareAnswers(all: readonly Candidate[]): Promise<void> {
  await using scene = await Scene.set({ controllers: false, proxied: true });
  await scene.kubelet.stop();
  const adversary = new AdversarialKubelet({ client: scene.plane.client, seed });
  await using stack = new AsyncDisposableStack();
  const subjects: Subject[] = [];
  for (const candidate of all) subjects.push(stack.use(await candidate.start(scene.kubeconfig)));
  const sinceMs = Date.now();
  await adversary.start();
  const asked: Asked[] = [];
  const gaps: Gap[] = [];
  const asking = new AbortController();
  const diggers = subjects.flatMap(({ digger }) => digger ?? []);
  const cutting = (async () => {
    for (let round = 0; ; round++) {
      await pause(CALM_MS, asking.signal);
      if (asking.signal.aborted) return;
      gaps.push((await blind(scene, diggers, round % 2 === 1)).gap);
    }
  })();
  const random = createRandom(seed);
  try {
    // The first addresses are in use, and there is a past to ask about.
    await pause(10_000);
    while (asked.length < questions) {
      await pause(PAUSE_MS);
      const askedMs = Date.now();
      const batch = Array.from({ length: Math.min(BATCH, questions - asked.length) }, () => ({
        address: random.pick(adversary.addresses),
        atMs: random.chance(0.5) ? undefined : random.between(Math.max(sinceMs, askedMs - LATE_MS), askedMs),
      }));
      const answers = await Promise.all(subjects.map((subject) => subject.ask(batch)));
      asked.push(...batch.map((each, index) => ({ ...each, askedMs, answers: answers.map((list) => list[index]) })));
      if (asked.length % 2_000 === 0) progress(`${asked.length} of ${questions} questions asked`);
    }
  } finally {
    asking.abort();
    await cutting;
    await adversary.stop();
  }
  const truth: Truth = { holds: adversary.holds, gaps, toleranceMs: TOLERANCE_MS, delayMs: DELAY_MS };
  const print = (line: string): void => void process.stdout.write(`${line}\n`);
  print(`Seed ${seed}: ${asked.length} questions, ${gaps.length} cuts, ${adversary.holds.length} holders.\n`);
  for (const [title, isPast] of [
    ['about now', false],
    ['about up to 30 s ago', true],
  ] as const) {
    const some = asked.filter(({ atMs }) => (atMs !== undefined) === isPast);
    print(`| ${some.length} questions ${title} | ${CLASSES.join(' | ')} |`);
    print(`|---|${CLASSES.map(() => '---:|').join('')}`);
    for (const [index, { name }] of all.entries()) {
      const counts = new Map<string, number>();
      for (const each of some) {
        const found = classify(truth, each, each.answers[index], index === 0);
        counts.set(found, (counts.get(found) ?? 0) + 1);
      }
      print(`| ${name} | ${CLASSES.map((each) => counts.get(each) ?? 0).join(' | ')} |`);
    }
    print('');
  }
}

/**
 * A peer that finds nothing makes no claim, so at worst it gives no answer; and its answers carry no age, so what it
 * names wrongly while it is cut off is as wrong as at any other time. digger's answers then say how stale they are.
 */
function classify(
  truth: Truth,
  { address, atMs, askedMs }: Asked,
  answer: Answer | undefined,
  isDigger: boolean,
): (typeof CLASSES)[number] {
  const question = { address, atMs: atMs ?? askedMs, askedMs };
  const verdict = judge(truth, question, answer ?? { outcome: 'UNASSIGNED' });
  if (verdict === 'right' || verdict === 'right, no holder') return 'right';
  if (answer === undefined || answer.outcome === 'UNKNOWN') return 'no answer';
  if (verdict.startsWith('WRONG')) return 'WRONG, and sure';
  if (verdict.startsWith('asked while blind')) return isDigger ? 'another or several, and not sure' : 'WRONG, and sure';
  if (verdict.startsWith('unknowable') || verdict === 'no longer, but in the API') return 'not to be known';
  if (verdict === 'right, uncertain' || verdict === 'TOO MODEST: uncertain') return 'right, but not sure';
  return 'another or several, and not sure';
}

async function compareStarts(all: readonly Candidate[]): Promise<void> {
  await using plane = await ControlPlane.start({
    controllers: false,
    readyDeadlineMs: 300_000,
    beforeApiServer: async (etcdUrl) => void (await loadPods(etcdUrl, pods)),
  });
  const kubeconfig = await createServiceAccountKubeconfig(plane);
  const print = (line: string): void => void process.stdout.write(`${line}\n`);
  const rows = new Map<string, { ms: number; cpuMs: number; residentMiB: number }[]>();
  // The first list finds cold caches in the API server: one more round, which is not counted.
  for (let round = 0; round <= ROUNDS; round++) {
    for (const { name, start } of all) {
      const beganMs = performance.now();
      await using subject = await start(kubeconfig);
      const ms = performance.now() - beganMs;
      const { cpuMs } = costOf(subject.pid);
      await pause(SETTLE_MS);
      const { residentMiB } = costOf(subject.pid);
      if (round > 0) rows.set(name, [...(rows.get(name) ?? []), { ms, cpuMs, residentMiB }]);
    }
    progress(`round ${round} of ${ROUNDS} of starts done`);
  }
  print(`| ${pods} pods, median of ${ROUNDS} starts | ready after | processor time until then | resident 10 s later |`);
  print('|---|---:|---:|---:|');
  for (const [name, samples] of rows) {
    const median = (pick: (sample: (typeof samples)[number]) => number): number =>
      samples.map(pick).toSorted((a, b) => a - b)[Math.floor(samples.length / 2)] ?? 0;
    const [ms, cpuMs, residentMiB] = [
      median((sample) => sample.ms),
      median((sample) => sample.cpuMs),
      median((sample) => sample.residentMiB),
    ];
    print(
      `| ${name} | ${(ms / 1_000).toFixed(1)} s | ${(cpuMs / 1_000).toFixed(1)} s | ${Math.round(residentMiB)} MiB |`,
    );
  }
}
