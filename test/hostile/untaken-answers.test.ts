// A caller that asks and never takes: what its connection may hold is bounded, and others do not notice.
import assert from 'node:assert/strict';
import { type ClientHttp2Session, connect, constants } from 'node:http2';
import { describe, it } from 'node:test';
import { fakePod, fakeReference, holder, resolved } from '../rpc/fake-picture.ts';
import { encodeMessage, eventually, type Json, serve, type Serving } from '../rpc/serving.ts';
import { callHeaders, prefixed } from '../observers/raw-call.ts';

const PATH = '/digger.v1.LookupService/BatchResolveAddresses';
const CALLS = 100;

describe('a caller that opens no window for its answers', () => {
  it('has further calls refused once its connection holds as much as it may', async (t) => {
    const serving = await serve({ limits: { maxSessionMemoryMiB: 1 } });
    t.after(() => serving.stop());
    serving.picture.setAnswer('10.0.0.1', resolved(holder(fakePod('web-0', fakeReference('web')), 'POD_IP')));
    const queries = Array.from({ length: 1_000 }, () => ({ address: '10.0.0.1' }));
    const message = encodeMessage('digger.v1.BatchResolveAddressesRequest', { queries });

    const session = connect(`http://${serving.target}`, { settings: { initialWindowSize: 0 } });
    t.after(() => session.destroy());
    // Refused too often it is ended, which is right as well.
    session.on('error', () => undefined);
    await new Promise((resolve) => session.once('remoteSettings', resolve));
    let answered = 0;
    let refused = 0;
    for (let count = 0; count < CALLS && !session.closed; count++) {
      const headers = callHeaders(PATH);
      const stream = session.request(headers);
      // One after the other, so that the answers of the earlier ones are there to be counted.
      await new Promise<void>((resolve) => {
        stream.once('response', () => {
          answered += 1;
          resolve();
        });
        stream.once('error', () => {
          if (stream.rstCode === constants.NGHTTP2_ENHANCE_YOUR_CALM) refused += 1;
          resolve();
        });
        stream.end(prefixed(message));
      });
    }
    assert.ok(answered > 0, 'the first ones were answered');
    assert.ok(refused > 0, `${answered} answered, ${refused} refused`);

    const answer = await serving.client.call('ResolveAddress', { address: '10.0.0.1' });
    assert.equal((answer['resolution'] as Json)['outcome'], 'OUTCOME_RESOLVED');
    session.destroy();
    await eventually(
      () => serving.server.openCalls === 0,
      () => `${serving.server.openCalls} calls are open`,
    );
  });

  it('on many connections has those of its calls ended that wait longest, once all together hold as much as they may', async (t) => {
    const serving = await serve({ limits: { maxCallMemoryBytes: 4 * 1024 * 1024 } });
    t.after(() => serving.stop());
    serving.picture.setAnswer('10.0.0.1', resolved(holder(fakePod('web-0', fakeReference('web')), 'POD_IP')));
    const sessions = Array.from({ length: 20 }, () => connectWithoutWindow(serving.target));
    t.after(() => sessions.forEach((session) => session.destroy()));
    const ends: Promise<number>[] = [];
    for (const session of sessions) ends.push(...Array.from({ length: 5 }, () => askAndNeverTake(session)));
    const untaken = (): Promise<number> => gauge(serving, 'digger_grpc_untaken_answer_bytes');
    const refusals = (): Promise<number> => gauge(serving, 'digger_limit_refusals_total{limit="untaken_answers"}');
    assert.equal(await Promise.race(ends), constants.NGHTTP2_ENHANCE_YOUR_CALM);
    await serving.client.call('ResolveAddress', { address: '10.0.0.1' });
    assert.ok((await untaken()) <= 4 * 1024 * 1024, `${await untaken()} bytes`);
    assert.ok((await refusals()) > 10, `${await refusals()} ended`);
    for (const session of sessions) session.destroy();
    await eventually(
      () => serving.server.openCalls === 0,
      () => `${serving.server.openCalls} calls are open`,
    );
    assert.equal(await untaken(), 0);
  });

  it('has its calls ended after a while when there is room too', async (t) => {
    const serving = await serve({ limits: { answerTimeoutMs: 200 } });
    t.after(() => serving.stop());
    const session = connectWithoutWindow(serving.target);
    t.after(() => session.destroy());
    assert.equal(await askAndNeverTake(session), constants.NGHTTP2_ENHANCE_YOUR_CALM);
    await eventually(
      () => serving.server.openCalls === 0,
      () => `${serving.server.openCalls} calls are open`,
    );
  });

  it('is left alone when it takes what it asked for, however much that is', async (t) => {
    const serving = await serve({ limits: { maxCallMemoryBytes: 200_000 } });
    t.after(() => serving.stop());
    serving.picture.setAnswer('10.0.0.1', resolved(holder(fakePod('web-0', fakeReference('web')), 'POD_IP')));
    const queries = Array.from({ length: 1_000 }, () => ({ address: '10.0.0.1' }));
    for (let count = 0; count < 5; count++) await serving.client.call('BatchResolveAddresses', { queries });
    assert.equal(await gauge(serving, 'digger_limit_refusals_total{limit="untaken_answers"}'), 0);
  });
});

function connectWithoutWindow(target: string): ClientHttp2Session {
  const session = connect(`http://${target}`, { settings: { initialWindowSize: 0 } });
  session.on('error', () => undefined);
  return session;
}

/** A large batch; the code with which its stream ends. */
function askAndNeverTake(session: ClientHttp2Session): Promise<number> {
  const queries = Array.from({ length: 1_000 }, () => ({ address: '10.0.0.1' }));
  const message = encodeMessage('digger.v1.BatchResolveAddressesRequest', { queries });
  const headers = callHeaders(PATH);
  const stream = session.request(headers);
  stream.on('error', () => undefined);
  stream.end(prefixed(message));
  return new Promise((resolve) => stream.once('close', () => resolve(stream.rstCode)));
}

async function gauge(serving: Serving, name: string): Promise<number> {
  const lines = (await serving.registry.metrics()).split('\n');
  const value = lines.find((line) => line.startsWith(`${name} `))?.slice(name.length);
  assert.ok(value !== undefined, `${name} is exposed`);
  return Number(value);
}
