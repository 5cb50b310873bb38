// Subscribers that take nothing: what they cost, how they end, and what becomes of their connections.

import assert from 'node:assert/strict';
import { constants } from 'node:http2';
import { describe, it } from 'node:test';
import { END_STREAM, FRAME, initialWindow, onFrames, open, watchCall, windowUpdate } from '../../hostile/raw-http2.ts';
import { counter, openAndReadNothing, openStream, start, untilGone } from '../feed-serving.ts';
import { eventually } from '../serving.ts';

const WEB = { kind: 'Pod', namespace: 'shop', name: 'web-0', nodeName: 'node-a', labels: { app: 'web' } } as const;

describe('subscribers that read nothing', () => {
  const STALLED = 20;

  it('cost a bounded amount, delay no other, and are gone after the stall timeout', async (t) => {
    const { cluster, feed, serving, watch, registry, skip, untilConnections } = await start(t, {}, 200);
    for (let index = 0; index < 200; index++) cluster.set({ ...WEB, name: `web-${index}`, ballast: 5_000 });
    const stalled = Array.from({ length: STALLED }, () => openAndReadNothing(t, serving.target));
    await eventually(
      () => feed.stats().subscribers === STALLED,
      () => `${feed.stats().subscribers} subscribers`,
    );
    const healthy = watch({});
    await healthy.until(() => healthy.consumer.synced);

    // 20 MB of changes pass by; the healthy one sees each of them.
    for (let revision = 1; revision <= 20; revision++) {
      for (let index = 0; index < 200; index++) {
        cluster.set({ ...WEB, name: `web-${index}`, ballast: 5_000, labels: { revision: String(revision) } });
      }
      const current = () =>
        [...healthy.consumer.copy.values()].every((pod) => pod.labels?.['revision'] === `${revision}`);
      await healthy.until(current);
    }
    assert.equal(feed.stats().subscribers, STALLED + 1, 'no subscription was ended yet');
    // A window of HTTP/2 (64 KiB) and a frame that waits (64 KiB and one entity), for each.
    const sent = await counter(registry, 'digger_feed_bytes_total');
    const toStalled = sent - healthy.received();
    assert.ok(toStalled <= STALLED * 2 * 72 * 1024, `${toStalled} bytes were handed to ${STALLED} stalled subscribers`);

    skip(60_000);
    await eventually(
      () => feed.stats().subscribers === 1,
      () => `${feed.stats().subscribers} subscribers`,
    );
    await eventually(
      () => serving.server.openCalls === 1,
      () => `${serving.server.openCalls} open calls`,
    );
    for (const { stream, session } of stalled) {
      await eventually(
        () => stream.destroyed,
        () => 'a stalled stream lives on',
      );
      assert.equal(stream.rstCode, constants.NGHTTP2_ENHANCE_YOUR_CALM);
      await eventually(
        () => session.destroyed,
        () => 'a connection without calls lives on',
      );
    }
    await untilConnections(1);
    assert.equal(await counter(registry, 'digger_feed_subscribers_stalled_total'), STALLED);
    assert.equal(healthy.ended(), undefined);
  });

  it('keep their connection for the other calls on it, until the last has ended', async (t) => {
    const { cluster, feed, serving, untilConnections } = await start(t, { stallTimeoutMs: 300 }, 100);
    for (let index = 0; index < 100; index++) cluster.set({ ...WEB, name: `web-${index}`, ballast: 5_000 });
    const { stream, session } = openAndReadNothing(t, serving.target);
    const reading = openStream(session);
    let received = 0;
    reading.on('data', (chunk: Buffer) => {
      received += chunk.length;
    });
    await eventually(
      () => stream.destroyed,
      () => 'the stalled stream lives on',
    );
    assert.equal(stream.rstCode, constants.NGHTTP2_ENHANCE_YOUR_CALM);
    // Longer than the time after which a connection is looked at again.
    for (let round = 0; round < 5; round++) {
      const before = received;
      cluster.set({ ...WEB, revision: round });
      await eventually(
        () => received > before,
        () => 'nothing more came',
      );
      await new Promise((resolve) => setTimeout(resolve, 60));
    }
    assert.deepEqual([feed.stats().subscribers, session.destroyed], [1, false]);
    reading.close(constants.NGHTTP2_CANCEL);
    await untilConnections(0);
  });

  it('may be many on one connection', async (t) => {
    const warnings: Error[] = [];
    const note = (warning: Error): void => void warnings.push(warning);
    process.on('warning', note);
    t.after(() => process.off('warning', note));
    // Resets get half a second to arrive: what is left of the connection after that is destroyed, with the resets on it.
    const { cluster, feed, serving, untilConnections } = await start(t, { stallTimeoutMs: 300 }, 500);
    for (let index = 0; index < 100; index++) cluster.set({ ...WEB, name: `web-${index}`, ballast: 5_000 });
    const { session, stream } = openAndReadNothing(t, serving.target);
    // On the client's side they are as many as it likes.
    session.setMaxListeners(0);
    const streams = [stream, ...Array.from({ length: 49 }, () => openStream(session))];
    await eventually(
      () => feed.stats().subscribers === 50,
      () => `${feed.stats().subscribers} subscribers`,
    );
    await eventually(
      () => streams.every(({ destroyed }) => destroyed),
      () => `${streams.filter(({ destroyed }) => !destroyed).length} live on`,
    );
    for (const { rstCode } of streams) assert.equal(rstCode, constants.NGHTTP2_ENHANCE_YOUR_CALM);
    await untilConnections(0);
    assert.equal(serving.server.openCalls, 0);
    assert.deepEqual(warnings, []);
  });

  it('lose their connection when they do not even read their socket', async (t) => {
    const { cluster, feed, registry, serving, untilConnections } = await start(t, { stallTimeoutMs: 300 }, 100);
    for (let index = 0; index < 500; index++) cluster.set({ ...WEB, name: `web-${index}`, ballast: 5_000 });
    // All windows of HTTP/2 are open, but the socket is not read: neither a reset nor a GOAWAY gets through.
    const socket = open(serving.target);
    t.after(() => socket.destroy());
    socket.pause();
    const most = 2 ** 31 - 1;
    socket.write(Buffer.concat([initialWindow(most), windowUpdate(0, most - 65_535), watchCall()]));
    await eventually(
      () => feed.stats().subscribers === 1,
      () => 'not subscribed',
    );
    // What the system takes for it is some MB.
    const deadlineMs = Date.now() + 20_000;
    for (let revision = 0; feed.stats().subscribers > 0; revision++) {
      assert.ok(Date.now() < deadlineMs, 'still subscribed');
      for (let index = 0; index < 500; index++) {
        cluster.set({ ...WEB, name: `web-${index}`, ballast: 5_000, labels: { revision: String(revision) } });
      }
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    assert.equal(await counter(registry, 'digger_feed_subscribers_stalled_total'), 1);
    await eventually(
      () => serving.server.openCalls === 0,
      () => `${serving.server.openCalls} calls`,
    );
    await untilConnections(0);
  });

  it('get RESOURCE_EXHAUSTED when they read again in time', async (t) => {
    const { cluster, feed, serving } = await start(t, { stallTimeoutMs: 300 }, 60_000);
    for (let index = 0; index < 100; index++) cluster.set({ ...WEB, name: `web-${index}`, ballast: 5_000 });
    const { stream } = openAndReadNothing(t, serving.target);
    let status: unknown;
    stream.on('trailers', (trailers) => {
      status = trailers['grpc-status'];
    });
    await eventually(
      () => feed.stats().subscribers === 1,
      () => 'not subscribed',
    );
    await eventually(
      () => feed.stats().subscribers === 0,
      () => 'still subscribed',
    );
    stream.resume();
    await eventually(
      () => status !== undefined,
      () => 'no status',
    );
    assert.equal(String(status), '8');
  });

  it('lose their connection when they read again in time too, and do not close it themselves', async (t) => {
    const { cluster, feed, serving, untilConnections } = await start(t, { stallTimeoutMs: 300 }, 500);
    for (let index = 0; index < 100; index++) cluster.set({ ...WEB, name: `web-${index}`, ballast: 5_000 });
    const socket = open(serving.target, true, '127.0.0.1', true);
    t.after(() => socket.destroy());
    let hasStatus = false;
    onFrames(socket, ({ type, flags }) => {
      if (type === FRAME.headers && (flags & END_STREAM) !== 0) hasStatus = true;
    });
    socket.write(Buffer.concat([initialWindow(1), watchCall()]));
    await eventually(
      () => feed.stats().subscribers === 1,
      () => 'not subscribed',
    );
    await eventually(
      () => feed.stats().subscribers === 0,
      () => 'still subscribed',
    );
    socket.write(Buffer.concat([windowUpdate(0, 1_000_000), windowUpdate(1, 1_000_000)]));
    await eventually(
      () => hasStatus,
      () => 'no status',
    );
    await untilConnections(0);
  });

  it('are forgotten at once when they vanish', async (t) => {
    const { cluster, feed, serving } = await start(t);
    for (let index = 0; index < 100; index++) cluster.set({ ...WEB, name: `web-${index}`, ballast: 5_000 });
    const { session } = openAndReadNothing(t, serving.target);
    await eventually(
      () => feed.stats().subscribers === 1,
      () => 'not subscribed',
    );
    session.destroy();
    await untilGone({ feed, serving });
  });
});
