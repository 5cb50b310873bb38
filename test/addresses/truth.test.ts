// Adversarial histories, random questions, and the truth as the judge.
//
// What is wrong and what is too modest: verdict.ts.
// DIGGER_QUESTIONS sets how many questions are asked, DIGGER_SEED where the histories begin; a failure prints both.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { AddressAnswer } from '../../src/addresses/reader.ts';
import { createRandom, type Random } from '../random.ts';
import { createHistory, type History } from './adversary.ts';
import { type Answer, describeTruth, judge, type Question } from './verdict.ts';
import { serviceCidr, World } from './world.ts';

/** The service's slack of 500 ms, plus the delay of the watch in these histories. */
const TOLERANCE_MS = 600;
const QUESTIONS_PER_HISTORY = 500;

const questions = Number(process.env['DIGGER_QUESTIONS'] ?? 50_000);
const firstSeed = Number(process.env['DIGGER_SEED'] ?? 1);

it('never names the wrong holder without saying that it is not sure', (t) => {
  const tally = new Map<string, number>();
  const wrong: string[] = [];
  const histories = Math.ceil(questions / QUESTIONS_PER_HISTORY);
  for (let seed = firstSeed; seed < firstSeed + histories; seed++) {
    const random = createRandom(seed);
    const history = createHistory(random);
    for (const { question, answer } of ask(history, random)) {
      const truth = { ...history, toleranceMs: TOLERANCE_MS, delayMs: TOLERANCE_MS };
      const verdict = judge(truth, question, toAnswer(answer));
      const kind = verdict.replace(/: it was .*| without .*/, '');
      tally.set(kind, (tally.get(kind) ?? 0) + 1);
      if (verdict.startsWith('WRONG') || verdict.startsWith('TOO MODEST')) {
        wrong.push(`seed ${seed}: ${verdict}: ${describe(answer)}: ${describeTruth(truth, question)}`);
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
  const world = new World(history.areRangesKnown ? {} : { clusterRanges: [] });
  world.putRange(serviceCidr('kubernetes', ['10.96.0.0/15']));
  const asked: Question[] = [];
  for (let i = 0; i < QUESTIONS_PER_HISTORY; i++) {
    const place = random.chance(0.15) ? random.pick(history.ports) : { address: random.pick(history.addresses) };
    const askedMs = random.chance(0.5) ? history.endMs : random.between(1_000, history.endMs);
    const atMs = random.chance(0.2) ? askedMs : random.between(Math.max(0, askedMs - 60_000), askedMs);
    asked.push({ ...place, atMs, askedMs });
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
      const { address, port } = question;
      yield { question, answer: world.ask(address, { ...(port === undefined ? {} : { port }), at: question.atMs }) };
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

function toAnswer(answer: AddressAnswer): Answer {
  switch (answer.outcome) {
    case 'RESOLVED':
      return { outcome: 'RESOLVED', uid: answer.holder.entity.uid, uncertain: answer.holder.uncertain };
    case 'AMBIGUOUS':
      return {
        outcome: 'AMBIGUOUS',
        uids: answer.candidates.map((candidate) => candidate.entity.uid),
        uncertain: answer.candidates.some((candidate) => candidate.uncertain),
      };
    default:
      return { outcome: answer.outcome };
  }
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
