// The vectors beside this file: what src/timelines answers is what they say. Replicas in other languages run the same
// files; see README.md.

import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { randomWorld } from './random-vectors.ts';
import { answer, type AnswerJson, Picture, type QuestionJson, type Vector } from './vector.ts';

const files = globSync('*.json', { cwd: import.meta.dirname }).sort();

describe('15.7 vectors of reading', () => {
  it('are there for each of the rules', () => {
    assert.ok(files.length >= 12, files.join());
  });

  for (const file of files) {
    const { about, frames, questions } = JSON.parse(readFileSync(join(import.meta.dirname, file), 'utf8')) as Vector;
    it(`${file}: ${about}`, () => {
      const picture = new Picture(frames);
      assert.ok(questions.length > 0);
      for (const { about: what, ask, answer: wanted } of questions) {
        assert.deepEqual(answer(picture, ask), wanted, `${what}: ${JSON.stringify(ask)}`);
      }
    });
  }

  it('are answered for an interval as for each of its milliseconds, when none of its moments is left out', () => {
    let compared = 0;
    let changing = 0;
    for (let seed = 1; seed <= 400; seed++) {
      const { frames, questions } = randomWorld(seed, 40);
      // What is looked at has fewer moments than an interval asks for.
      const spans = frames.flatMap(
        ({ changes }) => changes?.changes.map(({ timeline }) => timeline?.spans ?? []) ?? [],
      );
      if (spans.some(({ length }) => length > 20)) continue;
      const picture = new Picture(frames);
      for (const ask of questions) {
        if (ask.atMs === undefined || ask.untilMs === undefined || ask.untilMs - ask.atMs > 400) continue;
        const whole = answer(picture, ask);
        assert.deepEqual(partsOf(whole), everyMillisecond(picture, ask), `seed ${seed}: ${JSON.stringify(ask)}`);
        compared += 1;
        if (whole.outcome === 'AMBIGUOUS') changing += 1;
      }
    }
    assert.ok(compared > 1_000 && changing > 50, `${compared}, ${changing} of them AMBIGUOUS`);
  });

  it('are made up with answers of every outcome, so that they compare something', () => {
    const outcomes = new Map<string, number>();
    for (let seed = 1; seed <= 200; seed++) {
      const { frames, questions } = randomWorld(seed, 20);
      const picture = new Picture(frames);
      for (const ask of questions) {
        const { outcome, uncertain } = answer(picture, ask);
        const key = `${outcome}${uncertain === true ? '?' : ''}${ask.untilMs === undefined ? '' : ' throughout'}`;
        outcomes.set(key, (outcomes.get(key) ?? 0) + 1);
      }
    }
    for (const outcome of [
      'HIDDEN',
      'HIDDEN?',
      'RESOLVED',
      'RESOLVED?',
      'AMBIGUOUS',
      'AMBIGUOUS?',
      'UNASSIGNED',
      'EXTERNAL',
      'UNKNOWN',
    ]) {
      for (const key of [outcome, `${outcome} throughout`]) {
        assert.ok((outcomes.get(key) ?? 0) >= 5, `${key}: ${[...outcomes].join(' ')}`);
      }
    }
  });
});

/** Outcome, and who, from when to when, in any order; of an answer that lists all. */
function partsOf({ outcome, holders = [] }: AnswerJson): object {
  if (holders.length === 100) return { outcome };
  if (outcome === 'RESOLVED' || outcome === 'HIDDEN')
    return { outcome, parts: holders.map(({ uid, role, uncertain }) => part(uid, role, uncertain)) };
  return {
    outcome,
    parts: holders.map(({ uid, role, from, to, uncertain }) => part(uid, role, uncertain, from, to)).sort(),
  };
}

/** The same, by rule 10, but asked at each millisecond. */
function everyMillisecond(picture: Picture, ask: QuestionJson): object {
  const firstMs = Math.min(ask.atMs ?? 0, ask.nowMs);
  const lastMs = Math.min(ask.untilMs ?? 0, ask.nowMs);
  const runs: { key: string; from: number; to: number; uncertain: boolean }[] = [];
  let open = new Map<string, (typeof runs)[number]>();
  const outcomes = new Set<string>();
  let most = 0;
  let isUnheld = false;
  let isHidden = false;
  const { untilMs: _, ...question } = ask;
  for (let atMs = firstMs; atMs <= lastMs; atMs++) {
    const { outcome, holders = [] } = answer(picture, { ...question, atMs });
    if (holders.length === 0) {
      outcomes.add(outcome);
      isUnheld = true;
    }
    isHidden ||= outcome === 'HIDDEN';
    most = Math.max(most, holders.length);
    const next = new Map<string, (typeof runs)[number]>();
    for (const { uid, role, uncertain } of holders) {
      const key = `${uid} ${role}`;
      const run = open.get(key) ?? { key, from: atMs, to: atMs, uncertain: false };
      if (!open.has(key)) runs.push(run);
      run.to = Math.min(atMs + 1, lastMs);
      run.uncertain ||= uncertain === true;
      next.set(key, run);
    }
    open = next;
  }
  const [first] = runs;
  if (first === undefined) return { outcome: outcomes.size === 1 ? [...outcomes][0] : 'UNKNOWN', parts: [] };
  if (most === 1 && runs.every(({ key }) => key === first.key)) {
    const isUncertain = isUnheld || runs.some(({ uncertain }) => uncertain);
    return { outcome: isHidden ? 'HIDDEN' : 'RESOLVED', parts: [part(...split(first.key), isUncertain || undefined)] };
  }
  if (runs.length >= 100 || most === 100) return { outcome: 'AMBIGUOUS' };
  const parts = runs.map(({ key, from, to, uncertain }) => part(...split(key), uncertain || undefined, from, to));
  return { outcome: 'AMBIGUOUS', parts: parts.sort() };
}

function split(key: string): [uid: string, role: string] {
  const [uid = '', role = ''] = key.split(' ');
  return [uid, role];
}

function part(uid: string, role: string, uncertain: true | undefined, from?: number, to?: number): string {
  return `${uid} ${role}${uncertain === true ? '?' : ''} ${from ?? ''} ${to ?? ''}`;
}
