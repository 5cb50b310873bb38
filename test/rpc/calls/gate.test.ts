// The gate as those see it who stand before it: who is let in, on what, and what ends a call whose request goes wrong.

import assert from 'node:assert/strict';
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2';
import { describe, it } from 'node:test';
import { deflateSync, gzipSync } from 'node:zlib';

import { CALL_COST_BYTES } from '../../../src/rpc/calls/gate.ts';
import { MAX_HEADER_BYTES } from '../../../src/rpc/calls/header-checks.ts';
import { unauthenticated } from '../../../src/rpc/errors/outcomes.ts';
import type { RpcServerOptions } from '../../../src/rpc/server.ts';
import { fakePod, fakeReference, holder, resolved } from '../fake-picture.ts';
import { decodeDetails, decodeMessage, encodeMessage, eventually, type Json, serve, type Serving } from '../serving.ts';

const RESOLVE = '/digger.v1.LookupService/ResolveAddress';
const BATCH = '/digger.v1.LookupService/BatchResolveAddresses';
const WATCH = '/digger.v1.ChangeFeedService/Watch';
const STATUS = '/digger.v1.StatusService/GetStatus';
const REFLECTION = '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo';
const HEALTH_CHECK = '/grpc.health.v1.Health/Check';
const HEALTH_WATCH = '/grpc.health.v1.Health/Watch';
const KNOWN = '10.0.0.1';
const MIB = 1024 * 1024;

const refusesAll: Partial<RpcServerOptions> = { authenticate: () => unauthenticated('no') };

describe('a caller that is not known', () => {
  for (const path of [RESOLVE, BATCH, WATCH, STATUS, REFLECTION]) {
    it(`is refused on the headers of ${path} alone, whatever else it sends or does not`, async () => {
      await withServer(refusesAll, async (serving, session) => {
        for (const bytes of [Buffer.alloc(0), Buffer.alloc(60_000, 0xff), framed(gzipSync(Buffer.alloc(MIB)), 1)]) {
          const { status, details } = await send(session, path, bytes).ended;
          assert.equal(status, 16);
          assert.equal(details['ErrorInfo']?.['reason'], 'UNAUTHENTICATED');
        }
        await untilNothingIsOpen(serving);
      });
    });
  }

  it('may ask for health', async () => {
    await withServer(refusesAll, async (serving, session) => {
      assert.equal((await send(session, HEALTH_CHECK, framed(Buffer.alloc(0)), {}, true).ended).status, 0);
      const watch = send(session, HEALTH_WATCH, framed(Buffer.alloc(0)), {}, true);
      await new Promise((resolve) => watch.stream.once('data', resolve));
      watch.stream.close();
      await untilNothingIsOpen(serving);
    });
  });

  for (const code of [constants.NGHTTP2_NO_ERROR, constants.NGHTTP2_CANCEL]) {
    it(`that leaves while it is looked at (code ${code}) never reaches a method, and leaves nothing behind (13.7)`, async () => {
      let decide: (() => void) | undefined;
      let asked = 0;
      const authenticate = (): Promise<undefined> => {
        asked += 1;
        return new Promise((resolve) => {
          decide = () => resolve(undefined);
        });
      };
      await withServer({ authenticate, recheckIntervalMs: 1 }, async (serving, session) => {
        const { stream } = send(session, WATCH, framed(Buffer.alloc(0)), {}, true);
        await eventually(
          () => decide !== undefined,
          () => 'no authenticator was asked',
        );
        stream.close(code);
        await untilNothingIsOpen(serving);
        decide?.();
        // As long as a look again would take, many times over: another call, all the way.
        const other = send(
          session,
          RESOLVE,
          framed(encodeMessage('digger.v1.ResolveAddressRequest', { address: KNOWN })),
          {},
          true,
        );
        await eventually(
          () => asked === 2,
          () => `${asked} looks`,
        );
        decide?.();
        assert.equal((await other.ended).status, 0);
        assert.equal(serving.picture.watches.size, 0);
        assert.equal(asked, 2);
      });
    });
  }

  it('that names itself twice is refused, whichever of the names is good (13.13)', async () => {
    await withServer({ authenticate: () => undefined }, async (_serving, session) => {
      const { status, details } = await sendRaw(session, [
        ...['authorization', 'Bearer a', 'Authorization', 'Bearer b'],
      ]).ended;
      assert.equal(status, 16);
      assert.equal(details['ErrorInfo']?.['reason'], 'UNAUTHENTICATED');
    });
  });
});

describe('headers', () => {
  it('beyond 8 KiB are refused, counted, and kept nowhere', async () => {
    await withServer({}, async (serving, session) => {
      const { status, details } = await send(session, RESOLVE, Buffer.alloc(0), {
        'x-large': 'x'.repeat(MAX_HEADER_BYTES),
      }).ended;
      assert.equal(status, 8);
      assert.equal(details['ErrorInfo']?.['reason'], 'HEADERS_TOO_LARGE');
      assert.equal(await refusals(serving, 'header_size'), 1);
      await untilNothingIsOpen(serving);
    });
  });

  it('that ask for 25 days, or for as long as eight digits can say, get 24 days (13.13)', async () => {
    await withServer({}, async (_serving, session) => {
      const message = framed(encodeMessage('digger.v1.ResolveAddressRequest', { address: KNOWN }));
      for (const timeout of ['600H', '99999999H', '99999999M', '2160000S', '99999999S', '99999999m', '1H']) {
        const { status } = await send(session, RESOLVE, message, { 'grpc-timeout': timeout }, true).ended;
        assert.equal(status, 0, timeout);
      }
    });
  });
});

describe('compressed requests', () => {
  const message = encodeMessage('digger.v1.ResolveAddressRequest', { address: KNOWN });
  for (const [encoding, packed] of [
    ['gzip', gzipSync(message)],
    ['deflate', deflateSync(message)],
    ['snappy', message],
  ] as const) {
    it(`in ${encoding} are UNIMPLEMENTED, and the answer says what is taken`, async () => {
      await withServer({}, async (serving, session) => {
        const { status, details, headers } = await send(
          session,
          RESOLVE,
          framed(packed, 1),
          { 'grpc-encoding': encoding },
          true,
        ).ended;
        assert.equal(status, 12);
        assert.equal(details['ErrorInfo']?.['reason'], 'COMPRESSION_UNSUPPORTED');
        assert.equal(headers['grpc-accept-encoding'], 'identity');
        assert.equal(await refusals(serving, 'compression'), 1);
      });
    });
  }

  it('that say so only in a message are refused at its first byte', async () => {
    await withServer({}, async (serving, session) => {
      const { status, details } = await send(session, RESOLVE, Buffer.from([1])).ended;
      assert.equal(status, 12);
      assert.equal(details['ErrorInfo']?.['reason'], 'COMPRESSION_UNSUPPORTED');
      await untilNothingIsOpen(serving);
    });
  });

  it('are not asked for: an answer accepts identity only', async () => {
    await withServer({}, async (_serving, session) => {
      const { status, headers } = await send(session, RESOLVE, framed(message), {}, true).ended;
      assert.equal(status, 0);
      assert.equal(headers['grpc-accept-encoding'], 'identity');
    });
  });
});

describe('one message', () => {
  it('is what a method takes: more bytes after it end the call', async () => {
    await withServer({}, async (serving, session) => {
      for (const path of [RESOLVE, WATCH]) {
        const { status, details } = await send(session, path, Buffer.concat([framed(Buffer.alloc(0)), Buffer.alloc(1)]))
          .ended;
        assert.equal(status, 12);
        assert.equal(details['ErrorInfo']?.['reason'], 'SECOND_MESSAGE');
      }
      assert.equal(await refusals(serving, 'second_message'), 2);
      await untilNothingIsOpen(serving);
    });
  });

  for (const [path, most] of [
    [RESOLVE, 65_536],
    [BATCH, 262_144],
    [WATCH, 262_144],
    [STATUS, 16_384],
    [REFLECTION, 16_384],
    [HEALTH_CHECK, 16_384],
  ] as const) {
    it(`of ${path} has at most ${most} bytes, and is refused before it comes`, async () => {
      await withServer({}, async (serving, session) => {
        const { status, message, details } = await send(session, path, head(most + 1)).ended;
        assert.equal(status, 8);
        assert.equal(message, `the request is a message of ${most + 1} bytes, at most ${most} are allowed`);
        assert.equal(details['ErrorInfo']?.['reason'], 'MESSAGE_TOO_LARGE');
        assert.equal(await refusals(serving, 'message_size'), 1);
        const allowed = send(session, path, head(most));
        await untilOpen(serving, 1);
        allowed.stream.close();
        await untilNothingIsOpen(serving);
      });
    });
  }
});

describe('the ledger of calls', () => {
  const limits = (bytes: number): Partial<RpcServerOptions> => ({
    limits: { maxCallMemoryBytes: bytes, maxCallerMemoryBytes: bytes },
  });

  it('is bounded: beyond it requests that are not complete end, the oldest first, and are told why', async () => {
    await withServer(limits(MIB), async (serving, session) => {
      const half = Buffer.concat([head(250_000), Buffer.alloc(100_000)]);
      const first = send(session, BATCH, half);
      await untilMemory(serving, (bytes) => bytes > 100_000);
      const rest = Array.from({ length: 20 }, () => send(session, BATCH, half));
      const { status, details } = await first.ended;
      assert.equal(status, 8);
      assert.equal(details['ErrorInfo']?.['reason'], 'REQUEST_UNFINISHED');
      assert.ok(details['RetryInfo']);
      await Promise.race(rest.map(({ ended }) => ended));
      await untilMemory(serving, (bytes) => bytes <= MIB);
      assert.ok((await refusals(serving, 'arriving_requests')) >= 2);
      // A caller that finishes what it begins does not notice.
      await serving.client.call('ResolveAddress', { address: KNOWN });
      session.destroy();
      await untilNothingIsOpen(serving);
    });
  });

  it('counts calls of which only the headers came: they are not free', async () => {
    await withServer(limits(50 * (CALL_COST_BYTES + 1_000)), async (serving, session) => {
      const sent = Array.from({ length: 80 }, () => send(session, RESOLVE, Buffer.alloc(0)));
      const over = (): number => sent.filter(({ stream }) => stream.closed).length;
      await eventually(
        () => over() >= 28,
        () => `${over()} have ended`,
      );
      const open = await gauge(serving, 'digger_grpc_open_calls');
      assert.ok(open >= 48 && open <= 52, `${open} open`);
    });
  });

  it('counts headers by what they unpack to', async () => {
    await withServer({}, async (serving, session) => {
      send(session, RESOLVE, Buffer.alloc(0), { 'x-large': 'x'.repeat(7_000) });
      await untilMemory(serving, (bytes) => bytes > CALL_COST_BYTES + 7_000);
    });
  });

  it('counts a request that trickles in byte by byte by what it keeps, which is more than what was sent', async () => {
    await withServer({}, async (serving, session) => {
      const { stream } = send(session, RESOLVE, head(1_000));
      for (let count = 0; count < 50; count++) {
        await new Promise<void>((resolve) => stream.write(Buffer.alloc(1), () => resolve()));
      }
      await untilMemory(serving, (bytes) => bytes > CALL_COST_BYTES + 50 * 128);
    });
  });

  it('ends requests that are not complete in time', async () => {
    await withServer({ limits: { requestTimeoutMs: 100 } }, async (serving, session) => {
      const { status, details } = await send(session, RESOLVE, head(10)).ended;
      assert.equal(status, 8);
      assert.equal(details['ErrorInfo']?.['reason'], 'REQUEST_UNFINISHED');
      assert.deepEqual((details['ErrorInfo'] as Json)['metadata'], { timeout_ms: '100' });
      assert.equal(await refusals(serving, 'request_timeout'), 1);
      // A conversation may be silent for longer than that.
      const reflection = send(session, REFLECTION, Buffer.alloc(0));
      await send(session, RESOLVE, head(10)).ended;
      await send(session, RESOLVE, head(10)).ended;
      assert.equal(reflection.stream.closed, false);
    });
  });

  it('refuses what is new when all that is open is waited for, and goes on when there is room; probes pass', async () => {
    await withServer(limits(MIB), async (serving, session) => {
      const message = framed(
        encodeMessage('digger.v1.ResolveAddressRequest', { address: '10.0.0.9', wait: { seconds: 20 } }),
      );
      const waiting: Sent[] = [];
      for (let count = 0; count < 55; count++) {
        waiting.push(send(session, RESOLVE, message, {}, true));
        await untilOpen(serving, count + 1);
      }
      let refused: Awaited<Sent['ended']> | undefined;
      for (let count = 0; count < 20 && refused === undefined; count++) {
        const sent = send(session, RESOLVE, message, {}, true);
        refused = await Promise.race([sent.ended, untilOpen(serving, 56 + count).then(() => undefined)]);
        if (refused === undefined) waiting.push(sent);
      }
      assert.equal(refused?.status, 8);
      assert.equal(refused?.details['ErrorInfo']?.['reason'], 'TOO_MANY_CALLS');
      assert.ok(refused?.details['RetryInfo']);
      assert.equal((await send(session, HEALTH_CHECK, framed(Buffer.alloc(0)), {}, true).ended).status, 0);
      for (const { stream } of waiting.slice(0, 5)) stream.close();
      await untilMemory(serving, (bytes) => bytes < MIB - 4 * CALL_COST_BYTES);
      await serving.client.call('ResolveAddress', { address: KNOWN });
    });
  });

  it('gives each caller a share, by the name that authentication found', async () => {
    const options: Partial<RpcServerOptions> = {
      limits: { maxCallerMemoryBytes: 10 * (CALL_COST_BYTES + 1_000) },
      authenticate: (call) => {
        call.name = `user:${String(call.metadata.get('x-name')[0])}`;
        return undefined;
      },
    };
    await withServer(options, async (serving, session) => {
      const message = framed(
        encodeMessage('digger.v1.ResolveAddressRequest', { address: '10.0.0.9', wait: { seconds: 20 } }),
      );
      const as = (name: string): Sent => send(session, RESOLVE, message, { 'x-name': name }, true);
      for (let count = 1; count <= 10; count++) {
        as('greedy');
        await untilOpen(serving, count);
      }
      const { status, details } = await as('greedy').ended;
      assert.equal(status, 8);
      assert.deepEqual(details['ErrorInfo']?.['metadata'], {
        of: 'caller',
        max_bytes: String(10 * (CALL_COST_BYTES + 1_000)),
      });
      assert.ok((await refusals(serving, 'caller_calls')) >= 1);
      // The refused one has gone, the other caller has come.
      as('modest');
      await untilOpen(serving, 11);
    });
  });

  it('bounds the streams that watch health, an eighth of them for one address', async () => {
    await withServer({ limits: { maxHealthWatches: 16 } }, async (serving, session) => {
      const watch = (): Sent => send(session, HEALTH_WATCH, framed(Buffer.alloc(0)), {}, true);
      const [first] = [watch(), watch()];
      await untilOpen(serving, 2);
      const { status, details } = await watch().ended;
      assert.equal(status, 8);
      assert.equal(details['ErrorInfo']?.['reason'], 'TOO_MANY_HEALTH_WATCHES');
      assert.equal(await gauge(serving, 'digger_grpc_health_watches'), 2);
      first?.stream.close();
      await untilOpen(serving, 1);
      watch();
      await untilOpen(serving, 2);
    });
  });

  it('has calls of methods that do not exist, and of what is not gRPC, until they have gone', async () => {
    await withServer({}, async (serving, session) => {
      const unknown = await send(session, '/digger.v1.LookupService/Nothing', Buffer.alloc(0)).ended;
      assert.equal(unknown.status, 12);
      const other = session.request({ ':method': 'POST', ':path': RESOLVE, 'content-type': 'text/plain' });
      other.on('error', () => undefined);
      await new Promise((resolve) => other.once('close', resolve).resume());
      await untilNothingIsOpen(serving);
    });
  });

  it('has nothing left, however calls end', async () => {
    await withServer({}, async (serving, session) => {
      for (let count = 0; count < 20; count++) {
        await serving.client.call('ResolveAddress', { address: KNOWN });
        await serving.client.failure('ResolveAddress', { address: 'x'.repeat(10_000) });
        send(session, RESOLVE, head(60_000)).stream.close();
        await send(session, HEALTH_CHECK, framed(Buffer.alloc(0)), {}, true).ended;
        await send(session, REFLECTION, framed(Buffer.alloc(0)), {}, true).ended;
      }
      await untilNothingIsOpen(serving);
      session.destroy();
      await untilNothingIsOpen(serving);
    });
  });
});

interface Sent {
  readonly stream: ClientHttp2Stream;
  readonly ended: Promise<{
    status: number;
    message: string;
    details: Readonly<Record<string, Json>>;
    headers: Record<string, unknown>;
  }>;
}

async function withServer(
  options: Partial<RpcServerOptions>,
  run: (serving: Serving, session: ClientHttp2Session) => Promise<void>,
): Promise<void> {
  const serving = await serve(options);
  serving.picture.maxWaiters = 1_000;
  serving.picture.setAnswer(KNOWN, resolved(holder(fakePod('web-0', fakeReference('web')), 'POD_IP')));
  // Callers are not as strict as node is by default.
  const session = connect(`http://${serving.target}`, { strictSingleValueFields: false } as object);
  session.on('error', () => undefined);
  try {
    await run(serving, session);
  } finally {
    session.destroy();
    await serving.stop();
  }
}

/** Headers, then the bytes; the request stays open unless it is complete. */
function send(
  session: ClientHttp2Session,
  path: string,
  bytes: Buffer,
  headers: Readonly<Record<string, string>> = {},
  complete = false,
): Sent {
  const stream = session.request({
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
    te: 'trailers',
    ...headers,
  });
  if (bytes.length > 0) stream.write(bytes);
  if (complete) stream.end();
  return follow(stream);
}

/** A lookup with headers that are written as they stand, also where HTTP/2 allows one of them. */
function sendRaw(session: ClientHttp2Session, headers: readonly string[]): Sent {
  const { origin, authority } = { origin: 'http', authority: 'digger' };
  const all = [':method', 'POST', ':scheme', origin, ':authority', authority, ':path', RESOLVE];
  return follow(session.request([...all, 'content-type', 'application/grpc', ...headers] as never));
}

function follow(stream: ClientHttp2Stream): Sent {
  stream.on('error', () => undefined);
  stream.resume();
  const ended = new Promise<Awaited<Sent['ended']>>((resolve) => {
    let first: Record<string, unknown> = {};
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
        headers: { ...first, ...trailers },
      });
    };
    stream.once('response', (headers) => {
      first = headers;
      take(headers);
    });
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

async function untilGauge(serving: Serving, name: string, wanted: (value: number) => boolean): Promise<void> {
  let value = Number.NaN;
  const looking = setInterval(() => void gauge(serving, name).then((seen) => (value = seen)), 5);
  try {
    await eventually(
      () => wanted(value),
      () => `${name} is ${value}`,
    );
  } finally {
    clearInterval(looking);
  }
}

function untilMemory(serving: Serving, wanted: (bytes: number) => boolean): Promise<void> {
  return untilGauge(serving, 'digger_grpc_call_memory_bytes', wanted);
}

function untilOpen(serving: Serving, calls: number): Promise<void> {
  return untilGauge(serving, 'digger_grpc_open_calls', (open) => open === calls);
}

async function untilNothingIsOpen(serving: Serving): Promise<void> {
  await untilOpen(serving, 0);
  assert.equal(await gauge(serving, 'digger_grpc_call_memory_bytes'), 0);
  assert.equal(await gauge(serving, 'digger_grpc_open_callers'), 0);
}
