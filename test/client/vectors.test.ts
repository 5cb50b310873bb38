// The replica for TypeScript gives the answers of the vectors, hand-made and made up: its frames are decoded from the
// bytes that a server would send, its timelines are packed, and nothing of that may change an answer.

import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { Answer, Holder } from '../../src/client/answer.ts';
import { askPicture } from '../../src/client/ask-picture.ts';
import { Picture } from '../../src/client/picture.ts';
import { DEFAULT_BOUNDS } from '../../src/client/replica.ts';
import { SharedValues } from '../../src/client/shared-values.ts';
import { parseIp } from '../../src/model/ip/ip.ts';
import { networkAddress } from '../../src/model/kubernetes/pod-networks.ts';
import { messageType } from '../../src/wire/schema.ts';
import { randomWorld } from '../vectors/random-vectors.ts';
import {
  answer,
  type AnsweringHolder,
  type AnswerJson,
  type FrameJson,
  Picture as ReferencePicture,
  type QuestionJson,
  type Vector,
} from '../vectors/vector.ts';

const FOLDER = join(import.meta.dirname, '../vectors');
const files = globSync('*.json', { cwd: FOLDER }).sort();
const worlds = Number(process.env['DIGGER_WORLDS'] ?? 500);
const firstSeed = Number(process.env['DIGGER_SEED'] ?? 1);

const Changes = messageType('digger.v1.Changes');

describe('15.7 the replica for TypeScript', () => {
  for (const file of files) {
    it(`answers the vector ${file}`, () => {
      const { frames, questions } = JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as Vector;
      const picture = pictureOf(frames);
      assert.ok(questions.length > 0);
      for (const { ask, answer: wanted } of questions)
        assert.deepEqual(answerOf(picture, ask), wanted, JSON.stringify(ask));
    });
  }

  it('answers made-up worlds as reading without bytes does', () => {
    let held = 0;
    for (let seed = firstSeed; seed < firstSeed + worlds; seed++) {
      const { frames, questions } = randomWorld(seed, 60);
      const reference = new ReferencePicture(frames);
      const picture = pictureOf(frames);
      for (const ask of questions) {
        const wanted = answer(reference, ask);
        assert.deepEqual(answerOf(picture, ask), wanted, `seed ${seed}: ${JSON.stringify(ask)}`);
        if (wanted.holders !== undefined) held += 1;
      }
    }
    assert.ok(held > worlds * 10, `${held} answers with holders`);
  });
});

function pictureOf(frames: readonly FrameJson[]): Picture {
  let picture = new Picture(DEFAULT_BOUNDS, new SharedValues(), false);
  for (const { reset, changes } of frames) {
    if (reset !== undefined) picture = new Picture(DEFAULT_BOUNDS, new SharedValues(), false);
    if (changes !== undefined) picture.apply(Changes.encode(Changes.fromObject(changes)).finish());
  }
  return picture;
}

function answerOf(picture: Picture, ask: QuestionJson): AnswerJson {
  const { port, protocol, podNetwork = '', atMs, untilMs, nowMs, heardMs } = ask;
  picture.setBlindSince(heardMs);
  const question = {
    address: networkAddress(parseIp(ask.address) ?? assert.fail(ask.address), podNetwork),
    ...(port === undefined ? {} : { port }),
    ...(protocol === undefined ? {} : { protocol }),
    ...(atMs === undefined ? {} : { atMs }),
    untilMs,
  };
  return written(askPicture(picture, question, nowMs, undefined));
}

function written({ outcome, holder, workload, candidates, uncertain, historySince }: Answer): AnswerJson {
  const holders = (holder === undefined ? candidates : [holder]).map(writtenHolder);
  const others = holder === undefined ? [] : candidates.map(writtenHolder);
  return {
    outcome,
    ...(uncertain ? { uncertain } : {}),
    ...(holders.length > 0 ? { holders } : {}),
    ...(others.length > 0 ? { others } : {}),
    ...(workload === undefined ? {} : { workload: workload.uid }),
    since: historySince,
  };
}

function writtenHolder({ uid, role, validFrom: from, validTo: to, uncertain }: Holder): AnsweringHolder {
  return { uid, role, from, ...(to === undefined ? {} : { to }), ...(uncertain ? { uncertain } : {}) };
}
