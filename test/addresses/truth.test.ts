// Adversarial histories, random questions, and the truth as the judge.
//
// An answer is wrong when it names a pod, without reserve, that cannot have had the address, or says that nobody had it
// when somebody did, although the API had told by then. It is too modest when it declines to answer a clear moment.
// DIGGER_QUESTIONS sets how many questions are asked, DIGGER_SEED where the histories begin; a failure prints both.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { AddressAnswer } from '../../src/addresses/reader.ts';
import { createRandom, type Random } from '../random.ts';
import { createHistory, type History, type Hold } from './adversary.ts';
import { World } from './world.ts';

/** The service's slack, plus the delay of the watch in these histories. */
const TOLERANCE_MS = 600;
/** Times of the API are truncated to the second. */
const RESOLUTION_MS = 1_000;
/** A relist shows the address of the second sandbox with the start time of the first. */
const REMADE_IN_GAP = 'unknowable: remade while nobody was looking';
const QUESTIONS_PER_HISTORY = 500;

const questions = Number(process.env['DIGGER_QUESTIONS'] ?? 50_000);
const firstSeed = Number(process.env['DIGGER_SEED'] ?? 1);

interface Question {
  readonly address: string;
  readonly atMs: number;
  readonly askedMs: number;
}

it('never names the wrong holder without saying that it is not sure', (t) => {
  const tally = new Map<string, number>();
  const wrong: string[] = [];
  const histories = Math.ceil(questions / QUESTIONS_PER_HISTORY);
  for (let seed = firstSeed; seed < firstSeed + histories; seed++) {
    const random = createRandom(seed);
    const history = createHistory(random);
    for (const { question, answer } of ask(history, random)) {
      const verdict = judge(history, question, answer);
      tally.set(verdict, (tally.get(verdict) ?? 0) + 1);
      if (verdict.startsWith('WRONG') || verdict.startsWith('TOO MODEST')) {
        wrong.push(`seed ${seed}: ${verdict}: ${JSON.stringify(question)} ${describe(answer)}`);
      }
    }
  }
  const total = [...tally.values()].reduce((sum, count) => sum + count, 0);
  for (const [verdict, count] of [...tally].sort((a, b) => b[1] - a[1])) {
    t.diagnostic(`${((100 * count) / total).toFixed(2)} % ${verdict}`);
  }
  assert.ok(total >= questions);
  assert.ok((tally.get('right') ?? 0) > total / 4, 'most questions are about moments that can be told');
  assert.deepEqual(wrong.slice(0, 10), [], `${wrong.length} of ${total} answers`);
});

/** Plays the history and asks: half of the questions while it happens, half at the end. */
function* ask(history: History, random: Random): Generator<{ question: Question; answer: AddressAnswer }> {
  const world = new World();
  const asked: Question[] = [];
  for (let i = 0; i < QUESTIONS_PER_HISTORY; i++) {
    const address = random.pick(history.addresses);
    const askedMs = random.chance(0.5) ? history.endMs : random.between(1_000, history.endMs);
    const atMs = random.chance(0.2) ? askedMs : random.between(Math.max(0, askedMs - 60_000), askedMs);
    asked.push({ address, atMs, askedMs });
  }
  asked.sort((a, b) => a.askedMs - b.askedMs);
  let next = 0;
  const askUntil = function* (untilMs: number) {
    for (;;) {
      const question = asked[next];
      if (question === undefined || question.askedMs >= untilMs) return;
      next++;
      const gap = history.gaps.find((each) => each.sinceMs <= question.askedMs && question.askedMs < each.untilMs);
      world.blindSinceMs = gap === undefined ? undefined : world.at(gap.sinceMs).nowMs;
      world.at(question.askedMs);
      yield { question, answer: world.ask(question.address, { at: question.atMs }) };
    }
  };
  for (const { atMs, gapSinceMs, put, removeName } of history.deliveries) {
    yield* askUntil(atMs);
    world.at(atMs);
    if (put !== undefined) world.put(put, gapSinceMs);
    if (removeName !== undefined) world.remove(removeName, gapSinceMs);
  }
  yield* askUntil(Number.POSITIVE_INFINITY);
}

function judge(history: History, question: Question, answer: AddressAnswer): string {
  const holds = history.holds.filter((hold) => hold.address === question.address);
  const truth = holds.find((hold) => hold.fromMs <= question.atMs && question.atMs < hold.untilMs);
  const unknowable = truth === undefined ? undefined : whyUnknowable(history, question, truth);
  switch (answer.outcome) {
    case 'RESOLVED': {
      const { uid } = answer.holder.entity;
      if (holds.some((hold) => hold.uid === uid && near(hold, question.atMs))) {
        if (!answer.holder.uncertain) return 'right';
        return isClear(history, holds, question) ? 'TOO MODEST: uncertain' : 'right, uncertain';
      }
      if (answer.holder.uncertain) return 'another, but marked uncertain';
      if (wasRemadeInGap(history, holds, uid)) return REMADE_IN_GAP;
      if (inGap(history, question.askedMs)) return 'asked while blind: the answer carries its staleness';
      if (truth === undefined)
        return onPaper(holds, uid, question.atMs) ? 'nobody any more, on paper' : 'WRONG: invented';
      return unknowable ?? `WRONG: it was ${truth.uid}`;
    }
    case 'AMBIGUOUS': {
      if (isClear(history, holds, question)) return 'TOO MODEST: ambiguous';
      const named = answer.candidates.some((candidate) => candidate.entity.uid === truth?.uid);
      if (truth === undefined || named || near(truth, question.atMs, -TOLERANCE_MS) === false) return 'ambiguous';
      if (answer.candidates.some((candidate) => wasRemadeInGap(history, holds, candidate.entity.uid))) {
        return REMADE_IN_GAP;
      }
      return unknowable ?? `WRONG: ambiguous without ${truth.uid}`;
    }
    case 'UNASSIGNED':
      if (truth === undefined || !near(truth, question.atMs, -TOLERANCE_MS)) return 'right, nobody';
      return unknowable ?? `WRONG: it was ${truth.uid}`;
    case 'UNKNOWN':
      return inGap(history, question.atMs) ? 'unknown, nobody was looking' : 'TOO MODEST: unknown';
    case 'EXTERNAL':
      return 'WRONG: external';
  }
}

/** Why nobody who only sees the API could name the true holder at the time of the question. */
function whyUnknowable(history: History, question: Question, truth: Hold): string | undefined {
  const delivered = history.gaps.find((gap) => gap.sinceMs <= truth.shownMs && truth.shownMs < gap.untilMs)?.untilMs;
  if (question.askedMs <= (delivered ?? truth.shownMs) + TOLERANCE_MS)
    return 'unknowable: the API had not shown it yet';
  if (question.atMs >= truth.hiddenMs) return 'unknowable: gone from the API before it was gone';
  if (truth.isRemade && inGap(history, truth.shownMs)) return REMADE_IN_GAP;
  if (truth.isRegained) return 'unknowable: got its former address back';
  if (truth.isRemade && question.atMs < (delivered ?? truth.shownMs) + TOLERANCE_MS)
    return 'unknowable: a remade sandbox has no start time';
  // Came and went while nobody was looking, so that not even the relist showed it.
  const hidden = history.gaps.some((gap) => truth.shownMs >= gap.sinceMs && truth.hiddenMs < gap.untilMs);
  return hidden ? 'unknowable: came and went in a gap' : undefined;
}

/** One pod has the address and shows it, nothing else did for a while, and the watch was up. */
function isClear(history: History, holds: readonly Hold[], { atMs, askedMs }: Question): boolean {
  const shown = holds.filter((hold) => hold.shownMs - 2_000 < atMs + 2_000 && hold.hiddenMs + 2_000 > atMs - 2_000);
  const [only] = shown;
  if (shown.length !== 1 || only === undefined) return false;
  const lookedAway = history.gaps.some((gap) => gap.sinceMs - 2_000 < atMs && atMs < gap.untilMs + 2_000);
  const settled = only.shownMs + 2_000 < atMs && atMs < Math.min(only.untilMs, only.hiddenMs) - 2_000;
  // Somebody who shows it later may have had it then, as far as the API tells.
  const contested = holds.some(
    (hold) => hold !== only && hold.possibleFromMs <= atMs && hold.shownMs < askedMs && hold.shownMs > only.shownMs,
  );
  return settled && !lookedAway && !contested;
}

function wasRemadeInGap(history: History, holds: readonly Hold[], uid: string): boolean {
  return holds.some((hold) => hold.uid === uid && hold.isRemade && inGap(history, hold.shownMs));
}

function near(hold: Hold, atMs: number, toleranceMs = TOLERANCE_MS): boolean {
  return hold.fromMs - toleranceMs <= atMs && atMs < hold.untilMs + toleranceMs;
}

function onPaper(holds: readonly Hold[], uid: string, atMs: number): boolean {
  return holds.some(
    (hold) =>
      hold.uid === uid &&
      atMs >= hold.fromMs - RESOLUTION_MS - TOLERANCE_MS &&
      atMs < hold.hiddenMs + RESOLUTION_MS + TOLERANCE_MS,
  );
}

function inGap(history: History, atMs: number): boolean {
  return history.gaps.some((gap) => gap.sinceMs <= atMs && atMs < gap.untilMs + TOLERANCE_MS);
}

function describe(answer: AddressAnswer): string {
  switch (answer.outcome) {
    case 'RESOLVED':
      return `${answer.holder.entity.name} ${answer.holder.fromMs}–${answer.holder.toMs}`;
    case 'AMBIGUOUS':
      return answer.candidates.map((candidate) => candidate.entity.name).join('|');
    default:
      return answer.outcome;
  }
}
