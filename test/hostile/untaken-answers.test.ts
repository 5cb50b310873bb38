// A caller that asks and never takes: what its connection may hold is bounded, and others do not notice.
import assert from 'node:assert/strict';
import { connect, constants } from 'node:http2';
import { describe, it } from 'node:test';
import { fakePod, fakeReference, holder, resolved } from '../rpc/fake-picture.ts';
import { encodeMessage, eventually, type Json, serve } from '../rpc/serving.ts';

const PATH = '/digger.v1.LookupService/BatchResolveAddresses';
const CALLS = 100;

describe('a caller that opens no window for its answers', () => {
  it('has further calls refused once its connection holds as much as it may', async (t) => {
    const serving = await serve({ limits: { maxSessionMemoryMiB: 1 } });
    t.after(() => serving.stop());
    serving.picture.setAnswer('10.0.0.1', resolved(holder(fakePod('web-0', fakeReference('web')), 'POD_IP')));
    const queries = Array.from({ length: 1_000 }, () => ({ address: '10.0.0.1' }));
    const message = encodeMessage('digger.v1.BatchResolveAddressesRequest', { queries });
    const head = Buffer.alloc(5);
    head.writeUInt32BE(message.length, 1);

    const session = connect(`http://${serving.target}`, { settings: { initialWindowSize: 0 } });
    t.after(() => session.destroy());
    // Refused too often it is ended, which is right as well.
    session.on('error', () => undefined);
    await new Promise((resolve) => session.once('remoteSettings', resolve));
    let answered = 0;
    let refused = 0;
    for (let count = 0; count < CALLS && !session.closed; count++) {
      const headers = { ':method': 'POST', ':path': PATH, 'content-type': 'application/grpc', te: 'trailers' };
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
        stream.end(Buffer.concat([head, message]));
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
});
