// Faults on the way to a real API server under fifty changes a second, each once; test/long/chaos.test.ts has the long
// form.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type FaultName, runChaos } from './chaos-run.ts';

const FAULTS: readonly FaultName[] = [
  'connections reset',
  'half-open connection',
  'wrong token for a while',
  'API server killed and restarted',
];

describe('faults under load', () => {
  it('lose nothing, invent nothing, and cause no list where a watch could go on', { timeout: 300_000 }, async () => {
    const seed = Number(process.env['CHAOS_SEED'] ?? Date.now() % 1_000_000);
    const report = await runChaos({ seed, faults: FAULTS, minDurationMs: 0 });
    console.log(JSON.stringify({ ...report, rounds: undefined }));
    assert.equal(report.rounds.length, FAULTS.length);
    assert.ok(report.changes > 500, `${report.changes} changes`);
  });
});
