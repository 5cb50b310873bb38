// The way to the API server breaks, or the server ends a watch: digger goes on where it was, and lists again only when
// it was told that it has to. Subscribers hear what changed, and nothing of the rest.
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import type { LoggedRequest } from '../../src/simulator/server/request-log.ts';
import type { Message } from '../observers/digger-client.ts';
import type { DiggerProcess } from '../observers/digger-process.ts';
import { done, eventually, notYet } from '../observers/eventually.ts';
import type { FeedCopy } from '../observers/feed-copy.ts';
import { Story, untilFresh, untilTold } from './story.ts';

describe('a digger that follows a cluster', () => {
  let story: Story;
  let digger: DiggerProcess;
  let subscriber: FeedCopy;
  let told: number;
  let host = 200;

  before(async () => {
    story = await Story.begin();
    story.createPod('changes', host++);
    digger = await story.startReadyDigger();
    subscriber = await story.subscribe(digger);
  });
  after(async () => {
    subscriber?.close();
    await story?.end();
  });
  beforeEach(() => {
    story.simulator.requests.clear();
    told = subscriber.changesAfterSnapshot.length;
  });

  for (const [how, midFrame] of [
    ['between two events', false],
    ['in the middle of one', true],
  ] as const) {
    it(`resumes every watch from its version, without a list, when connections are cut ${how}`, async () => {
      const leaves = `leaves-${host}`;
      story.createPod(leaves, host++);
      await untilTold(subscriber, [`upsert pod shop/${leaves}`]);
      told = subscriber.changesAfterSnapshot.length;
      const known = new Map((await resources()).map((resource) => [resource['resource'], resource['lists']]));

      story.simulator.refuseConnections();
      assert.ok(story.simulator.cutConnections({ midFrame }) > 0);
      const arrives = `arrives-${host}`;
      story.createPod(arrives, host++);
      story.deletePod(leaves);
      await story.simulator.acceptConnections();

      await untilTold(subscriber, [`upsert pod shop/${arrives}`, `removal pod shop/${leaves}`]);
      await untilFresh(digger);
      assert.deepEqual(listsAsked(), [], 'no list was requested');
      const checks = story.simulator.requests.entries({ verb: 'list' }).filter(({ parameters }) => isCheck(parameters));
      assert.ok(checks.length >= known.size, 'but one object of every resource');
      const watches = story.simulator.requests.entries({ verb: 'watch' });
      assert.deepEqual(
        [...new Set(watches.map(({ resource }) => resource))].toSorted(),
        [...known.keys()].toSorted(),
        'every resource is watched again',
      );
      for (const watch of watches) assert.match(watch.parameters['resourceVersion'] ?? '', /^[1-9]\d*$/);
      for (const { resource, lists } of await resources()) assert.equal(lists, known.get(resource), resource);
      assert.deepEqual(newlyTold(), [`removal pod shop/${leaves}`, `upsert pod shop/${arrives}`]);
      assert.equal(subscriber.resets, 1);
      await story.assertWholeState(digger);
    });
  }

  it('lists again, as a difference, when the server has forgotten its versions meanwhile', async () => {
    const leaves = `leaves-${host}`;
    story.createPod(leaves, host++);
    await untilTold(subscriber, [`upsert pod shop/${leaves}`]);
    told = subscriber.changesAfterSnapshot.length;

    story.simulator.refuseConnections();
    story.simulator.cutConnections();
    story.deletePod(leaves);
    story.simulator.cluster.patch('pods', 'shop', 'changes', { metadata: { labels: { round: String(host) } } });
    // Moves on every resource's version, so that none can go on from its own.
    story.simulator.cluster.advanceResourceVersion(10);
    story.simulator.cluster.compact();
    await story.simulator.acceptConnections();

    await untilTold(subscriber, [`removal pod shop/${leaves}`]);
    await untilFresh(digger);
    assert.notEqual(listsAsked().length, 0, 'it had to list');
    assert.deepEqual(newlyTold(), [`removal pod shop/${leaves}`, 'upsert pod shop/changes']);
    assert.equal(subscriber.resets, 1);
    await story.assertWholeState(digger);
  });

  it('says nothing to subscribers when all watches expire and nothing has changed', async () => {
    story.simulator.cluster.advanceResourceVersion(10);
    story.simulator.cluster.compact();
    story.simulator.sendError(410);
    await eventually('everything was listed again', () => {
      const listed = new Set(listsAsked().map(({ resource }) => resource));
      return listed.has('pods') && listed.has('services') && listed.has('deployments.apps')
        ? done(undefined)
        : notYet([...listed]);
    });
    await untilFresh(digger);
    await story.assertWholeState(digger);
    assert.deepEqual(newlyTold(), []);
  });

  it('survives bytes that mean nothing, errors in mid-stream and watches that end at once', async () => {
    story.simulator.sendCorruptFrame('pods');
    story.simulator.sendError(500, 'services');
    story.simulator.sendError(429, 'nodes');
    story.simulator.endWatches('endpointslices');
    story.createPod(`late-${host}`, host++);
    await untilTold(subscriber, [`upsert pod shop/late-${host - 1}`]);
    await untilFresh(digger);
    assert.deepEqual(listsAsked(), []);
    await story.assertWholeState(digger);
    await subscriber.untilEqual(story.readLists);
  });

  /** Requests of digger (the observer asks as another client) that read a resource from its beginning. */
  function listsAsked(): readonly LoggedRequest[] {
    return story.simulator.requests
      .entries()
      .filter(
        ({ verb, accept, parameters }) =>
          accept.includes('protobuf') &&
          ((verb === 'list' && !isCheck(parameters)) || parameters['sendInitialEvents'] === 'true'),
      );
  }

  function newlyTold(): readonly string[] {
    return [...new Set(subscriber.changesAfterSnapshot.slice(told))].toSorted();
  }

  async function resources(): Promise<readonly Message[]> {
    return (await digger.call('StatusService', 'GetStatus'))['resources'];
  }
});

/** Whether the server has reached the version from which a watch is to go on: a list of one object tells. */
function isCheck(parameters: Readonly<Record<string, string>>): boolean {
  return parameters['limit'] === '1' && parameters['resourceVersionMatch'] === 'NotOlderThan';
}
