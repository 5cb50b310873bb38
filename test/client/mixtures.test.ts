// What a replica answers while it is on its way from one server's picture to another one's, and when what it is told
// was long on its way.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { status } from '@grpc/grpc-js';
import { connect, type Replica } from '../../src/client/replica.ts';
import { done, eventually, notYet } from '../observers/eventually.ts';
import { FakeFeed } from './fake-feed.ts';

const POD = '10.0.0.1';
const ENDED = '10.0.0.2';

const holder = (name: string, validFromMs: number, validToMs?: number) => ({
  ...{ kind: 1, namespace: 'shop', name, uid: `uid-${name}`, role: 1, validFromMs },
  ...(validToMs === undefined ? {} : { validToMs }),
});

const timeline = (address: string, fromMs: number, toMs?: number) => ({
  timeline: {
    place: { address },
    holders: [holder(address, fromMs, toMs)],
    spans: [{ fromMs, holders: [0], ...(toMs === undefined ? {} : { toMs }) }],
    inCluster: true,
  },
});

const progress = (ms: number) => ({
  progress: { serverTime: { seconds: Math.floor(ms / 1_000), nanos: (ms % 1_000) * 1e6 } },
});

describe('15.5 a replica between two pictures', () => {
  it('says of no moment that no object held the address while it takes up the picture of another server', async () => {
    const startMs = Date.now() - 60_000;
    let goOn = (): void => assert.fail('no second stream');
    let streams = 0;
    await using feed = await FakeFeed.start((stream) => {
      streams += 1;
      if (streams === 1) {
        // It was blind for a while, and knows no holder of that time.
        const blind = [{ sinceMs: startMs + 10_000, untilMs: startMs + 20_000 }];
        const facts = { facts: { beganMs: startMs, historyMs: 6e5, blind } };
        const changes = [facts, timeline(POD, startMs), timeline(ENDED, startMs, startMs + 5_000)];
        for (const frame of [{ reset: { reason: 1 } }, { changes: { changes } }, { synced: {} }]) stream.send(frame);
        stream.send({ ...progress(Date.now()), resumeToken: Buffer.from('first') });
        stream.fail(status.UNAVAILABLE, 'going');
        return;
      }
      // The other one was not, and tells its own facts first.
      stream.send({ changes: { changes: [{ facts: { beganMs: startMs, historyMs: 6e5 } }] } });
      goOn = () => {
        stream.send({ changes: { changes: [timeline(ENDED, startMs, startMs + 30_000)] } });
        stream.send({ synced: {} });
      };
    });
    const changes: string[] = [];
    using replica = connect({ targets: [feed.address], random: () => 0, heartbeatMs: 30_000 });
    replica.on('change', ({ hasFacts }) => changes.push(`${hasFacts}`));
    await replica.ready();
    const past = { address: ENDED, at: startMs + 15_000 };
    assert.equal(replica.resolve(past).outcome, 'UNKNOWN', 'the first one did not see it');
    await eventually('facts of the other one', () => (changes.includes('true') ? done(undefined) : notYet(changes)));
    assert.equal(replica.resolve(past).outcome, 'UNKNOWN');
    const lasting = replica.resolve({ address: POD });
    assert.deepEqual([lasting.outcome, lasting.uncertain], ['RESOLVED', true]);
    assert.ok((replica.staleness ?? -1) >= 0, 'it says how old the picture is');
    goOn();
    await eventually('it is complete', () => (replica.staleness === undefined ? done(undefined) : notYet(replica.use)));
    assert.equal(replica.resolve(past).outcome, 'RESOLVED');
    assert.equal(replica.resolve({ address: POD }).uncertain, false);
  });

  it('takes what a server said long ago for old, and not for the time of day', async () => {
    const startMs = Date.now() - 60_000;
    let send: (frame: object) => void = () => assert.fail('no stream');
    await using feed = await FakeFeed.start((stream) => {
      ({ send } = stream);
      const changes = [{ facts: { beganMs: startMs, historyMs: 6e5 } }, timeline(POD, startMs)];
      for (const frame of [{ reset: { reason: 1 } }, { changes: { changes } }, { synced: {} }]) stream.send(frame);
      stream.send(progress(Date.now()));
    });
    using replica = connect({ targets: [feed.address], heartbeatMs: 1_000 });
    await replica.ready();
    await heardOf(replica);
    assert.equal(replica.resolve({ address: POD }).uncertain, false);
    // It waited on its way for 20 s.
    send(progress(Date.now() - 20_000));
    await eventually('it is old', () =>
      (replica.staleness ?? 0) > 15_000 ? done(undefined) : notYet(replica.staleness),
    );
    const now = replica.resolve({ address: POD, at: Date.now() });
    assert.deepEqual([now.outcome, now.uncertain], ['RESOLVED', true]);
    const before = replica.resolve({ address: POD, at: Date.now() - 25_000 });
    assert.equal(before.uncertain, false, 'what was heard of is certain');
    send(progress(Date.now()));
    await eventually('it is new', () =>
      replica.staleness === undefined ? done(undefined) : notYet(replica.staleness),
    );
  });
});

async function heardOf(replica: Replica): Promise<void> {
  await eventually('frames', () => (replica.staleness === undefined ? done(undefined) : notYet(replica.staleness)));
}
