// A replica in a sensor's process, beside real services: it answers as they do, goes over to another one when its own
// ends, and says how old its picture is when there is none left.
import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import type { Answer, Holder } from '../../src/client/answer.ts';
import { connect, QuestionError, type Replica } from '../../src/client/index.ts';
import type { DiggerProcess } from '../observers/digger-process.ts';
import type { Message } from '../observers/digger-client.ts';
import { done, eventually, notYet } from '../observers/eventually.ts';
import { createRandom } from '../random.ts';
import { Churn } from './load.ts';
import { Story } from './story.ts';

describe('15.5 a replica in the process of a sensor', () => {
  const replicas: Replica[] = [];
  afterEach(() => {
    for (const replica of replicas.splice(0)) replica.close();
  });
  const connected = (...targets: readonly string[]): Replica => {
    const replica = connect({ targets, heartbeatMs: 1_000 });
    replicas.push(replica);
    return replica;
  };

  it('answers as the service does, for any address, port and moment, while the cluster changes and after', async () => {
    await using story = await Story.begin();
    const digger = await story.startReadyDigger();
    const replica = connected(digger.address);
    await replica.ready();
    using churn = new Churn(() => story.demo.step());
    await eventually('the cluster has changed', () => (churn.steps > 40 ? done(undefined) : notYet(churn.steps)));
    churn.stop();
    story.demo.settle();
    await story.assertWholeState(digger);
    await assertEqualAnswers(replica, digger);
  });

  it('knows nothing before its first picture, and says so', async () => {
    await using story = await Story.begin();
    const digger = await story.startReadyDigger();
    const replica = connected(digger.address);
    const early = replica.resolve({ address: story.demo.wellKnown.statefulPod.ip });
    assert.deepEqual([early.outcome, early.unready], ['UNKNOWN', 'NOT_READY']);
    assert.equal(replica.staleness, Number.POSITIVE_INFINITY);
    await replica.ready();
    const later = replica.resolve({ address: story.demo.wellKnown.statefulPod.ip });
    assert.deepEqual([later.outcome, later.unready], ['RESOLVED', undefined]);
    assert.throws(() => replica.resolve({ address: 'web' }), QuestionError);
    assert.throws(() => replica.resolve({ address: '10.0.0.1', port: 70_000 }), /port: got 70000; allowed: 1 to 65535/);
  });

  it('goes over to another service with its token, and without any says how old its picture is', async () => {
    await using story = await Story.begin();
    const diggers = [await story.startReadyDigger(), await story.startReadyDigger()];
    // The one that began first: the other one knows less of the past.
    const replica = connect({ targets: diggers.map(({ address }) => address), heartbeatMs: 1_000, random: () => 0 });
    replicas.push(replica);
    await replica.ready();
    const resets: string[] = [];
    let synced = 0;
    replica.on('reset', ({ reason }) => resets.push(reason)).on('synced', () => synced++);
    const [first, second] = diggers;
    assert.equal(replica.target, first?.address);
    await first?.stop();
    const ip = story.createPod('between', 210);
    await eventually('it follows the other one', () => (synced > 0 ? done(undefined) : notYet(replica.target)));
    assert.equal(replica.target, second?.address);
    assert.deepEqual(resets, [], 'the token was good there');
    await eventually('it knows what happened between', () => {
      const { outcome, holder } = replica.resolve({ address: ip });
      return outcome === 'RESOLVED' && holder?.name === 'between' ? done(undefined) : notYet(outcome);
    });
    await story.assertWholeState(second ?? assert.fail());
    await assertEqualAnswers(replica, second ?? assert.fail());

    await second?.stop();
    const { ip: known } = story.demo.wellKnown.statefulPod;
    await eventually('it says that its picture is old', () => {
      const { staleness, uncertain } = replica.resolve({ address: known });
      return staleness !== undefined && uncertain ? done(undefined) : notYet(staleness);
    });
    const { outcome, holder, uncertain } = replica.resolve({ address: known });
    assert.deepEqual([outcome, holder?.uid !== '', uncertain], ['RESOLVED', true, true]);
    assert.equal(replica.resolve({ address: '192.0.2.77' }).outcome, 'UNKNOWN', 'not "held by no object"');
  });

  it('leaves out what exceeds its bounds, says so, and calls nothing unheld that it left out', async () => {
    await using story = await Story.begin();
    const digger = await story.startReadyDigger();
    const replica = connect({ targets: [digger.address], bounds: { maxTimelines: 5, maxEntities: 7 } });
    replicas.push(replica);
    await replica.ready();
    assert.equal(replica.use.timelines, 5);
    assert.equal(replica.use.entities, 7);
    assert.ok(replica.use.leftOutTimelines > 0);
    assert.ok(replica.use.leftOutEntities > 0);
    assert.equal(replica.resolve({ address: '192.0.2.77' }).outcome, 'UNKNOWN');
  });
});

/** What both say of everything that lists know, and of moments and ports around it. */
async function assertEqualAnswers(replica: Replica, digger: DiggerProcess): Promise<void> {
  const random = createRandom(7);
  const addresses = [...new Set(await addressesOf(digger))];
  assert.ok(addresses.length > 30);
  addresses.push('192.0.2.77', '10.96.255.254', '127.0.0.1', '8.8.8.8');
  await eventually('the replica answers as the service', async () => {
    const nowMs = Date.now();
    const queries = addresses.flatMap((address) =>
      Array.from({ length: 6 }, () => {
        const at = nowMs - random.between(0, 20_000);
        return {
          address,
          ...(random.chance(0.5) ? { port: random.pick([22, 53, 80, 443, 8080, 30_080]) } : {}),
          at,
          ...(random.chance(0.3) ? { until: at + random.between(0, Math.min(5_000, nowMs - at)) } : {}),
        };
      }),
    );
    const differing: unknown[] = [];
    for (let from = 0; from < queries.length; from += 500) {
      const batch = queries.slice(from, from + 500);
      const { results } = await digger.call('LookupService', 'BatchResolveAddresses', {
        queries: batch.map(({ at, until, ...query }) => ({
          ...query,
          at: timestamp(at),
          ...(until === undefined ? {} : { until: timestamp(until) }),
        })),
      });
      for (const [index, query] of batch.entries()) {
        const wanted = shownResolution((results as readonly Message[])[index]?.['resolution']);
        const given = shownAnswer(replica.resolve(query));
        if (JSON.stringify(given) !== JSON.stringify(wanted)) differing.push({ query, wanted, given });
      }
    }
    return differing.length === 0 ? done(undefined) : notYet(JSON.stringify(differing.slice(0, 3), undefined, 1));
  });
}

async function addressesOf(digger: DiggerProcess): Promise<readonly string[]> {
  const subscription = digger.watch({ snapshotOnly: true });
  await eventually('a snapshot', () => {
    const isWhole = subscription.frames.some((frame) => frame['frame'] === 'synced');
    return isWhole ? done(undefined) : notYet(subscription.frames.length);
  });
  return subscription.frames.flatMap((frame) =>
    ((frame['changes']?.['changes'] ?? []) as readonly Message[]).flatMap(({ upsert }) => {
      const { pod, service, node } = (upsert ?? {}) as Readonly<Record<string, Message | undefined>>;
      return [
        ...((pod?.['addresses'] ?? []) as string[]),
        ...((service?.['clusterAddresses'] ?? []) as string[]),
        ...((service?.['loadBalancerAddresses'] ?? []) as string[]),
        ...((node?.['addresses'] ?? []) as { type: string; address: string }[])
          .filter(({ type }) => type.endsWith('IP'))
          .map(({ address }) => address),
      ];
    }),
  );
}

function shownAnswer({ outcome, holder, candidates, workload, uncertain }: Answer): unknown[] {
  return [outcome, holder && shownHolder(holder), candidates.map(shownHolder), workload?.uid ?? '', uncertain];
}

function shownHolder({ uid, role, validFrom, validTo, uncertain }: Holder): unknown[] {
  return [uid, role, validFrom, validTo ?? 0, uncertain];
}

function shownResolution(resolution: Message): unknown[] {
  const { outcome, candidates = [], workload, uncertain } = resolution;
  const isResolved = outcome === 'OUTCOME_RESOLVED';
  return [
    String(outcome).replace('OUTCOME_', ''),
    isResolved ? shownCandidate(resolution) : undefined,
    (candidates as readonly Message[]).map(shownCandidate),
    workload?.['uid'] ?? '',
    uncertain === true,
  ];
}

function shownCandidate(candidate: Message): unknown[] {
  const { pod, service, node, externalEndpoint, role, validFrom, validTo, uncertain } = candidate;
  const target = pod ?? service ?? node ?? externalEndpoint?.['service'];
  return [
    target?.['uid'],
    String(role).replace('ADDRESS_ROLE_', ''),
    milliseconds(validFrom),
    milliseconds(validTo),
    uncertain === true,
  ];
}

function milliseconds(moment: Message | undefined | null): number {
  return moment ? Number(moment['seconds']) * 1_000 + Math.round(Number(moment['nanos'] ?? 0) / 1e6) : 0;
}

function timestamp(ms: number): Message {
  return { seconds: Math.floor(ms / 1_000), nanos: (ms % 1_000) * 1e6 };
}
