// What has to hold beside every attack: the process lives, other callers are answered, and afterwards nothing of
// it is left: no connection, no call, no memory.
import assert from 'node:assert/strict';
import type { DiggerProcess } from '../observers/digger-process.ts';
import { done, eventually, notYet } from '../observers/eventually.ts';
import { LookupLoad } from '../stories/load.ts';
import type { Story } from '../stories/story.ts';

/** More than the collector leaves lying about between two looks, much less than what the attacks send. */
const HEAP_SLACK_BYTES = 48 * 1024 * 1024;

/** Runs the attack beside lookups of another caller, which must not notice. */
export async function besideOthers(story: Story, digger: DiggerProcess, attack: () => Promise<void>): Promise<void> {
  const before = await readMetrics(digger);
  const heapBefore = before.value('nodejs_heap_size_used_bytes');
  const connectionsBefore = before.value('digger_grpc_connections');
  {
    // Each caller stops at its first failure: no retries.
    await using others = new LookupLoad([digger.address], [story.demo.wellKnown.statefulPod.ip], 4, false);
    await others.untilAnswered(20);
    await attack();
    await others.untilAnswered(20);
    assert.deepEqual(others.failures, []);
    for (const end of others.ends) assert.equal(end.ok && end.outcome, 'OUTCOME_RESOLVED');
  }
  assert.equal(digger.isRunning, true, digger.log);
  await eventually('every connection is gone, and the memory is back', async () => {
    // Garbage is collected when there is work.
    await digger.call('StatusService', 'GetStatus');
    const now = await readMetrics(digger);
    const connections = now.value('digger_grpc_connections');
    const heap = now.value('nodejs_heap_size_used_bytes');
    return connections <= connectionsBefore && heap < heapBefore + HEAP_SLACK_BYTES
      ? done(undefined)
      : notYet({ connections, connectionsBefore, heap, heapBefore });
  });
}

/** All metrics of one moment. */
export interface Metrics {
  /** Of a metric, with its labels as they are exposed if it has any. */
  value(name: string): number;
  /** Of all metrics whose names and labels begin so. */
  sum(prefix: string): number;
}

/** They are computed once a second: what needs two of them reads them from one page. */
export async function readMetrics(digger: DiggerProcess): Promise<Metrics> {
  return parseMetrics(await digger.metrics());
}

export function parseMetrics(page: string): Metrics {
  const lines = page.split('\n');
  const valuesOf = (prefix: string): readonly number[] =>
    lines.filter((line) => line.startsWith(prefix)).map((line) => Number(line.slice(line.lastIndexOf(' '))));
  return {
    value(name) {
      const [value] = valuesOf(`${name} `);
      assert.ok(value !== undefined, `${name} is exposed, among ${lines.length} lines that begin with ${lines[0]}`);
      return value;
    },
    sum: (prefix) => valuesOf(prefix).reduce((sum, value) => sum + value, 0),
  };
}

/** One metric, as it is now. */
export async function metric(digger: DiggerProcess, name: string): Promise<number> {
  return (await readMetrics(digger)).value(name);
}
