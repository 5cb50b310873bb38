// Prints made-up vectors with the answers of src/timelines, one as JSON a line, for replicas in other languages:
//
//   node test/vectors/write-random.ts SEED WORLDS QUESTIONS
//
// World n of a run has seed SEED + n, so that one that fails can be made again alone.

import { answer, Picture, type Vector } from './vector.ts';
import { randomWorld } from './random-vectors.ts';

// The reader has seen enough.
process.stdout.on('error', () => process.exit(1));

const [seed = 1, worlds = 100, questions = 100] = process.argv.slice(2).map(Number);

for (let n = 0; n < worlds; n++) {
  const world = randomWorld(seed + n, questions);
  const picture = new Picture(world.frames);
  const vector: Vector = {
    about: `seed ${seed + n}`,
    frames: world.frames,
    questions: world.questions.map((ask) => ({ ask, answer: answer(picture, ask) })),
  };
  if (!process.stdout.write(`${JSON.stringify(vector)}\n`)) {
    await new Promise((resolve) => process.stdout.once('drain', resolve));
  }
}
