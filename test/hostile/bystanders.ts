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
  const heapBefore = await metric(digger, 'nodejs_heap_size_used_bytes');
  const connectionsBefore = await metric(digger, 'digger_grpc_connections');
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
  await eventually('every connection is gone', async () => {
    const connections = await metric(digger, 'digger_grpc_connections');
    return connections <= connectionsBefore ? done(undefined) : notYet({ connections, connectionsBefore });
  });
  await eventually('the memory is back', async () => {
    // Garbage is collected when there is work.
    await digger.call('StatusService', 'GetStatus');
    const heap = await metric(digger, 'nodejs_heap_size_used_bytes');
    return heap < heapBefore + HEAP_SLACK_BYTES ? done(undefined) : notYet({ heap, heapBefore });
  });
}

/** A metric, with its labels as they are exposed if it has any. */
export async function metric(digger: DiggerProcess, name: string): Promise<number> {
  const lines = (await digger.metrics()).split('\n');
  const value = lines.find((line) => line.startsWith(`${name} `))?.slice(name.length);
  assert.ok(value !== undefined, `${name} is exposed`);
  return Number(value);
}
