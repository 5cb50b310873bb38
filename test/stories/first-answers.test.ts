// The first story: digger starts beside a cluster, and after that knows what the cluster knows, at rest and in motion.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { DiggerProcess } from '../observers/digger-process.ts';
import { Story } from './story.ts';

describe('beside a cluster with workloads of every kind', () => {
  let story: Story;
  let digger: DiggerProcess;

  before(async () => {
    story = await Story.begin();
    digger = await story.startReadyDigger();
  });
  after(() => story?.end());

  it('answers who is behind an address: pod, services, node and workload', async () => {
    const { statefulPod, frontendClusterIp, nodeIp } = story.demo.wellKnown;
    const pod = await digger.resolve(statefulPod.ip);
    assert.equal(pod['outcome'], 'OUTCOME_RESOLVED');
    assert.equal(pod['pod']['name'], statefulPod.name);
    assert.equal(pod['workload']['kind'], 'StatefulSet');
    assert.equal((await digger.resolve(frontendClusterIp, 80))['service']['name'], 'frontend');
    assert.equal((await digger.resolve(nodeIp))['node']['name'], 'worker-1');
    assert.equal((await digger.resolve('192.0.2.200'))['outcome'], 'OUTCOME_EXTERNAL');
    assert.equal((await digger.resolve('10.244.1.253'))['outcome'], 'OUTCOME_UNASSIGNED');
  });

  it('knows everything that the API server lists, and nothing else', async () => {
    const compared = await story.assertWholeState(digger);
    // The comparison is worth as much as what it compared.
    assert.ok(compared.entities > 50 && compared.resolved > 100, JSON.stringify(compared));
  });

  it('keeps knowing it while rollouts, scalings, restarts and jobs go on', async () => {
    const subscriber = await story.subscribe(digger);
    const versionBefore = story.simulator.cluster.resourceVersion;
    // Two minutes of the demo's life, a few steps to a turn of the event loop, so that watches carry bursts.
    for (let step = 0; step < 120; step++) {
      story.demo.step();
      if (step % 3 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    const writes = Number(story.simulator.cluster.resourceVersion - versionBefore);
    assert.ok(writes > 200, `${writes} writes`);
    await story.assertWholeState(digger);
    assert.ok(subscriber.changesAfterSnapshot.length > 50, `${subscriber.changesAfterSnapshot.length} changes`);
    await subscriber.untilEqual(story.readLists);
    assert.equal(subscriber.resets, 1, 'a subscriber that keeps up never has to forget anything');
    subscriber.close();
  });
});
