// The vectors beside this file: what src/timelines answers is what they say. Replicas in other languages run the same
// files; see README.md.

import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { randomWorld } from './random-vectors.ts';
import { answer, Picture, type Vector } from './vector.ts';

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
    for (const outcome of ['RESOLVED', 'RESOLVED?', 'AMBIGUOUS', 'AMBIGUOUS?', 'UNASSIGNED', 'EXTERNAL', 'UNKNOWN']) {
      for (const key of [outcome, `${outcome} throughout`]) {
        assert.ok((outcomes.get(key) ?? 0) >= 5, `${key}: ${[...outcomes].join(' ')}`);
      }
    }
  });
});
