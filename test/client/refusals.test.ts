// Servers that do not give a replica what it asks for.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { status } from '@grpc/grpc-js';
import { connect } from '../../src/client/replica.ts';
import { done, eventually, notYet } from '../observers/eventually.ts';
import { FakeFeed } from './fake-feed.ts';

const FACTS = { facts: { beganMs: 0, historyMs: 1e12, rangesCompleteIpv4: true } };
const WHOLE = [{ reset: { reason: 1 } }, { changes: { changes: [FACTS] } }, { synced: {} }];

describe('15.5 a replica', () => {
  it('asks no more, and is never ready, when every server refuses the request itself', async () => {
    let streams = 0;
    await using feed = await FakeFeed.start((stream) => {
      streams += 1;
      stream.fail(status.FAILED_PRECONDITION, 'TIMELINES_HIDDEN');
    });
    using replica = connect({ targets: [feed.address] });
    await assert.rejects(replica.ready(), /FAILED_PRECONDITION: TIMELINES_HIDDEN/);
    assert.equal(streams, 1);
  });

  it('asks on when a server refuses what it has served before', async () => {
    let streams = 0;
    await using feed = await FakeFeed.start((stream) => {
      streams += 1;
      if (streams > 1 && streams < 4) {
        stream.fail(status.FAILED_PRECONDITION, 'TIMELINES_HIDDEN');
        return;
      }
      for (const frame of WHOLE) stream.send(frame);
      if (streams === 1) stream.fail(status.UNAVAILABLE, 'going');
    });
    let synced = 0;
    const failures: boolean[] = [];
    using replica = connect({ targets: [feed.address], random: () => 0 });
    replica.on('synced', () => synced++).on('failover', ({ isFinal }) => failures.push(isFinal));
    await eventually('it is served again', () => (synced === 2 ? done(undefined) : notYet({ streams, failures })));
    assert.deepEqual(failures, [false, false, false]);
  });

  it('goes on to a server that serves it, past one that refuses', async () => {
    await using other = await FakeFeed.start((stream) => stream.fail(status.UNIMPLEMENTED, 'no such method'));
    await using feed = await FakeFeed.start((stream) => {
      for (const frame of WHOLE) stream.send(frame);
    });
    using replica = connect({ targets: [other.address, feed.address], random: () => 0 });
    await replica.ready();
    assert.equal(replica.target, feed.address);
  });

  it('does not take the picture of a server that is too old to send timelines', async () => {
    await using feed = await FakeFeed.start((stream) => {
      stream.send({ reset: { reason: 1 } });
      stream.send({ synced: {} });
    });
    const failures: string[] = [];
    using replica = connect({ targets: [feed.address] });
    replica.on('failover', ({ message }) => failures.push(message));
    await eventually('it says why', () => (failures.length > 0 ? done(undefined) : notYet(replica.target)));
    assert.match(failures[0] ?? '', /the server sends no timelines/);
    assert.equal(replica.resolve({ address: '192.0.2.1' }).unready, 'NOT_READY');
  });

  it('goes on from the token of the last frame that it took', async () => {
    const tokens: unknown[] = [];
    await using feed = await FakeFeed.start((stream) => {
      tokens.push(stream.request['resumeToken']);
      if (tokens.length > 1) {
        stream.send({ synced: {}, resumeToken: Buffer.from('second') });
        return;
      }
      for (const frame of WHOLE) stream.send({ ...frame, resumeToken: Buffer.from('first') });
      stream.fail(status.UNAVAILABLE, 'going');
    });
    let synced = 0;
    using replica = connect({ targets: [feed.address], random: () => 0 });
    replica.on('synced', () => synced++);
    await eventually('it is back', () => (synced === 2 ? done(undefined) : notYet(synced)));
    assert.deepEqual(tokens.map(String), ['undefined', 'first']);
    assert.equal(replica.resolve({ address: '192.0.2.1' }).outcome, 'EXTERNAL');
  });
});
