// A run of the service from the process's point of view: what signals, failed starts and bugs lead to.

import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { test } from 'node:test';
import { pino } from 'pino';
import { type ProcessEdge, runCommand } from '../../src/cli/run.ts';
import type { RunningService, StartService } from '../../src/service.ts';
import { parseConfig } from '../../src/options/config.ts';

class FakeProcess extends EventEmitter implements ProcessEdge {
  readonly stdout = { isTTY: false, write: () => true };
  readonly told: string[] = [];
  readonly stderr = { write: (text: string) => this.told.push(text) > 0 };
  readonly codes: number[] = [];

  exit(code: number): void {
    this.codes.push(code);
    this.emit('exited', code);
  }
}

function prepare(startService: StartService) {
  const edge = new FakeProcess();
  const lines: Record<string, unknown>[] = [];
  const logger = pino({}, { write: (line: string) => lines.push(JSON.parse(line) as Record<string, unknown>) });
  const parsed = parseConfig({ drainTimeoutMs: '1s' }, {});
  assert.ok(parsed.ok);
  const exited = once(edge, 'exited', { signal: AbortSignal.timeout(10_000) });
  const run = () => runCommand({ command: 'serve', config: parsed.config, startService, process: edge, logger });
  return { edge, lines, exited, run };
}

const service = (stop: () => Promise<void> = async () => {}): RunningService => ({
  address: '127.0.0.1:1',
  adminAddress: '127.0.0.1:2',
  stop,
});

test('a start that succeeds is logged with both addresses', async () => {
  const { edge, lines, run } = prepare(async () => service());
  await run();
  const { msg, address, adminAddress } = lines.at(-1) ?? {};
  assert.deepEqual(
    { msg, address, adminAddress },
    { msg: 'serving', address: '127.0.0.1:1', adminAddress: '127.0.0.1:2' },
  );
  assert.deepEqual(edge.codes, []);
});

test('a service that must not go on ends the process with 1, and its reason is the last line', async () => {
  const { edge, lines, exited, run } = prepare(async ({ fail }) => {
    setImmediate(() => fail('another cluster answers'));
    return service();
  });
  await run();
  assert.deepEqual(await exited, [1]);
  assert.equal(lines.at(-1)?.['msg'], 'another cluster answers');
  assert.deepEqual(edge.codes, [1]);
});

test('the first signal stops the service, then the process exits 0', async () => {
  let stops = 0;
  const { edge, exited, run } = prepare(async () =>
    service(async () => {
      stops += 1;
    }),
  );
  await run();
  edge.emit('SIGTERM', 'SIGTERM');
  assert.deepEqual(await exited, [0]);
  assert.equal(stops, 1);
});

test('the second signal exits at once, with the number of the signal', async () => {
  const { edge, exited, run } = prepare(async () => service(() => new Promise(() => {})));
  await run();
  edge.emit('SIGTERM', 'SIGTERM');
  assert.deepEqual(edge.codes, []);
  edge.emit('SIGINT', 'SIGINT');
  assert.deepEqual(await exited, [130]);
});

test('a stop that overruns its time ends the process with 1', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { edge, lines, run } = prepare(async () => service(() => new Promise(() => {})));
  await run();
  edge.emit('SIGTERM', 'SIGTERM');
  t.mock.timers.tick(5_999);
  assert.deepEqual(edge.codes, []);
  t.mock.timers.tick(1);
  assert.deepEqual(edge.codes, [1]);
  assert.equal(lines.at(-1)?.['msg'], 'did not stop in time');
});

test('a start that fails is logged with its reason and exits 1', async () => {
  const { edge, lines, run } = prepare(async () => {
    throw new Error('no cluster: try `digger demo`');
  });
  await run();
  assert.deepEqual(edge.codes, [1]);
  const { msg, err } = lines.at(-1) as { msg: string; err: { message: string } };
  assert.deepEqual([msg, err.message], ['could not start', 'no cluster: try `digger demo`']);
});

test('a signal during the start gives the start up and exits 0', async () => {
  const { edge, exited, run } = prepare(
    ({ signal }) => new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(signal.reason))),
  );
  const done = run();
  edge.emit('SIGINT', 'SIGINT');
  await done;
  assert.deepEqual(await exited, [0]);
});

test('a service that came up in spite of the signal is stopped', async () => {
  let stops = 0;
  let up: (service: RunningService) => void = () => {};
  const { edge, exited, run } = prepare(() => new Promise((resolve) => (up = resolve)));
  const done = run();
  edge.emit('SIGTERM', 'SIGTERM');
  up(
    service(async () => {
      stops += 1;
    }),
  );
  await done;
  assert.deepEqual([await exited, stops], [[0], 1]);
});

test('an unhandled error is fatal', async () => {
  const { edge, lines, run } = prepare(async () => service());
  await run();
  edge.emit('uncaughtException', new Error('surprise'));
  assert.deepEqual(edge.codes, [1]);
  assert.equal(lines.at(-1)?.['level'], 60);
});
