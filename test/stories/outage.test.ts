// The API server is gone for a while, and the cluster goes on without being seen.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Message } from '../observers/digger-client.ts';
import type { DiggerProcess } from '../observers/digger-process.ts';
import { done, eventually, notYet } from '../observers/eventually.ts';
import type { FeedCopy } from '../observers/feed-copy.ts';
import { milliseconds, Story, untilFresh, untilTold } from './story.ts';

for (const [how, comeBack] of [
  ['that comes back with its history', () => undefined],
  ['that comes back knowing only the present', (story: Story) => story.simulator.cluster.compact()],
] as const) {
  describe(`an API server ${how}`, () => {
    let story: Story;
    let digger: DiggerProcess;
    let subscriber: FeedCopy;
    let stays: string;
    let leaves: string;

    before(async () => {
      story = await Story.begin();
      stays = story.createPod('stays', 201);
      leaves = story.createPod('leaves', 202);
      story.createPod('changes', 203);
      story.createPod('returns', 204);
      digger = await story.startReadyDigger();
      subscriber = await story.subscribe(digger);
    });
    after(async () => {
      subscriber?.close();
      await story?.end();
    });

    it('does not keep digger from answering; every answer says how stale it is, and staleness grows', async () => {
      assert.equal((await digger.resolve(stays))['staleness'], undefined, 'fresh before the outage');
      story.simulator.refuseConnections();
      story.simulator.cutConnections();
      const first = await eventually('the answer is marked as stale', async () => {
        const resolution = await digger.resolve(stays);
        return resolution['staleness'] ? done(resolution) : notYet(resolution);
      });
      assert.equal(first['pod']['name'], 'stays');
      await eventually('the staleness grows', async () => {
        const resolution = await digger.resolve(stays);
        assert.equal(resolution['pod']['name'], 'stays');
        return milliseconds(resolution['staleness']) > milliseconds(first['staleness'])
          ? done(undefined)
          : notYet(resolution);
      });
      const got = await digger.call('LookupService', 'GetPod', { namespace: 'shop', name: 'stays' });
      assert.ok(got['staleness'], 'objects by name say so too');
      const status = await digger.call('StatusService', 'GetStatus');
      assert.deepEqual([status['ready'], await digger.health()], [true, 'SERVING'], 'stale answers beat none');
      assert.ok(status['staleness'], JSON.stringify(status));
    });

    it('is told to subscribers with every heartbeat', async () => {
      await eventually('a heartbeat says how stale the picture is', () => {
        const resources = (subscriber.frames.at(-1)?.['progress']?.['resources'] ?? []) as readonly Message[];
        return resources.length > 0 && resources.every((resource) => resource['staleness'])
          ? done(undefined)
          : notYet(subscriber.frames.at(-1));
      });
    });

    it('leaves no trace of the changes before it is back', async () => {
      story.createPod('arrives', 205);
      story.deletePod('leaves');
      story.simulator.cluster.patch('pods', 'shop', 'changes', { metadata: { labels: { changed: 'yes' } } });
      // The same name, another object.
      story.deletePod('returns');
      story.createPod('returns', 206);
      assert.equal((await digger.resolve(leaves))['pod']?.['name'], 'leaves');
      assert.deepEqual(subscriber.changesAfterSnapshot, []);
    });

    it('ends in a picture with everything that changed, deletes included', async () => {
      comeBack(story);
      await story.simulator.acceptConnections();
      await untilFresh(digger);
      await story.assertWholeState(digger);
      assert.equal((await digger.resolve(leaves))['outcome'], 'OUTCOME_UNASSIGNED');
      assert.equal((await digger.resolve(stays))['staleness'], undefined);
    });

    it('makes nothing known to subscribers but what changed', async () => {
      const wanted = [
        'removal pod shop/leaves',
        'removal pod shop/returns',
        'upsert pod shop/arrives',
        'upsert pod shop/changes',
        'upsert pod shop/returns',
      ];
      await untilTold(subscriber, wanted);
      assert.deepEqual([...subscriber.changesAfterSnapshot].toSorted(), wanted);
      assert.equal(subscriber.resets, 1);
      await subscriber.untilEqual(story.readLists);
    });
  });
}
