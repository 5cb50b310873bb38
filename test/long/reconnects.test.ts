// What a thousand lost connections leave behind of the whole watching side: memory, sockets, timers, listeners.
//
// Each time every connection is reset; then all reflectors have to be well again, as trial.ts says, which also holds
// what the process has against what the server sees. RECONNECTS makes it longer.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Trial } from '../kube/misbehaving/trial.ts';

const RECONNECTS = Number(process.env['RECONNECTS'] ?? 1_000);
/** Compiled code and caches are there by then. */
const WARM_UP = 200;
/**
 * A thousand connections that were kept would be 50 MB. The tables of shared strings (string-interner.ts) fill up with
 * the new labels of each round, to 3 MB at most.
 */
const MAX_HEAP_GROWTH_BYTES = 3_000_000;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

for (const protocol of ['h2', 'http/1.1'] as const) {
  test(`${RECONNECTS} lost connections leave nothing behind (${protocol})`, { timeout: 1_500_000 }, async (context) => {
    await using trial = await Trial.begin(1, () => 0);
    await trial.speak(protocol);
    const lose = async (times: number) => {
      for (let n = 0; n < times; n += 1) {
        await trial.server.call('afflict', 'reset');
        await trial.quietPoint();
      }
    };
    const figures = async () => {
      for (let n = 0; n < 3; n += 1) {
        collect();
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      const { heapUsed, external } = process.memoryUsage();
      return { heapBytes: heapUsed, externalBytes: external, ...trial.watching.holdings() };
    };
    await lose(WARM_UP);
    const before = await figures();
    const { linked } = await trial.server.call('report');
    await lose(RECONNECTS);
    const after = await figures();
    const connections = (await trial.server.call('report')).linked - linked;
    context.diagnostic(JSON.stringify({ connections, before, after }));
    assert.ok(connections >= RECONNECTS, `${connections} connections`);
    const growth = after.heapBytes + after.externalBytes - before.heapBytes - before.externalBytes;
    assert.ok(growth < MAX_HEAP_GROWTH_BYTES, `memory grew by ${growth} bytes`);
    for (const kind of ['sockets', 'listeners'] as const) assert.ok(after[kind] <= before[kind], kind);
    // Of a handful that pings and guards have at any moment.
    assert.ok(after.timers <= before.timers + 2, `${before.timers} timers, then ${after.timers}`);
  });
}
