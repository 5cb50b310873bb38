// One run of the adversary against digger on a real control plane: two replicas that started at different times are
// asked about random addresses and moments, while the API server is cut off and restarted, and every answer is held
// against the adversary's record.
import assert from 'node:assert/strict';
import { type Answer, describeTruth, type Gap, judge, type Question, type Truth } from '../addresses/verdict.ts';
import type { Message } from '../observers/digger-client.ts';
import type { DiggerProcess } from '../observers/digger-process.ts';
import { done, eventually, notYet } from '../observers/eventually.ts';
import { createRandom, type Random } from '../random.ts';
import { AdversarialKubelet } from './adversarial-kubelet.ts';
import { Scene } from './scene.ts';

/** What came of a run. */
export type RunReport = {
  readonly questions: number;
  /** Verdict → answers. */
  readonly tally: ReadonlyMap<string, number>;
  /** Answers that were WRONG, in words, with the record of the address. */
  readonly wrong: readonly string[];
  /** Questions that both replicas were asked at once, and what they disagreed about beyond the edges. */
  readonly compared: number;
  readonly contradictions: readonly string[];
  readonly deeds: ReadonlyMap<string, number>;
  readonly relists: number;
  /** Answers about moments outside of every outage, and how many of them were UNKNOWN. */
  readonly outside: number;
  readonly unknownOutside: number;
  /**
   * Of those: ms of the moment from the nearest outage, negative before it, each once and in order; for the one who
   * looks for the cause.
   */
  readonly unknownDistances: readonly number[];
};

type Asked = Question & { readonly replica: number; readonly isPresent: boolean; readonly answer: Answer };

const BATCH = 100;
const PAUSE_MS = 250;
/** For the judge: the service's slack (500 ms), and what a watch on a busy machine takes. */
export const TOLERANCE_MS = 700;
/** For the judge: how late a watch may be. */
export const DELAY_MS = 2_000;
/** Before a connection broke it was alive this long ago at least; without a word since, that is all digger knows. */
const DOUBT_MS = 35_000;

/** An outage as seen from outside: from the cut until the way was free and the API server ready. */
type Outage = { readonly cutMs: number; readonly backMs: number };
/**
 * What digger may not know around an outage. Before: a holder that kubelets report up to 2 s late (REPORT_DELAY_MS),
 * events on their way for 250 ms (DELIVERY_MS), and 250 ms of silence before a ping (PING). After: what it has to catch
 * up with.
 */
const BEFORE_OUTAGE_MS = 2_500;
const AFTER_OUTAGE_MS = 12_000;

/** Runs it. `durationMs` counts from the first question. */
export async function runAdversary(options: {
  readonly seed: number;
  readonly durationMs: number;
}): Promise<RunReport> {
  const { seed, durationMs } = options;
  await using scene = await Scene.set({ controllers: false, proxied: true });
  await scene.kubelet.stop();
  const adversary = new AdversarialKubelet({ client: scene.plane.client, seed });
  const replicas = [await readyDigger(scene)];
  const sinceMs = [Date.now()];
  await adversary.start();
  const endMs = Date.now() + durationMs;
  const gaps: Gap[] = [];
  const outages: Outage[] = [];
  const asking = new AbortController();
  const asked: Asked[] = [];
  const questions = ask({ adversary, replicas, sinceMs, asked, random: createRandom(seed), signal: asking.signal });
  // A bug in there must not wait for the end of the run.
  questions.catch(() => asking.abort());
  try {
    for (let round = 0; Date.now() < endMs && !asking.signal.aborted; round++) {
      await pause(Math.min(10_000, endMs - Date.now()), asking.signal);
      if (Date.now() >= endMs) break;
      if (round === 0) {
        replicas.push(await readyDigger(scene));
        sinceMs.push(Date.now());
      } else {
        const { gap, outage } = await blind(scene, replicas, round % 2 === 1);
        gaps.push(gap);
        outages.push(outage);
      }
    }
  } finally {
    asking.abort();
    await questions;
    await adversary.stop();
  }
  const relists = await relistsOf(replicas);
  return { ...verdicts(adversary, asked, gaps), ...unknowns(asked, outages), deeds: adversary.deeds, relists };
}

async function readyDigger(scene: Scene): Promise<DiggerProcess> {
  const digger = await scene.startDigger();
  await digger.untilReady();
  return digger;
}

/**
 * Cuts digger off for some seconds; with `restart`, the API server forgets what digger had seen, so that it must list.
 */
export async function blind(
  scene: Scene,
  replicas: readonly DiggerProcess[],
  restart: boolean,
): Promise<{ readonly gap: Gap; readonly outage: Outage }> {
  const { proxy } = scene;
  assert.ok(proxy);
  const sinceMs = Date.now();
  proxy.refuse();
  proxy.cut();
  await pause(3_000);
  if (restart) {
    // Its cache begins anew, after what was written meanwhile: the version that digger has is too old for it.
    await scene.plane.killApiServer();
    await scene.plane.startApiServer();
    await pause(2_000);
  }
  proxy.pass();
  const backMs = Date.now();
  for (const digger of replicas) {
    await eventually('digger is up to date again', async () => {
      const status = await digger.call('StatusService', 'GetStatus');
      return status['staleness'] ? notYet(status) : done(undefined);
    });
  }
  const gap = { sinceMs, untilMs: Date.now(), doubtedSinceMs: sinceMs - DOUBT_MS };
  return { gap, outage: { cutMs: sinceMs, backMs } };
}

async function ask(context: {
  readonly adversary: AdversarialKubelet;
  readonly replicas: readonly DiggerProcess[];
  readonly sinceMs: readonly number[];
  readonly asked: Asked[];
  readonly random: Random;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { adversary, replicas, sinceMs, asked, random, signal } = context;
  while (!signal.aborted) {
    await pause(PAUSE_MS, signal);
    const askedMs = Date.now();
    // Replicas are compared over what both can know.
    const firstMs = Math.max(...sinceMs.slice(0, replicas.length));
    if (askedMs < firstMs + 2_000) continue;
    const moments = Array.from({ length: BATCH }, () => ({
      address: random.pick(adversary.addresses),
      atMs: random.chance(0.2) ? undefined : random.between(Math.max(firstMs + 1_000, askedMs - 60_000), askedMs),
    }));
    const queries = moments.map(({ address, atMs }) => ({
      address,
      ...(atMs === undefined ? {} : { at: timestamp(atMs) }),
    }));
    const responses = await Promise.all(
      replicas.map((digger) => digger.call('LookupService', 'BatchResolveAddresses', { queries })),
    );
    for (const [replica, response] of responses.entries()) {
      for (const [index, result] of (response['results'] as readonly Message[]).entries()) {
        const moment = moments[index];
        assert.ok(moment && result['resolution'], JSON.stringify(result));
        const { address, atMs } = moment;
        asked.push({
          replica,
          address,
          atMs: atMs ?? askedMs,
          askedMs,
          isPresent: atMs === undefined,
          answer: toAnswer(result['resolution']),
        });
      }
    }
  }
}

/** Of what was asked about moments that digger has no excuse not to know. */
function unknowns(asked: readonly Asked[], outages: readonly Outage[]) {
  const isExcused = (ms: number): boolean =>
    outages.some(({ cutMs, backMs }) => cutMs - BEFORE_OUTAGE_MS <= ms && ms <= backMs + AFTER_OUTAGE_MS);
  const outside = asked.filter(({ atMs }) => !isExcused(atMs));
  const unknown = outside.filter(({ answer }) => answer.outcome === 'UNKNOWN');
  const distance = (ms: number): number =>
    outages
      .map(({ cutMs, backMs }) => (ms < cutMs ? ms - cutMs : ms - backMs))
      .reduce((nearest, each) => (Math.abs(each) < Math.abs(nearest) ? each : nearest), Infinity);
  const distances = new Set(unknown.map(({ atMs }) => Math.round(distance(atMs) / 100) * 100));
  return {
    outside: outside.length,
    unknownOutside: unknown.length,
    unknownDistances: [...distances].toSorted((a, b) => a - b),
  };
}

function verdicts(adversary: AdversarialKubelet, asked: readonly Asked[], gaps: readonly Gap[]) {
  const truth: Truth = { holds: adversary.holds, gaps, toleranceMs: TOLERANCE_MS, delayMs: DELAY_MS };
  const tally = new Map<string, number>();
  const wrong: string[] = [];
  const contradictions: string[] = [];
  const first = new Map<string, Asked>();
  let compared = 0;
  for (const each of asked) {
    const full = judge(truth, each, each.answer);
    const verdict = full.replace(/: it was .*| without .*/, '');
    tally.set(verdict, (tally.get(verdict) ?? 0) + 1);
    if (verdict.startsWith('WRONG'))
      wrong.push(`replica ${each.replica}: ${full}: ${JSON.stringify(each.answer)}: ${describeTruth(truth, each)}`);
    const key = `${each.address} ${each.atMs} ${each.askedMs} ${each.isPresent}`;
    const other = first.get(key);
    if (each.replica === 0) first.set(key, each);
    else if (other !== undefined) {
      compared++;
      const words = `${JSON.stringify(other.answer)} and ${JSON.stringify(each.answer)}: ${describeTruth(truth, each)}`;
      if (contradict(other.answer, each.answer) && !isEdge(truth, each)) contradictions.push(words);
    }
  }
  return { questions: asked.length, tally, wrong, compared, contradictions };
}

/** Both are sure, and say different things. */
function contradict(a: Answer, b: Answer): boolean {
  const sure = (answer: Answer): string | undefined => {
    if (answer.outcome === 'RESOLVED') return answer.uncertain ? undefined : answer.uid;
    return answer.outcome === 'UNASSIGNED' ? 'no object' : undefined;
  };
  const [one, other] = [sure(a), sure(b)];
  return one !== undefined && other !== undefined && one !== other;
}

/** Around these moments replicas may differ by as much as one hears of a change before the other. */
function isEdge({ holds, gaps }: Truth, { address, atMs, askedMs }: Question): boolean {
  const isClose = (ms: number) => Math.abs(ms - atMs) < TOLERANCE_MS || Math.abs(ms - askedMs) < DELAY_MS;
  const edges = holds
    .filter((hold) => hold.address === address)
    .flatMap(({ fromMs, untilMs, shownMs, hiddenMs }) => [fromMs, untilMs, shownMs, hiddenMs]);
  return (
    edges.some(isClose) || gaps.some((gap) => gap.sinceMs - DELAY_MS <= askedMs && askedMs < gap.untilMs + DELAY_MS)
  );
}

/** What the judge takes, of a Resolution. */
export function toAnswer(resolution: Message): Answer {
  const outcome = (resolution['outcome'] as string).replace('OUTCOME_', '');
  switch (outcome) {
    case 'RESOLVED':
      return { outcome, uid: resolution['pod']?.['uid'] ?? '', uncertain: resolution['uncertain'] === true };
    case 'AMBIGUOUS': {
      const candidates = resolution['candidates'] as readonly Message[];
      return {
        outcome,
        uids: candidates.map((candidate) => candidate['pod']?.['uid'] ?? ''),
        uncertain: candidates.some((candidate) => candidate['uncertain'] === true),
      };
    }
    case 'UNASSIGNED':
    case 'EXTERNAL':
    case 'UNKNOWN':
      return { outcome };
    default:
      throw new Error(`not an outcome: ${outcome}`);
  }
}

async function relistsOf(replicas: readonly DiggerProcess[]): Promise<number> {
  let relists = 0;
  for (const digger of replicas) {
    const { resources } = await digger.call('StatusService', 'GetStatus');
    for (const resource of resources as readonly Message[]) {
      if (resource['resource'] === 'pods') relists += Number(resource['lists']) - 1;
    }
  }
  return relists;
}

/** As requests carry it. */
export function timestamp(ms: number): Message {
  return { seconds: Math.floor(ms / 1_000), nanos: (ms % 1_000) * 1_000_000 };
}

/** Waits, or returns early when the signal says so. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  if (ms <= 0 || signal?.aborted) return;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true });
  });
}
