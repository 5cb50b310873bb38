// The long form of test/cluster/chaos.test.ts: every fault, over and over for at least five minutes.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ALL_FAULTS, runChaos } from '../cluster/chaos-run.ts';

const MIN_DURATION_MS = 300_000;

describe('every fault under load, for five minutes and more', () => {
  it('loses nothing, invents nothing, and causes no list where a watch could go on', {
    timeout: 1_200_000,
  }, async () => {
    const seed = Number(process.env['CHAOS_SEED'] ?? Date.now() % 1_000_000);
    const report = await runChaos({ seed, faults: ALL_FAULTS, minDurationMs: MIN_DURATION_MS });
    console.log(JSON.stringify({ ...report, rounds: report.rounds.length }));
    assert.deepEqual(new Set(report.rounds.map(({ fault }) => fault)), new Set(ALL_FAULTS));
  });
});
