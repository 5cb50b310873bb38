// Ends of a process that is busy: asked for, asked for twice, and not asked for at all.
import assert from 'node:assert/strict';
import { type ClientHttp2Stream, connect } from 'node:http2';
import { describe, it } from 'node:test';
import { status } from '@grpc/grpc-js';
import { done, eventually, notYet } from '../observers/eventually.ts';
import { Churn, LookupLoad, reasonOf, RoamingCopy } from './load.ts';
import { Story } from './story.ts';
import { callHeaders } from '../observers/raw-call.ts';

const CALLERS = 16;
const SUBSCRIBERS = 8;

describe('a digger that is asked to end under load', () => {
  it('cuts no lookup, closes every stream as planned, and exits with 0 within its time', async () => {
    await using story = await Story.begin();
    const digger = await story.startReadyDigger('--drain-timeout', '20s');
    const subscribers = Array.from({ length: SUBSCRIBERS }, () => digger.watch());
    await eventually('every subscriber has its snapshot', () => {
      const synced = subscribers.filter(({ frames }) => frames.some((frame) => frame['frame'] === 'synced'));
      return synced.length === SUBSCRIBERS ? done(undefined) : notYet(synced.length);
    });
    using churn = new Churn(() => story.demo.step());
    await using load = new LookupLoad([digger.address], [story.demo.wellKnown.statefulPod.ip], CALLERS, false);
    await load.untilAnswered(500);

    const askedAtMs = performance.now();
    digger.terminate();
    await load.untilAllFailed();
    const end = await digger.ended;
    const tookMs = performance.now() - askedAtMs;
    churn.stop();

    assert.deepEqual(end, { code: 0, signal: null }, digger.log);
    assert.ok(tookMs < 20_000, `${tookMs} ms`);
    // Each caller stopped at its first failure. It was told that the replica drains, or was never let in: a lookup that
    // was let in has been answered.
    assert.equal(load.failures.length, CALLERS, load.failures.join('\n'));
    for (const each of load.ends) {
      if (each.ok) assert.equal(each.outcome, 'OUTCOME_RESOLVED');
      else {
        assert.equal(each.error.code, status.UNAVAILABLE, each.error.message);
        // REFUSED_STREAM promises that nothing was done (RFC 9113, 8.7): a connection that was just told to go away.
        const neverLetIn = /^No connection established|^Stream refused by server$/.test(each.error.details);
        assert.ok(neverLetIn || reasonOf(each.error) === 'DRAINING', each.error.message);
      }
    }
    for (const subscriber of subscribers) {
      const error = await subscriber.ended;
      assert.equal(error?.code, status.UNAVAILABLE, String(error));
      assert.equal(reasonOf(error), 'DRAINING', String(error));
      const last = subscriber.frames.at(-1);
      assert.equal(last?.['progress']?.['closing'], true, JSON.stringify(last));
    }
  });

  it('ends at once when it is asked a second time, whatever is still open', async () => {
    await using story = await Story.begin();
    const digger = await story.startReadyDigger('--drain-timeout', '10m');
    using call = new UnfinishedCall(digger.address);
    await eventually('the call has begun', async () => {
      const started = /^grpc_server_started_total\{[^}]*grpc_method="ResolveAddress"[^}]*\} 1$/m;
      const metrics = await digger.metrics();
      return started.test(metrics) ? done(undefined) : notYet(metrics.match(/^grpc_server_started.*$/gm));
    });
    digger.terminate();
    await eventually('it stops', () => (digger.log.includes('"stopping"') ? done(undefined) : notYet(digger.log)));
    assert.equal(digger.isRunning, true, 'the call that never ends keeps it');
    digger.terminate();
    // 128 and the number of SIGTERM, as a shell would say it.
    assert.deepEqual(await digger.ended, { code: 143, signal: null }, digger.log);
    await eventually('the call is cut', () => (call.isClosed ? done(undefined) : notYet('open')));
  });
});

describe('a digger that is killed', () => {
  it('is followed by one that tells consumers to forget, or goes on from their tokens, and nothing is lost', async () => {
    await using story = await Story.begin();
    const first = await story.startReadyDigger();
    await using copy = new RoamingCopy([first.address]);
    await copy.untilEqual(story.readLists);
    story.createPod('leaves', 201);
    story.createPod('stays', 202);
    await copy.untilEqual(story.readLists);

    await first.stop();
    story.deletePod('leaves');
    story.createPod('arrives', 203);
    const second = await story.startReadyDigger('--listen', first.address);
    await copy.untilEqual(story.readLists);
    assert.equal(copy.resets[0], 'RESET_REASON_NO_TOKEN');
    assert.ok(
      copy.resets.slice(1).every((reason) => reason === 'RESET_REASON_OTHER_EPOCH'),
      copy.resets.join(', '),
    );
    await story.assertWholeState(second);
    await copy.stop();
  });
});

/** A lookup whose message never comes: it keeps a drain waiting until its deadline. */
class UnfinishedCall implements Disposable {
  readonly #stream: ClientHttp2Stream;

  constructor(address: string) {
    const session = connect(`http://${address}`);
    session.on('error', () => undefined);
    this.#stream = session.request(callHeaders('/digger.v1.LookupService/ResolveAddress'));
    this.#stream.on('error', () => undefined);
  }

  get isClosed(): boolean {
    return this.#stream.closed || this.#stream.destroyed;
  }

  [Symbol.dispose](): void {
    this.#stream.session?.destroy();
  }
}
