// Replicas on a real control plane: the short form, with every run of the cluster tests. REPLICAS_SEED repeats a run,
// REPLICAS_SECONDS makes it longer. Needs Go beside the control plane.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { type RunReport, runReplicas } from './replica-run.ts';

const seed = Number(process.env['REPLICAS_SEED'] ?? Math.floor(Math.random() * 1_000_000));
const seconds = Number(process.env['REPLICAS_SECONDS'] ?? 45);

describe(`15: replicas of two servers (seed ${seed}, ${seconds} s)`, () => {
  let report: RunReport;

  before(async () => {
    report = await runReplicas({ seed, durationMs: seconds * 1_000 });
  });

  for (const language of ['TypeScript', 'Go']) {
    it(`answer as the server that they follow, through cuts, hops, resets and restarts (${language})`, (t) => {
      const { compared, exact, differing, intervals, ports, outcomes, hops, resets } = of(report, language);
      t.diagnostic([...report.deeds].map(([deed, count]) => `${deed}: ${count}`).join(', '));
      t.diagnostic(
        `${compared} answers compared, ${exact} equal to the millisecond, ${ports} with a port, ${intervals} for an interval`,
      );
      t.diagnostic(`${hops} hops, ${resets} resets; ${[...outcomes].map((each) => each.join(': ')).join(', ')}`);
      assert.deepEqual(differing.slice(0, 5), [], `${differing.length} of ${compared} differ`);
      assert.ok(compared > seconds * 20 && ports > compared / 4 && intervals > compared / 20, `${compared} compared`);
      assert.ok(exact > compared * 0.9, `${exact} of ${compared} are equal to the millisecond`);
      assert.ok(hops > 0 && resets > 0, 'it went from one to the other, and began anew');
    });

    it(`never name a wrong holder without saying so, whatever becomes of servers (${language})`, (t) => {
      const { judged, wrong } = of(report, language);
      t.diagnostic(`${judged} answers held against the record`);
      assert.deepEqual(wrong.slice(0, 5), [], `${wrong.length} of ${judged} are wrong`);
      assert.ok(judged > seconds * 5, `${judged} answers`);
    });
  }
});

function of({ replicas }: RunReport, language: string) {
  return replicas.get(language) ?? assert.fail(`no replica for ${language}`);
}
