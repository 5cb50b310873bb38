// Two replicas of one cluster, replaced one after the other while they are used: a caller that retries and a consumer
// that reconnects notice nothing but a little time.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { DiggerProcess } from '../observers/digger-process.ts';
import { done, eventually, notYet } from '../observers/eventually.ts';
import { Churn, LookupLoad, RoamingCopy } from './load.ts';
import { Story } from './story.ts';

describe('a rolling restart of two replicas under load', () => {
  it('fails no lookup of a caller that retries, and loses no change of a consumer that reconnects', async () => {
    await using story = await Story.begin();
    const replicas: DiggerProcess[] = [await story.startDigger(), await story.startDigger()];
    for (const replica of replicas) await replica.untilReady();
    const addresses = replicas.map(({ address }) => address);
    // One that holds still, and one that no object holds: each has one right answer all the time.
    const questions = [story.demo.wellKnown.statefulPod.ip, '192.0.2.1'];
    await using load = new LookupLoad(addresses, questions, 8, true);
    await using there = new RoamingCopy(addresses);
    await using back = new RoamingCopy(addresses.toReversed());
    const consumers = [there, back];
    for (const consumer of consumers) await consumer.untilEqual(story.readLists);
    using churn = new Churn(() => story.demo.step());
    await load.untilAnswered(200);

    let host = 201;
    for (const [index, replica] of replicas.entries()) {
      story.createPod(`before-${index}`, host++);
      replica.terminate();
      assert.deepEqual(await replica.ended, { code: 0, signal: null }, replica.log);
      story.createPod(`between-${index}`, host++);
      story.deletePod(`before-${index}`);
      // As a rollout does: the next one goes only when this one is ready again.
      const successor = await story.startReadyDigger('--listen', replica.address);
      replicas[index] = successor;
      await load.untilAnswered(200);
    }

    await eventually('the cluster has changed enough', () =>
      churn.steps > 50 ? done(undefined) : notYet(churn.steps),
    );
    churn.stop();
    story.demo.settle();
    await load.untilAnswered(200);
    await load.stop();
    assert.deepEqual(load.failures, [], `of ${load.ends.length} lookups`);
    // A replica whose lists took longer than a second is behind for the two that follow: then it knows of no holder,
    // and says both.
    const isHonest = (end: (typeof load.ends)[number]): boolean =>
      end.ok && end.outcome === 'OUTCOME_UNKNOWN' && end.isBehind;
    const outcomes = new Set(load.ends.filter((end) => !isHonest(end)).map((end) => (end.ok ? end.outcome : 'failed')));
    assert.deepEqual([...outcomes].toSorted(), ['OUTCOME_EXTERNAL', 'OUTCOME_RESOLVED']);
    for (const consumer of consumers) {
      await consumer.untilEqual(story.readLists);
      assert.ok(consumer.ends.length > 0, 'no stream of it was ever closed');
      assert.ok(
        consumer.resets.slice(1).every((reason) => reason === 'RESET_REASON_OTHER_EPOCH'),
        consumer.resets.join(', '),
      );
      await consumer.stop();
    }
    for (const replica of replicas) await story.assertWholeState(replica);
  });
});
