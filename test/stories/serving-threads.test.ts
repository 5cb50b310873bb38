// A digger whose connections other threads carry: what its callers notice when such a thread ends while they call, and
// whether it answers as one thread does while the cluster changes, is listed again, or cannot be reached.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { readMetrics } from '../hostile/bystanders.ts';
import type { Message } from '../observers/digger-client.ts';
import { DiggerProcess } from '../observers/digger-process.ts';
import { done, eventually, notYet } from '../observers/eventually.ts';
import { SERVING_ENVIRONMENT, SERVING_NODE_OPTIONS } from '../../src/serving-process.ts';
import { Churn, LookupLoad, RoamingCopy } from './load.ts';
import { Story, untilFresh } from './story.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const MAIN = `${ROOT}src/main.ts`;
const FAULTS = ['throw', 'reject'] as const;
const CALLERS = 8;

describe('a digger with two serving threads', () => {
  it('lives when the thread that carries connections dies of an error or of a promise: callers come back, and nothing of theirs stays', {
    timeout: 110_000,
  }, async () => {
    await using story = await Story.begin();
    await using digger = await DiggerProcess.start(story.kubeconfig, ['--serving-threads', '2'], {
      main: MAIN,
      nodeOptions: [...SERVING_NODE_OPTIONS, '--import', new URL('thread-faults.ts', import.meta.url).href],
      environment: { ...SERVING_ENVIRONMENT, THREAD_FAULTS: FAULTS.join(',') },
    });
    await digger.untilReady();
    await untilFresh(digger);
    const { ip } = story.demo.wellKnown.statefulPod;
    let refused: readonly string[];
    {
      await using load = new LookupLoad([digger.address], [ip], CALLERS, true);
      await using subscriber = new RoamingCopy([digger.address]);
      for (const [index, fault] of FAULTS.entries()) {
        await load.untilAnswered(50);
        await subscriber.untilEqual(story.readLists);
        const endsBefore = subscriber.ends.length;
        process.kill(digger.pid, 'SIGUSR2');
        await untilMetric(digger, 'digger_serving_thread_ends_total{reason="died"}', index + 1);
        // Whether another thread was started at once, or the main thread has the port until one may be.
        await load.untilAnswered(50);
        await eventually('the subscriber lost its stream and went on', () =>
          subscriber.ends.length > endsBefore ? done(undefined) : notYet(fault),
        );
        await subscriber.untilEqual(story.readLists);
        await untilMetric(digger, 'digger_serving_threads', 2);
      }
      assert.deepEqual(subscriber.resets.slice(1), [], 'its token was good after each of them');
      refused = load.failures;
      for (const end of load.ends) if (end.ok) assert.equal(end.outcome, 'OUTCOME_RESOLVED');
    }
    // gRPC tries a call again that no server has seen; one that was on its way is the caller's to repeat.
    assert.ok(
      refused.every((failure) => /^UNAVAILABLE|^DEADLINE_EXCEEDED/.test(failure)),
      refused.join('\n'),
    );
    await eventually('nothing is left of their calls', async () => {
      const now = await readMetrics(digger);
      const left = {
        calls: now.value('digger_grpc_open_calls'),
        bytes: now.value('digger_grpc_call_memory_bytes'),
        subscribers: now.value('digger_feed_subscribers'),
        waiting: now.value('digger_grpc_calls_waiting'),
        paused: now.value('digger_grpc_connections_paused'),
        // Its own, of the story.
        connections: now.value('digger_grpc_connections') - 1,
      };
      return Object.values(left).every((count) => count <= 0) ? done(undefined) : notYet(left);
    });
    for (const text of ['a fault of the test: thrown', 'a fault of the test: rejected']) {
      assert.ok(digger.log.includes(text), `the log says ${text}:\n${digger.log}`);
    }
    await story.assertWholeState(digger);
    digger.close();
    process.kill(digger.pid, 'SIGTERM');
    assert.deepEqual(await digger.ended, { code: 0, signal: null });
  });

  it('answers as one thread does, and is never wrong about who stays, while the cluster changes and is listed again', {
    timeout: 110_000,
  }, async () => {
    await using story = await Story.begin();
    const stays = Array.from({ length: 5 }, (_, index) => story.createPod(`stays-${index}`, 230 + index));
    const one = await story.startReadyDigger('--serving-threads', '1');
    const two = await story.startReadyDigger('--serving-threads', '2');
    {
      using churn = new Churn(() => story.demo.step());
      for (let relist = 0; relist < 3; relist++) {
        story.simulator.cluster.compact();
        story.simulator.cutConnections();
        const until = churn.steps + 10;
        while (churn.steps < until) {
          const answers = await Promise.all([batch(one, stays), batch(two, stays)]);
          for (const answer of answers) {
            const names = answer.map(({ outcome, pod }) => `${outcome} ${pod?.['name']}`);
            assert.deepEqual(
              names,
              stays.map((_, index) => `OUTCOME_RESOLVED stays-${index}`),
            );
          }
        }
      }
      story.demo.settle();
    }
    const lists = await story.readLists();
    const ips = (lists.pods as readonly Message[]).flatMap((pod) =>
      pod['status']?.podIP ? [pod['status'].podIP] : [],
    );
    assert.ok(ips.length > 30, `${ips.length} addresses`);
    await eventually(
      'both answer the same',
      async () => {
        const [ofOne, ofTwo] = await Promise.all([batch(one, ips), batch(two, ips)]);
        const differs = ofOne.findIndex((answer, index) => JSON.stringify(answer) !== JSON.stringify(ofTwo[index]));
        return differs === -1 ? done(undefined) : notYet([ofOne[differs], ofTwo[differs]]);
      },
      { deadlineMs: 20_000 },
    );
    await story.assertWholeState(two);
  });

  it('serves the command line: one question, and a watch that goes on', async () => {
    await using story = await Story.begin();
    const digger = await story.startReadyDigger('--serving-threads', '2');
    const { ip, name } = story.demo.wellKnown.statefulPod;
    const { stdout } = await promisify(execFile)(process.execPath, [MAIN, 'resolve', ip, '--address', digger.address]);
    assert.ok(stdout.includes(name), stdout);
    const watch = spawn(process.execPath, [MAIN, 'watch', '--address', digger.address]);
    let printed = '';
    watch.stdout.setEncoding('utf8').on('data', (text: string) => (printed += text));
    try {
      await eventually('the picture is printed', () => (printed.includes(name) ? done(undefined) : notYet(printed)));
      story.createPod('comes-later', 240);
      await eventually('what comes is printed', () =>
        printed.includes('comes-later') ? done(undefined) : notYet(printed.slice(-1_000)),
      );
    } finally {
      watch.kill();
    }
  });
});

/** Answers without what depends on the moment, and on when the process began to look. */
async function batch(digger: DiggerProcess, addresses: readonly string[]): Promise<readonly Message[]> {
  const queries = addresses.map((address) => ({ address }));
  const answer = await digger.call('LookupService', 'BatchResolveAddresses', { queries });
  return (answer['results'] as readonly Message[]).map(({ resolution }) => {
    const { asOf: _, staleness: __, historySince: ___, validFrom: ____, candidates, ...rest } = resolution as Message;
    // Several that share an address of their node come in the order in which they were heard of.
    const sorted = (candidates as readonly Message[]).map((each) => JSON.stringify(each)).toSorted();
    return { ...rest, sorted };
  });
}

async function untilMetric(digger: DiggerProcess, name: string, value: number): Promise<void> {
  await eventually(
    `${name} is ${value}`,
    async () => {
      const page = await digger.metrics();
      const line = page.split('\n').find((each) => each.startsWith(`${name} `));
      return line === `${name} ${value}` ? done(undefined) : notYet(line);
    },
    { deadlineMs: 30_000, giveUp: () => (digger.isRunning ? undefined : digger.log) },
  );
}
