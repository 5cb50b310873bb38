// Answers and the feed say which cluster they are about, and a consumer of one cluster cannot go on at another.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ServiceError } from '@grpc/grpc-js';
import { status } from '@grpc/grpc-js';
import { errorDetails } from '../observers/rpc-error.ts';
import { Story } from './story.ts';

const uidOf = (story: Story): string =>
  String(
    story.simulator.cluster.list('namespaces').find(({ metadata }) => metadata.name === 'kube-system')?.metadata.uid,
  );

describe('which cluster it is', () => {
  it('is in status, in every answer, in frames and in tokens, and tokens of another cluster are refused by name', async () => {
    await using east = await Story.begin();
    await using west = await Story.begin({ seed: 21 });
    const [inEast, inWest] = [
      await east.startReadyDigger('--cluster-name', 'east'),
      await west.startReadyDigger('--cluster-name', 'west'),
    ];
    const cluster = { name: 'east', uid: uidOf(east) };
    assert.match(cluster.uid, /^[0-9a-f-]{36}$/);
    const told = await inEast.call('StatusService', 'GetStatus', {});
    assert.deepEqual(told['cluster'], cluster);
    assert.equal(told['clusterMessage'], undefined);
    for (const address of [east.demo.wellKnown.statefulPod.ip, '192.0.2.1', '10.244.1.250']) {
      assert.deepEqual((await inEast.resolve(address))['cluster'], cluster, address);
    }
    const copy = await east.subscribe(inEast);
    for (const kind of ['reset', 'synced']) {
      assert.deepEqual(copy.frames.find((frame) => frame['frame'] === kind)?.['cluster'], cluster, kind);
    }
    assert.match(
      await inEast.metrics(),
      new RegExp(`^digger_cluster_info\\{name="east",uid="${cluster.uid}"\\} 1$`, 'm'),
    );

    const error = (await inWest.watch({ resumeToken: copy.resumeToken }).ended) as ServiceError;
    assert.equal(error.code, status.FAILED_PRECONDITION);
    assert.equal(error.details, `the resume token is of east (${cluster.uid}), this is west (${uidOf(west)})`);
    assert.deepEqual(errorDetails(error)['ErrorInfo']?.['metadata'], {
      token_cluster_name: 'east',
      token_cluster_uid: cluster.uid,
      cluster_name: 'west',
      cluster_uid: uidOf(west),
    });
    const again = inEast.watch({ resumeToken: copy.resumeToken, snapshotOnly: true });
    assert.equal(await again.ended, undefined);
    assert.ok(!again.frames.some((frame) => frame['frame'] === 'reset'));
  });

  it('is not known without the right to list kube-system: answers go without it, and status says why', async () => {
    await using story = await Story.begin();
    story.simulator.faults.answer({ resource: 'namespaces', code: 403, times: Number.POSITIVE_INFINITY });
    // Not "fresh" in the sense of other stories: namespaces are never listed.
    const digger = await story.startDigger();
    await digger.untilReady();
    const told = await digger.call('StatusService', 'GetStatus', {});
    assert.equal(told['ready'], true);
    assert.equal(told['cluster'], undefined);
    assert.match(told['clusterMessage'], /list the namespace kube-system: 403 Forbidden/);
    const { outcome, cluster } = await digger.resolve(story.demo.wellKnown.statefulPod.ip);
    assert.deepEqual([outcome, cluster], ['OUTCOME_RESOLVED', undefined]);
  });

  it('ends the process when another cluster answers at the address, so that nothing of the other is answered', async () => {
    await using story = await Story.begin();
    const digger = await story.startReadyDigger();
    const was = uidOf(story);
    story.simulator.refuseConnections();
    story.simulator.cutConnections();
    // As a cluster that is made anew under its name: everything is there as before, with other uids.
    story.simulator.cluster.delete('namespaces', '', 'kube-system');
    story.simulator.cluster.create('namespaces', { metadata: { name: 'kube-system' } });
    const is = uidOf(story);
    await story.simulator.acceptConnections();
    assert.deepEqual(await digger.ended, { code: 1, signal: null });
    assert.ok(
      digger.log.includes(`another cluster answers than before (uid of kube-system: ${is}, was ${was})`),
      digger.log,
    );
  });

  it('ends the process too where the watches ended in good order, and the next request meets another cluster', async () => {
    await using story = await Story.begin();
    const digger = await story.startReadyDigger();
    const was = uidOf(story);
    story.simulator.cluster.delete('namespaces', '', 'kube-system');
    story.simulator.cluster.create('namespaces', { metadata: { name: 'kube-system' } });
    const is = uidOf(story);
    // As a server does that is shut down, and a proxy in front of several: nothing is refused in between.
    story.simulator.endWatches();
    assert.deepEqual(await digger.ended, { code: 1, signal: null });
    assert.ok(
      digger.log.includes(`another cluster answers than before (uid of kube-system: ${is}, was ${was})`),
      digger.log,
    );
  });
});
