// A subscriber's life: a snapshot, what changes after it, a break, and the way back to where it was.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { status, type ServiceError } from '@grpc/grpc-js';
import type { DiggerProcess } from '../observers/digger-process.ts';
import { done, eventually, notYet } from '../observers/eventually.ts';
import { errorDetails } from '../observers/rpc-error.ts';
import { FeedCopy } from '../observers/feed-copy.ts';
import { MAX_NAMESPACES } from '../../src/model/source.ts';
import { metric } from '../hostile/bystanders.ts';
import { Story, untilTold } from './story.ts';

describe('a subscriber', () => {
  let story: Story;
  let digger: DiggerProcess;

  before(async () => {
    story = await Story.begin();
    digger = await story.startReadyDigger();
  });
  after(() => story?.end());

  it('gets a reset, the snapshot and Synced, and with every frame a token', async () => {
    const subscriber = await story.subscribe(digger);
    const kinds = subscriber.frames.map((frame) => frame['frame'] as string);
    const snapshot = kinds.slice(0, kinds.indexOf('synced') + 1);
    assert.deepEqual([...new Set(snapshot)], ['reset', 'changes', 'synced'], kinds.join(', '));
    assert.equal(subscriber.frames[0]?.['reset']['reason'], 'RESET_REASON_NO_TOKEN');
    for (const frame of subscriber.frames) {
      const { length } = frame['resumeToken'];
      assert.ok(length > 0 && length <= 400, `${frame['frame']} with a token of ${length} bytes`);
    }
    await subscriber.untilEqual(story.readLists);
    await eventually('a heartbeat, when nothing happens', () => {
      const last = subscriber.frames.at(-1);
      return last?.['frame'] === 'progress' ? done(last) : notYet(last);
    });
    subscriber.close();
  });

  it('hears what comes, changes and goes; an object recreated under its name is gone first', async () => {
    const subscriber = await story.subscribe(digger);
    story.createPod('walker', 201);
    await untilTold(subscriber, ['upsert pod shop/walker']);
    story.deletePod('walker');
    story.createPod('walker', 202);
    await untilTold(subscriber, ['removal pod shop/walker']);
    await subscriber.untilEqual(story.readLists);
    const names = subscriber.changesAfterSnapshot;
    assert.deepEqual(names, ['upsert pod shop/walker', 'removal pod shop/walker', 'upsert pod shop/walker']);
    story.deletePod('walker');
    await subscriber.untilEqual(story.readLists);
    subscriber.close();
  });

  it('with a filter hears of nothing else, and of a removal when an entity leaves the filter', async () => {
    const request = { filter: { kinds: ['ENTITY_KIND_POD'], labels: { tier: 'gold' } } };
    story.createPod('nugget', 201, { labels: { tier: 'gold' } });
    await eventually('the pod is known', async () => {
      const resolution = await digger.resolve('10.244.1.201');
      return resolution['pod'] ? done(undefined) : notYet(resolution);
    });
    const subscriber = new FeedCopy(digger, request);
    await subscriber.untilSynced();
    assert.deepEqual(
      [...subscriber.entities.values()].map((entity) => entity['name']),
      ['nugget'],
    );
    story.createPod('pebble', 202);
    story.simulator.cluster.patch('pods', 'shop', 'nugget', { metadata: { labels: { tier: 'lead' } } });
    await untilTold(subscriber, ['removal pod shop/nugget']);
    story.simulator.cluster.patch('pods', 'shop', 'pebble', { metadata: { labels: { tier: 'gold' } } });
    await untilTold(subscriber, ['upsert pod shop/pebble']);
    assert.deepEqual(subscriber.changesAfterSnapshot, ['removal pod shop/nugget', 'upsert pod shop/pebble']);
    subscriber.close();
    story.deletePod('nugget');
    story.deletePod('pebble');
  });

  it('goes on with its token after a break: no reset, what it missed, and Synced', async () => {
    story.createPod('leaves', 201);
    const before = await story.subscribe(digger);
    await eventually('the pod is in the picture', () => {
      const names = [...before.entities.values()].map((entity) => entity['name']);
      return names.includes('leaves') ? done(undefined) : notYet(names);
    });
    const token = before.resumeToken;
    before.close();
    story.createPod('arrives', 202);
    story.deletePod('leaves');
    await eventually('digger knows of both', async () => {
      const outcomes = [await digger.resolve('10.244.1.201'), await digger.resolve('10.244.1.202')].map(
        (resolution) => resolution['outcome'],
      );
      return outcomes.join() === 'OUTCOME_UNASSIGNED,OUTCOME_RESOLVED' ? done(undefined) : notYet(outcomes);
    });
    const resumed = new FeedCopy(digger, { resumeToken: token });
    await resumed.untilSynced();
    assert.equal(resumed.resets, 0);
    assert.deepEqual([...resumed.changes].toSorted(), ['removal pod shop/leaves', 'upsert pod shop/arrives']);
    assert.deepEqual(resumed.changesAfterSnapshot, [], 'what was missed comes before Synced');
    // The copy from before the break, carried on with what came after it, is the whole picture.
    const carriedOn = new FeedCopy(digger, { resumeToken: resumed.resumeToken });
    await carriedOn.untilSynced();
    assert.deepEqual(carriedOn.changes, [], 'nothing is told twice');
    carriedOn.close();
    resumed.close();
  });

  it('goes on at another replica, also where as many namespaces are watched one by one as may be', async () => {
    const namespaces = ['shop', ...Array.from({ length: MAX_NAMESPACES - 1 }, (_, index) => `team-${index}`)];
    const args = namespaces.flatMap((namespace) => ['--namespace', namespace]);
    await using partial = await Story.begin();
    const replicas = [await partial.startDigger(...args), await partial.startDigger(...args)];
    for (const replica of replicas) await replica.untilReady();
    const [first, second] = replicas;
    assert.ok(first && second);
    const before = await partial.subscribe(first);
    const { length } = before.resumeToken;
    assert.ok(length > 200 && length <= 4_096, `a token of ${length} bytes`);
    // Versions and positions grow by a digit now and then; the next heartbeat brings the token that has it.
    await eventually('the metric tells the size of a token', async () => {
      const told = await metric(first, 'digger_feed_resume_token_bytes');
      const sizes = { told, token: before.resumeToken.length };
      return sizes.told === sizes.token ? done(undefined) : notYet(sizes);
    });
    before.close();
    const resumed = new FeedCopy(second, { resumeToken: before.resumeToken });
    await resumed.untilSynced();
    assert.equal(resumed.resets, 0, JSON.stringify(resumed.frames[0]));
    resumed.close();
  });

  it('with a token from beside another cluster is refused, and starts over without it', async () => {
    await using elsewhere = await Story.begin({ seed: 21 });
    const stranger = await elsewhere.startReadyDigger();
    const far = await elsewhere.subscribe(stranger);
    const refused = (await digger.watch({ resumeToken: far.resumeToken }).ended) as ServiceError;
    assert.equal(refused.code, status.FAILED_PRECONDITION);
    assert.equal(errorDetails(refused)['ErrorInfo']?.['reason'], 'OTHER_CLUSTER');
    const here = new FeedCopy(digger);
    await here.untilSynced();
    await here.untilEqual(story.readLists);
    here.close();
    far.close();
    await elsewhere.assertWholeState(stranger);
    await story.assertWholeState(digger);
  });
});
