// What requests may take while they arrive, as those see it who send them: half, slowly, too large, or many at once.

import assert from 'node:assert/strict';
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';

import { CALL_COST_BYTES } from '../../../src/rpc/limits/call-account.ts';
import type { RpcLimits } from '../../../src/rpc/server.ts';
import { fakePod, fakeReference, holder, resolved } from '../fake-picture.ts';
import { decodeDetails, decodeMessage, encodeMessage, eventually, type Json, serve, type Serving } from '../serving.ts';

const RESOLVE = '/digger.v1.LookupService/ResolveAddress';
const BATCH = '/digger.v1.LookupService/BatchResolveAddresses';
const KNOWN = '10.0.0.1';

describe('requests that are on their way', () => {
  it('that are half sent take a bounded amount: beyond it those that began first are ended, and told why', async () => {
    await withServer({ maxRequestMemoryBytes: 1024 * 1024 }, async (serving, session) => {
      const half = Buffer.concat([head(500_000), Buffer.alloc(250_000)]);
      const first = send(session, RESOLVE, half);
      await untilArriving(serving, (bytes) => bytes > 250_000);
      const rest: Sent[] = [];
      for (let count = 0; count < 12; count++) rest.push(send(session, RESOLVE, half));
      const { status, details } = await first.ended;
      assert.equal(status, 8);
      assert.equal(details['ErrorInfo']?.['reason'], 'REQUEST_UNFINISHED');
      assert.ok(details['RetryInfo']);
      await Promise.race(rest.map(({ ended }) => ended));
      await untilArriving(serving, (bytes) => bytes <= 1024 * 1024);
      assert.ok((await refusals(serving, 'arriving_requests')) >= 2);
      // Somebody who finishes what it begins does not notice.
      await serving.client.call('ResolveAddress', { address: KNOWN });
      session.destroy();
      await untilArriving(serving, (bytes) => bytes === 0);
    });
  });

  it('of which only the headers came count too: they are not free', async () => {
    await withServer({ maxRequestMemoryBytes: 50 * CALL_COST_BYTES }, async (serving, session) => {
      const sent = Array.from({ length: 80 }, () => send(session, RESOLVE, Buffer.alloc(0)));
      await Promise.all(sent.slice(0, 30).map(({ ended }) => ended));
      assert.equal(await gauge(serving, 'digger_grpc_arriving_requests'), 50);
      assert.equal(await refusals(serving, 'arriving_requests'), 30);
    });
  });

  it('that trickle in byte by byte cost what they keep, which is more than what they send', async () => {
    await withServer({}, async (serving, session) => {
      const { stream } = send(session, RESOLVE, head(1_000));
      for (let count = 0; count < 50; count++) {
        await new Promise<void>((resolve) => stream.write(Buffer.alloc(1), () => resolve()));
      }
      await untilArriving(serving, (bytes) => bytes > CALL_COST_BYTES + 50 * 128);
    });
  });

  it('that are not complete in time are ended', async () => {
    await withServer({ requestTimeoutMs: 100 }, async (serving, session) => {
      const { status, details } = await send(session, RESOLVE, head(10)).ended;
      assert.equal(status, 8);
      assert.equal(details['ErrorInfo']?.['reason'], 'REQUEST_UNFINISHED');
      assert.deepEqual((details['ErrorInfo'] as Json)['metadata'], { timeout_ms: '100' });
      assert.equal(await refusals(serving, 'request_timeout'), 1);
      // A conversation may be silent for longer than that.
      const reflection = send(session, '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo', Buffer.alloc(0));
      await send(session, RESOLVE, head(10)).ended;
      await send(session, RESOLVE, head(10)).ended;
      assert.equal(reflection.stream.closed, false);
    });
  });

  it('that say of themselves that they are too large are refused before they come', async () => {
    await withServer({}, async (serving, session) => {
      const { status, message, details } = await send(session, RESOLVE, head(0x7fff_ffff)).ended;
      assert.equal(status, 8);
      assert.equal(message, 'the request is a message of 2147483647 bytes, at most 1048576 are allowed');
      assert.equal(details['ErrorInfo']?.['reason'], 'MESSAGE_TOO_LARGE');
      assert.equal(await refusals(serving, 'message_size'), 1);
      const metrics = await serving.registry.metrics();
      assert.match(
        metrics,
        /grpc_server_handled_total\{.*grpc_method="ResolveAddress",grpc_code="ResourceExhausted"\} 1/,
      );
    });
  });

  it('that are compressed are taken, and refused when they unpack to too much', async () => {
    await withServer({}, async (serving, session) => {
      const good = gzipSync(encodeMessage('digger.v1.ResolveAddressRequest', { address: KNOWN }));
      assert.equal((await send(session, RESOLVE, framed(good, 1), true).ended).status, 0);
      const bomb = gzipSync(Buffer.alloc(100_000_000));
      assert.equal((await send(session, RESOLVE, framed(bomb, 1), true).ended).status, 8);
      await serving.client.call('ResolveAddress', { address: KNOWN });
    });
  });

  it('that are large and complete take a bounded amount until their calls end; small ones pass', async () => {
    await withServer({ maxRequestMemoryBytes: 256 * 1024 }, async (serving, session) => {
      const queries = Array.from({ length: 1_000 }, (_, n) => ({
        address: `fd00:1234:5678:9abc:def0:1234:0:${n.toString(16)}`,
      }));
      const batch = framed(encodeMessage('digger.v1.BatchResolveAddressesRequest', { queries, wait: { seconds: 20 } }));
      const waiting: Sent[] = [];
      const room = Math.floor((256 * 1024) / batch.length);
      for (let count = 0; count < room; count++) {
        waiting.push(send(session, BATCH, batch, true));
        await untilLarge(serving, (bytes) => bytes === batch.length * (count + 1));
      }
      const { status, details } = await send(session, BATCH, batch, true).ended;
      assert.equal(status, 8);
      assert.equal(details['ErrorInfo']?.['reason'], 'LARGE_REQUESTS');
      assert.equal(await refusals(serving, 'large_requests'), 1);
      await serving.client.call('ResolveAddress', { address: KNOWN });
      waiting[0]?.stream.close();
      await untilLarge(serving, (bytes) => bytes === batch.length * (room - 1));
      for (const { stream } of waiting) stream.close();
      await untilLarge(serving, (bytes) => bytes === 0);
    });
  });

  it('leave nothing on the account, however their calls end', async () => {
    await withServer({}, async (serving, session) => {
      for (let count = 0; count < 20; count++) {
        await serving.client.call('ResolveAddress', { address: KNOWN });
        await serving.client.failure('ResolveAddress', { address: 'x'.repeat(10_000) });
        send(session, RESOLVE, head(100_000)).stream.close();
      }
      session.destroy();
      await untilArriving(serving, (bytes) => bytes === 0);
      await untilLarge(serving, (bytes) => bytes === 0);
    });
  });
});

interface Sent {
  readonly stream: ClientHttp2Stream;
  readonly ended: Promise<{ status: number; message: string; details: Readonly<Record<string, Json>> }>;
}

async function withServer(
  limits: Partial<RpcLimits>,
  run: (serving: Serving, session: ClientHttp2Session) => Promise<void>,
): Promise<void> {
  const serving = await serve({ limits });
  serving.picture.setAnswer(KNOWN, resolved(holder(fakePod('web-0', fakeReference('web')), 'POD_IP')));
  const session = connect(`http://${serving.target}`);
  session.on('error', () => undefined);
  try {
    await run(serving, session);
  } finally {
    session.destroy();
    await serving.stop();
  }
}

/** Headers, then the bytes; the request stays open unless it is complete. */
function send(session: ClientHttp2Session, path: string, bytes: Buffer, complete = false): Sent {
  const headers = {
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
    te: 'trailers',
    'grpc-encoding': 'gzip',
  };
  const stream = session.request(headers);
  stream.on('error', () => undefined);
  if (bytes.length > 0) stream.write(bytes);
  if (complete) stream.end();
  stream.resume();
  const ended = new Promise<Awaited<Sent['ended']>>((resolve) => {
    const take = (trailers: Record<string, unknown>): void => {
      if (trailers['grpc-status'] === undefined) return;
      const encoded = trailers['grpc-status-details-bin'];
      const details =
        typeof encoded === 'string'
          ? decodeDetails(decodeMessage('google.rpc.Status', Buffer.from(encoded, 'base64')))
          : {};
      resolve({
        status: Number(trailers['grpc-status']),
        message: decodeURIComponent(String(trailers['grpc-message'] ?? '')),
        details,
      });
    };
    stream.once('response', take);
    stream.once('trailers', take);
  });
  return { stream, ended };
}

/** A flag and the length, as they stand before a message. */
function head(length: number, flag = 0): Buffer {
  const bytes = Buffer.alloc(5);
  bytes[0] = flag;
  bytes.writeUInt32BE(length, 1);
  return bytes;
}

function framed(message: Buffer, flag = 0): Buffer {
  return Buffer.concat([head(message.length, flag), message]);
}

async function gauge(serving: Serving, name: string): Promise<number> {
  const metrics = await serving.registry.metrics();
  const line = metrics.split('\n').find((each) => each.startsWith(`${name} `));
  assert.ok(line !== undefined, metrics);
  return Number(line.slice(name.length + 1));
}

function refusals(serving: Serving, limit: string): Promise<number> {
  return gauge(serving, `digger_limit_refusals_total{limit="${limit}"}`);
}

async function untilMemory(serving: Serving, requests: string, wanted: (bytes: number) => boolean): Promise<void> {
  let bytes = -1;
  const name = `digger_grpc_request_memory_bytes{requests="${requests}"}`;
  const looking = setInterval(() => void gauge(serving, name).then((value) => (bytes = value)), 5);
  try {
    await eventually(
      () => bytes >= 0 && wanted(bytes),
      () => `${bytes} bytes of ${requests} requests`,
    );
  } finally {
    clearInterval(looking);
  }
}

function untilArriving(serving: Serving, wanted: (bytes: number) => boolean): Promise<void> {
  return untilMemory(serving, 'arriving', wanted);
}

function untilLarge(serving: Serving, wanted: (bytes: number) => boolean): Promise<void> {
  return untilMemory(serving, 'large', wanted);
}
