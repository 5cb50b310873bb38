// A rolling restart of two replicas while the adversary hands addresses out again at once, on a real control plane:
// questions about moments before each restart are answered as before it. HISTORY_SEED repeats a run, HISTORY_ROUNDS
// restarts each replica so many times.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Message } from '../observers/digger-client.ts';
import type { DiggerProcess } from '../observers/digger-process.ts';
import { done, eventually, notYet } from '../observers/eventually.ts';
import { createRandom } from '../random.ts';
import { AdversarialKubelet } from './adversarial-kubelet.ts';
import { Scene } from './scene.ts';

const seed = Number(process.env['HISTORY_SEED'] ?? Math.floor(Math.random() * 1_000_000));
const rounds = Number(process.env['HISTORY_ROUNDS'] ?? 2);
const QUESTIONS = 1_000;
/** Two replicas see one event at different moments; what kubelets report late is learned later. */
const EDGE_MS = 1_000;

it('15.8 answers about moments before a rolling restart as before it, and history_since does not move', async (t) => {
  t.diagnostic(`HISTORY_SEED=${seed}, ${rounds} rounds`);
  const random = createRandom(seed);
  await using scene = await Scene.set({ controllers: false });
  await scene.kubelet.stop();
  const adversary = new AdversarialKubelet({ client: scene.plane.client, seed });
  const start = async (...args: string[]): Promise<DiggerProcess> => {
    const digger = await scene.startDigger(args);
    await digger.untilReady();
    return digger;
  };
  let going = await start();
  const beganMs = Date.now();
  await adversary.start();
  const tally = { asked: 0, equal: 0, atEdges: 0 };
  const different: string[] = [];
  try {
    let staying = await start('--history-from', going.address);
    const since = await historySince(going);
    await untilLater(beganMs + 15_000);
    for (let round = 0; round < 2 * rounds; round++) {
      const untilMs = Date.now() - 2_500;
      const questions = Array.from({ length: QUESTIONS }, () => ({
        address: random.pick(adversary.addresses),
        atMs: random.between(Math.max(beganMs + 2_000, untilMs - 60_000), untilMs),
      }));
      const before = await askAll(going, questions);
      await going.stop();
      const back = await start('--history-from', staying.address);
      const [after, beside] = await Promise.all([askAll(back, questions), askAll(staying, questions)]);
      assert.equal(await historySince(back), since, `round ${round}: history_since moved`);
      const { inheritedHistory } = await back.call('StatusService', 'GetStatus');
      assert.equal((inheritedHistory as Message)['from'], staying.address);
      for (const [index, question] of questions.entries()) {
        tally.asked += 1;
        // What was learned since, the sibling has learned as well.
        if (after[index] === before[index] || after[index] === beside[index]) tally.equal += 1;
        else if (isAtEdge(adversary, question)) tally.atEdges += 1;
        else {
          const agoMs = untilMs - question.atMs;
          different.push(`${question.address} ${agoMs} ms: ${before[index]}, ${after[index]}, ${beside[index]}`);
        }
      }
      [going, staying] = [staying, back];
      await untilLater(Date.now() + 4_000);
    }
    await staying.stop();
    const alone = await start('--history-from', staying.address, '--history-from-wait', '1s');
    assert.ok((await historySince(alone)) > since, 'without a sibling it moves');
    const { inheritedHistory } = await alone.call('StatusService', 'GetStatus');
    assert.match(String((inheritedHistory as Message)['message']), /UNAVAILABLE/);
  } finally {
    await adversary.stop();
  }
  t.diagnostic(JSON.stringify(tally));
  assert.deepEqual(different.slice(0, 5), [], `seed ${seed}: ${different.length} of ${tally.asked} differ`);
  assert.ok(tally.equal > tally.asked * 0.98, JSON.stringify(tally));
});

function isAtEdge({ holds }: AdversarialKubelet, { address, atMs }: { address: string; atMs: number }): boolean {
  return holds
    .filter((hold) => hold.address === address)
    .some(({ fromMs, untilMs, shownMs, hiddenMs }) =>
      [fromMs, untilMs, shownMs, hiddenMs].some((ms) => Math.abs(ms - atMs) < EDGE_MS),
    );
}

/** Outcome and holders of each. */
async function askAll(
  digger: DiggerProcess,
  questions: readonly { readonly address: string; readonly atMs: number }[],
): Promise<readonly string[]> {
  const queries = questions.map(({ address, atMs }) => ({
    address,
    at: { seconds: Math.floor(atMs / 1_000), nanos: (atMs % 1_000) * 1e6 },
  }));
  const { results } = await digger.call('LookupService', 'BatchResolveAddresses', { queries });
  return (results as readonly Message[]).map(({ resolution }) => {
    const { outcome, pod, candidates } = resolution as Message;
    const uids = [pod, ...((candidates ?? []) as Message[]).map((each) => each['pod'])].map(
      (each) => each?.['uid'] ?? '',
    );
    return `${String(outcome)} ${uids.join()}`;
  });
}

async function historySince(digger: DiggerProcess): Promise<number> {
  const { historySince: since } = await digger.call('StatusService', 'GetStatus');
  const { seconds, nanos } = since as Message;
  return Number(seconds) * 1_000 + Number(nanos) / 1e6;
}

async function untilLater(ms: number): Promise<void> {
  await eventually('time goes by', () => (Date.now() > ms ? done(undefined) : notYet(ms - Date.now())));
}
