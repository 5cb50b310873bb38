// Subscribers are bounded in number and in patience: one too many is told so, and one that takes nothing is let go.
// Neither costs the others anything.
import assert from 'node:assert/strict';
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2';
import { describe, it } from 'node:test';
import { status } from '@grpc/grpc-js';
import { done, eventually, notYet } from '../observers/eventually.ts';
import { metric } from '../hostile/bystanders.ts';
import { RawSubscriber } from '../hostile/raw-subscriber.ts';
import { decodeDetails, errorDetails } from '../observers/rpc-error.ts';
import { Story, untilTold } from './story.ts';
import { callHeaders, prefixed } from '../observers/raw-call.ts';

describe('a replica for one subscriber', () => {
  it('refuses the second with TOO_MANY_SUBSCRIBERS, and takes it when the first has gone', async () => {
    await using story = await Story.begin();
    const digger = await story.startReadyDigger('--max-subscribers', '1');
    const first = await story.subscribe(digger);
    const second = digger.watch();
    const error = await second.ended;
    assert.equal(error?.code, status.RESOURCE_EXHAUSTED, String(error));
    const { ErrorInfo, RetryInfo } = errorDetails(error);
    assert.deepEqual(ErrorInfo, {
      reason: 'TOO_MANY_SUBSCRIBERS',
      domain: 'digger',
      metadata: { limit: '1', of: 'replica' },
    });
    assert.ok(RetryInfo?.['retry_delay'], 'says when to ask again');
    assert.deepEqual(second.frames, []);

    story.createPod('meanwhile', 201);
    await untilTold(first, ['upsert pod shop/meanwhile']);
    first.close();
    const third = await eventually('there is room again', async () => {
      const subscription = digger.watch({ snapshotOnly: true });
      const refusal = await subscription.ended;
      return refusal ? notYet(String(refusal)) : done(subscription);
    });
    assert.equal(third.frames.at(-1)?.['frame'], 'synced');
    await story.assertWholeState(digger);
  });
});

describe('a caller with as many subscriptions as it may have', () => {
  it('is refused another with TOO_MANY_SUBSCRIBERS, and others are served', async () => {
    await using story = await Story.begin();
    const digger = await story.startReadyDigger('--max-subscribers-per-caller', '2');
    const [first] = [await story.subscribe(digger), await story.subscribe(digger)];
    const third = digger.watch();
    const error = await third.ended;
    assert.equal(error?.code, status.RESOURCE_EXHAUSTED, String(error));
    const { ErrorInfo, RetryInfo } = errorDetails(error);
    const metadata = { limit: '2', of: 'caller', caller: 'address:127.0.0.1' };
    assert.deepEqual(ErrorInfo, { reason: 'TOO_MANY_SUBSCRIBERS', domain: 'digger', metadata });
    assert.ok(RetryInfo?.['retry_delay'], 'says when to ask again');
    {
      using other = new RawSubscriber(digger.address, { from: '127.0.0.2' });
      other.read();
      await eventually('another caller gets the picture', () =>
        other.bytes > 0 ? done(undefined) : notYet(other.end),
      );
      assert.equal(await metric(digger, 'digger_feed_subscribers'), 3);
      assert.equal(await metric(digger, 'digger_feed_subscribers_of_busiest_caller'), 2);
    }
    const counted = await digger.metrics();
    assert.match(counted, /^digger_feed_subscriptions_refused_total\{limit="caller"\} 1$/m);
    first?.close();
    const fourth = await eventually('there is room again', async () => {
      const subscription = digger.watch({ snapshotOnly: true });
      const refusal = await subscription.ended;
      return refusal ? notYet(String(refusal)) : done(subscription);
    });
    assert.equal(fourth.frames.at(-1)?.['frame'], 'synced');
    await story.assertWholeState(digger);
  });
});

describe('a subscriber that takes nothing', () => {
  it('is ended with SUBSCRIBER_STALLED, and the others hear every change', async () => {
    // Much more than flow control lets through to a caller that does not read (64 kB a stream).
    await using story = await Story.begin({
      arrange: (simulator) => {
        for (let index = 0; index < 1_000; index++) {
          simulator.cluster.create('services', {
            metadata: { namespace: 'bulk', name: `service-${index}`, annotations: { text: 'x'.repeat(1_000) } },
            spec: { type: 'ClusterIP', clusterIP: 'None', clusterIPs: ['None'], ports: [] },
          });
        }
      },
    });
    const digger = await story.startReadyDigger('--subscriber-stall-timeout', '1s');
    const reader = await story.subscribe(digger);
    // 64-bit numbers come as text.
    const subscribers = async (): Promise<string> => (await digger.call('StatusService', 'GetStatus'))['subscribers'];
    const trailers = await eventually('a stalled subscriber takes its status', async () => {
      using stalled = new StalledSubscriber(digger.address);
      await eventually('both are there', async () =>
        (await subscribers()) === '2' ? done(undefined) : notYet(await subscribers()),
      );
      await eventually('the stalled one is let go', async () =>
        (await subscribers()) === '1' ? done(undefined) : notYet(await subscribers()),
      );
      // Who does not take the status either is reset some seconds later: on a busy machine that may come first.
      const end = await stalled.readToTheEnd();
      return end === 'reset' ? notYet(end) : done(end);
    });
    assert.equal(Number(trailers['grpc-status']), status.RESOURCE_EXHAUSTED, JSON.stringify(trailers));
    const details = Buffer.from(String(trailers['grpc-status-details-bin']), 'base64');
    assert.equal(decodeDetails(details)['ErrorInfo']?.['reason'], 'SUBSCRIBER_STALLED');

    story.createPod('meanwhile', 201);
    await untilTold(reader, ['upsert pod shop/meanwhile']);
    assert.equal(reader.resets, 1);
    await reader.untilEqual(story.readLists);
    await story.assertWholeState(digger);
  });
});

/** Below gRPC libraries, which read ahead for their callers: opens the feed and takes nothing until asked to. */
class StalledSubscriber implements Disposable {
  readonly #session: ClientHttp2Session;
  readonly #stream: ClientHttp2Stream;
  readonly #end: Promise<Readonly<Record<string, unknown>> | 'reset'>;

  constructor(address: string) {
    this.#session = connect(`http://${address}`);
    this.#stream = this.#session.request(callHeaders('/digger.v1.ChangeFeedService/Watch'));
    this.#end = new Promise((resolve) => {
      this.#stream.once('trailers', resolve);
      this.#stream.once('error', () => resolve('reset'));
      this.#stream.once('close', () => resolve('reset'));
    });
    this.#stream.end(prefixed());
  }

  /** What the stream ends with. */
  readToTheEnd(): Promise<Readonly<Record<string, unknown>> | 'reset'> {
    this.#stream.resume();
    return this.#end;
  }

  [Symbol.dispose](): void {
    this.#session.destroy();
  }
}
