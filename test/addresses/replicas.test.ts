// Replicas that started at different times and see the same history: equal answers for the present, and never
// contradictory ones for the past that both can know. DIGGER_QUESTIONS sets how many questions are asked,
// DIGGER_SEED where the histories begin.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { AddressAnswer } from '../../src/addresses/reader.ts';
import { createRandom, type Random } from '../random.ts';
import { createHistory, type Delivery, type History } from './adversary.ts';
import { T0, World } from './world.ts';

const histories = Number(process.env['DIGGER_QUESTIONS'] ?? 30_000) / 300;
const QUESTIONS_PER_HISTORY = 300;
const firstSeed = Number(process.env['DIGGER_SEED'] ?? 1);

/** A replica and when it started, ms after the beginning of the history. */
interface Replica {
  readonly world: World;
  readonly startMs: number;
}

interface Asked {
  readonly atMs: number;
  readonly askedMs: number;
  readonly address: string;
  readonly startMs: number;
  readonly older: AddressAnswer;
  readonly younger: AddressAnswer;
}

it('replicas that started at different times do not contradict one another', (t) => {
  const contradictions: string[] = [];
  const present = { equal: 0, oneDeclines: 0 };
  const past = { equal: 0, oneDeclines: 0 };
  for (let seed = firstSeed; seed < firstSeed + histories; seed++) {
    const random = createRandom(seed);
    for (const asked of compare(createHistory(random), random)) {
      const tally = asked.atMs === asked.askedMs ? present : past;
      const [older, younger] = [asked.older, asked.younger].map((answer) => sure(answer, asked.atMs));
      if (say(asked.older) === say(asked.younger)) tally.equal++;
      else if (older === undefined || younger === undefined || older === younger) tally.oneDeclines++;
      else {
        const { address, atMs, askedMs, startMs } = asked;
        const question = `${address} at ${atMs}, asked ${askedMs}; the younger started ${startMs}`;
        contradictions.push(`seed ${seed}: ${say(asked.older)} and ${say(asked.younger)}: ${question}`);
      }
    }
  }
  const percent = (part: number, tally: typeof present) =>
    ((100 * part) / (tally.equal + tally.oneDeclines)).toFixed(2);
  t.diagnostic(
    `present: ${percent(present.equal, present)} % equal, ${percent(present.oneDeclines, present)} % one declines`,
  );
  t.diagnostic(`past: ${percent(past.equal, past)} % equal, ${percent(past.oneDeclines, past)} % one declines`);
  assert.deepEqual(contradictions.slice(0, 10), [], `${contradictions.length} contradictions`);
  assert.ok(present.equal > 10 * present.oneDeclines && past.equal > 10 * past.oneDeclines, 'they mostly agree');
});

/** Asks two replicas the same while the history happens. */
function* compare(history: History, random: Random): Generator<Asked> {
  const older: Replica = { world: new World(), startMs: 0 };
  let younger: Replica | undefined;
  const lookedAway = (ms: number) => history.gaps.some((gap) => gap.sinceMs <= ms && ms <= gap.untilMs + 1_000);
  let startMs = random.between(10_000, 90_000);
  while (lookedAway(startMs)) startMs += 1_000;
  const questions = Array.from({ length: QUESTIONS_PER_HISTORY }, () => {
    const askedMs = random.between(startMs + 1, history.endMs);
    return { askedMs, address: random.pick(history.addresses), isPresent: random.chance(0.5) };
  }).sort((a, b) => a.askedMs - b.askedMs);

  function* askUntil(untilMs: number): Generator<Asked> {
    for (let next = questions[0]; next !== undefined && next.askedMs < untilMs; next = questions[0]) {
      questions.shift();
      if (younger === undefined) throw new Error('asked before the start');
      const { askedMs, address } = next;
      const atMs = next.isPresent ? askedMs : random.between(startMs + 1, askedMs);
      const gap = history.gaps.find((each) => each.sinceMs <= askedMs && askedMs < each.untilMs);
      const [first, second] = [older, younger].map(({ world }) => {
        world.blindSinceMs = gap === undefined ? undefined : world.at(gap.sinceMs).nowMs;
        return world.at(askedMs).ask(address, { at: atMs });
      });
      if (first === undefined || second === undefined) throw new Error('two were asked');
      yield { atMs, askedMs, address, startMs, older: first, younger: second };
    }
  }

  const shown = new Map<string, NonNullable<Delivery['put']>>();
  const start = (): Replica => {
    const world = new World({ opened: false }, startMs);
    for (const entity of shown.values()) world.put(entity);
    world.book.open();
    return { world, startMs };
  };
  for (const delivery of history.deliveries) {
    if (younger === undefined && delivery.atMs > startMs) younger = start();
    yield* askUntil(delivery.atMs);
    for (const replica of [older, younger]) if (replica !== undefined) deliver(replica.world, delivery);
    if (delivery.put !== undefined) shown.set(delivery.put.name, delivery.put);
    if (delivery.removeName !== undefined) shown.delete(delivery.removeName);
  }
  younger ??= start();
  yield* askUntil(Number.POSITIVE_INFINITY);
}

function deliver(world: World, { atMs, gapSinceMs, put, removeName }: Delivery): void {
  world.at(atMs);
  if (put !== undefined) world.put(put, gapSinceMs);
  if (removeName !== undefined) world.remove(removeName, gapSinceMs);
}

/** What the answer says without reserve; `undefined`: nothing, or a holder that is only near, within the slack. */
function sure(answer: AddressAnswer, atMs: number): string | undefined {
  if (answer.outcome === 'UNASSIGNED') return 'no object';
  if (answer.outcome !== 'RESOLVED') return undefined;
  const { entity, fromMs, toMs, uncertain } = answer.holder;
  const isThere = fromMs <= T0 + atMs && (toMs === undefined || T0 + atMs < toMs);
  return isThere && !uncertain ? entity.uid : undefined;
}

function say(answer: AddressAnswer): string {
  switch (answer.outcome) {
    case 'RESOLVED':
      return `${answer.holder.entity.uid}${answer.holder.uncertain ? '?' : ''}`;
    case 'AMBIGUOUS':
      return answer.candidates.map((candidate) => candidate.entity.uid).join('|');
    default:
      return answer.outcome;
  }
}
