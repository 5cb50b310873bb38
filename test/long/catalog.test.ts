// A million steps of hostile histories against the model of the catalog. The seed is printed; CATALOG_SEED repeats a
// run, CATALOG_STEPS makes it shorter or longer.

import { describe, it } from 'node:test';
import { Adversary } from '../catalog/adversary.ts';

const SEED = Number(process.env['CATALOG_SEED'] ?? Date.now() % 1_000_000_000);
const STEPS = Number(process.env['CATALOG_STEPS'] ?? 1_000_000);
const STEPS_PER_HISTORY = 500;

describe('the catalog under hostile histories', () => {
  it('holds what the contract says of the present records for a million steps, and replicas agree', async (t) => {
    t.diagnostic(`seed ${SEED}, ${STEPS} steps`);
    for (let history = 0; history * STEPS_PER_HISTORY < STEPS; history += 1) {
      const seed = SEED + history;
      try {
        const adversary = await Adversary.begin(seed);
        for (let steps = 1; steps <= STEPS_PER_HISTORY; steps += 1) {
          await adversary.step();
          if (steps % 10 === 0) await adversary.check();
          if (steps % 100 === 0) await adversary.checkReplica();
        }
      } catch (error) {
        throw new Error(`CATALOG_SEED=${seed} CATALOG_STEPS=${STEPS_PER_HISTORY}`, { cause: error });
      }
    }
  });
});
