// Hostile histories in short; test/long plays them for a million steps.

import { describe, it } from 'node:test';
import { Adversary } from './adversary.ts';

describe('the catalog under hostile histories', () => {
  it('14.1, 14.9, 14.14: holds what the contract says of the present records, and replicas agree', async () => {
    for (let seed = 1; seed <= 30; seed += 1) {
      try {
        const adversary = await Adversary.begin(seed);
        for (let steps = 0; steps < 150; steps += 1) {
          await adversary.step();
          if (steps % 3 === 0) await adversary.check();
          if (steps % 25 === 0) await adversary.checkReplica();
        }
      } catch (error) {
        throw new Error(`seed ${seed}`, { cause: error });
      }
    }
  });
});
