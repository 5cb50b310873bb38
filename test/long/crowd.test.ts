// As many connections as a replica takes, and then more than that.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { crowd } from '../hostile/crowd.ts';
import { CROWD_OPTIONS } from '../hostile/half-requests.ts';
import { metric } from '../hostile/bystanders.ts';
import { open, untilClosed } from '../hostile/raw-http2.ts';
import { Story } from '../stories/story.ts';

describe('ten thousand connections', () => {
  it('are let in nearly to the last, keep no other caller from being served, and leave nothing', async () => {
    await using story = await Story.begin();
    const digger = await story.startDigger(
      ...CROWD_OPTIONS,
      '--max-call-memory=268435456',
      '--max-caller-memory=268435456',
    );
    await digger.untilReady();
    // The observer and the others have some of the 10,000.
    await crowd(story, digger, 9_900);
    assert.equal(await metric(digger, 'digger_grpc_connections_refused_total'), 0);
    assert.equal(await untilClosed(open(digger.address), 500), 'open', 'there is room again');
    await story.assertWholeState(digger);
  });
});
