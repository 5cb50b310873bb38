// Zone and region of a node are those of its pods, for lookups and for subscribers of the pods alone.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Message } from '../observers/digger-client.ts';
import { done, eventually, notYet } from '../observers/eventually.ts';
import { FeedCopy } from '../observers/feed-copy.ts';
import { Story } from './story.ts';

describe('where pods are', () => {
  it('follows their node: one change of each pod on it, none of others, and resumed subscribers hear of it too', async () => {
    await using story = await Story.begin();
    const digger = await story.startReadyDigger();
    const request = { view: 'VIEW_BASIC', filter: { kinds: ['ENTITY_KIND_POD'] } };
    const copy = new FeedCopy(digger, request);
    await copy.untilSynced();
    const lists = await story.readLists();
    const onNode = lists.pods.filter(({ spec }) => spec?.nodeName === 'worker-1').map(({ metadata }) => metadata?.name);
    assert.ok(onNode.length > 3, `${onNode.length} pods`);
    const token = copy.resumeToken;

    const { cluster } = story.simulator;
    const [node] = cluster.list('nodes').filter(({ metadata }) => metadata.name === 'worker-1');
    assert.ok(node !== undefined);
    const labels = { ...node.metadata.labels, 'topology.kubernetes.io/zone': 'elsewhere-1' };
    cluster.update('nodes', { ...node, metadata: { ...node.metadata, labels } });

    const zonesOf = (frames: readonly Message[]): ReadonlyMap<string, string> =>
      new Map(
        frames.flatMap((frame) =>
          ((frame['changes']?.['changes'] ?? []) as Message[])
            .filter((change) => change['upsert']?.['pod']?.['zone'] === 'elsewhere-1')
            .map((change) => [change['upsert']['pod']['name'], change['upsert']['pod']['zone']] as const),
        ),
      );
    const told = await eventually('subscribers of pods are told', () => {
      const zones = zonesOf(copy.frames);
      return zones.size === onNode.length ? done(zones) : notYet([...zones.keys()]);
    });
    assert.deepEqual([...told.keys()].toSorted(), onNode.toSorted());
    assert.equal(copy.changesAfterSnapshot.length, onNode.length, copy.changesAfterSnapshot.join('\n'));

    const resumed = new FeedCopy(digger, { ...request, resumeToken: token });
    await resumed.untilSynced();
    assert.equal(resumed.resets, 0);
    assert.equal(zonesOf(resumed.frames).size, onNode.length);
    copy.close();
    resumed.close();
    await story.assertWholeState(digger);
  });
});
