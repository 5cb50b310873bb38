// Requests in pieces so small that looking at each costs more than sending it: how many are looked at before the
// connection is cut off, and that requests in usual pieces are taken.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { describe, it, type TestContext } from 'node:test';

import { MessageFraming } from '../../src/rpc/calls/message-framing.ts';
import { done, eventually, notYet } from '../observers/eventually.ts';
import { prefixed } from '../observers/raw-call.ts';
import { fakePod, fakeReference, holder, resolved } from '../rpc/fake-picture.ts';
import { encodeMessage, type Json, serve, type Serving } from '../rpc/serving.ts';
import { metric } from '../rpc/tls/tls-serving.ts';
import {
  callHeaders,
  END_HEADERS,
  END_STREAM,
  FRAME,
  frame,
  initialWindow,
  onFrames,
  open,
  untilBegun,
  windowUpdate,
} from './raw-http2.ts';

const KNOWN = '10.0.0.1';
const RESOLVE = '/digger.v1.LookupService/ResolveAddress';
const BATCH = '/digger.v1.LookupService/BatchResolveAddresses';
const REFLECTION = '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo';
/** Of a connection in a second, beyond those that each call has. */
const MOST = 128;
const OF_A_CALL = 3;
const ATTACKER = '127.0.0.2';
const GOAWAY = 7;
const ENHANCE_YOUR_CALM = 11;
const REFUSED = 'digger_limit_refusals_total{limit="request_pieces"}';

describe('a caller whose requests come in pieces', () => {
  it('of one byte is cut off after some of them, and others are answered', async (t) => {
    const { serving, counted, resolve } = await begin(t);
    const peer = await connect(serving);
    const message = prefixed(Buffer.alloc(60_000, 0x61));
    peer.socket.write(Buffer.concat([head(1, RESOLVE), ...pieces(1, message, 1)]));
    await peer.ended;
    assert.deepEqual(peer.goaways, [ENHANCE_YOUR_CALM]);
    assert.ok(counted.looks <= MOST + OF_A_CALL + 1, `${counted.looks} were looked at`);
    await isCutOff(serving, resolve);
  });

  it('of one byte, in a hundred calls at once of which most wait for their turn, is cut off as well', async (t) => {
    const { serving, counted, resolve } = await begin(t);
    const peer = await connect(serving);
    const streams = Array.from({ length: 100 }, (_, index) => index * 2 + 1);
    const message = prefixed(Buffer.alloc(600, 0x61));
    const each = streams.map((stream) => pieces(stream, message, 1));
    const frames = Array.from({ length: message.length }, (_, at) =>
      each.map((of) => of[at] ?? Buffer.alloc(0)),
    ).flat();
    // The last ones, which wait: nothing of them is seen where calls are usually looked at.
    const waiting = each.slice(80).flat();
    peer.socket.write(Buffer.concat([...streams.map((stream) => head(stream, BATCH)), ...waiting, ...frames]));
    await peer.ended;
    assert.ok(counted.reads <= MOST + OF_A_CALL * streams.length, `${counted.reads} were read`);
    await isCutOff(serving, resolve);
  });

  it('of no bytes, as messages of a stream in one frame, is cut off before any is decoded', async (t) => {
    const { serving, resolve } = await begin(t);
    const peer = await connect(serving);
    const empty = Buffer.concat(Array.from({ length: 3_000 }, () => prefixed(Buffer.alloc(0))));
    peer.socket.write(Buffer.concat([head(1, REFLECTION), frame(FRAME.data, 0, 1, empty)]));
    await peer.ended;
    assert.deepEqual(peer.goaways, [ENHANCE_YOUR_CALM]);
    await isCutOff(serving, resolve);
  });

  it('as gRPC libraries and proxies make them is answered, however many calls it makes', async (t) => {
    const { serving } = await begin(t);
    const peer = await connect(serving);
    const lookup = prefixed(encodeMessage('digger.v1.ResolveAddressRequest', { address: KNOWN }));
    for (let index = 0; index < 500; index++) {
      const stream = index * 2 + 1;
      // The head of the message by itself, the rest in two.
      const parts = [lookup.subarray(0, 5), lookup.subarray(5, 10), lookup.subarray(10)];
      const frames = parts.map((part, at) => frame(FRAME.data, at === 2 ? END_STREAM : 0, stream, part));
      peer.socket.write(Buffer.concat([head(stream, RESOLVE), ...frames]));
      if (index % 50 === 49) await eventually('they are answered', () => peer.answered(index + 1), { intervalMs: 1 });
    }
    const queries = Array.from({ length: 900 }, () => ({ address: KNOWN }));
    const batch = prefixed(encodeMessage('digger.v1.BatchResolveAddressesRequest', { queries }));
    const stream = 1_001;
    peer.socket.write(Buffer.concat([head(stream, BATCH), ...pieces(stream, batch, 256, true)]));
    await eventually('the batch is answered', () => peer.answered(501));
    assert.equal(await metric(serving.registry, REFUSED), 0);
    peer.socket.destroy();
  });
});

async function begin(t: TestContext) {
  const serving = await serve();
  t.after(() => serving.stop());
  serving.picture.setAnswer(KNOWN, resolved(holder(fakePod('web-0', fakeReference('web')), 'POD_IP')));
  const counted = { looks: 0, reads: 0 };
  const { take } = MessageFraming.prototype;
  t.mock.method(MessageFraming.prototype, 'take', function (this: MessageFraming, ...given: Parameters<typeof take>) {
    counted.looks += 1;
    return take.apply(this, given);
  });
  const { push } = Readable.prototype;
  t.mock.method(Readable.prototype, 'push', function (this: Readable, ...given: Parameters<typeof push>) {
    if ('sentHeaders' in this && Buffer.isBuffer(given[0])) counted.reads += 1;
    return push.apply(this, given);
  });
  const resolve = async (): Promise<void> => {
    const { resolution } = await serving.client.call('ResolveAddress', { address: KNOWN });
    assert.equal((resolution as Json)['outcome'], 'OUTCOME_RESOLVED');
  };
  return { serving, counted, resolve };
}

async function connect({ target }: Serving) {
  const socket = open(target, true, ATTACKER);
  await untilBegun([socket]);
  socket.write(Buffer.concat([initialWindow(2 ** 30), windowUpdate(0, 2 ** 30)]));
  const goaways: number[] = [];
  let ended = 0;
  onFrames(socket, ({ type, flags, payload }) => {
    if (type === GOAWAY) goaways.push(payload.readUInt32BE(4));
    if (type === FRAME.headers && (flags & END_STREAM) !== 0) ended += 1;
  });
  return {
    socket,
    goaways,
    ended: once(socket, 'close'),
    answered: (count: number) => (ended >= count ? done(undefined) : notYet(ended)),
  };
}

/** The connection was counted, nothing of it is left, and others go on. */
async function isCutOff(serving: Serving, resolve: () => Promise<void>): Promise<void> {
  await resolve();
  assert.equal(await metric(serving.registry, REFUSED), 1);
  await eventually('nothing is left', async () => {
    const left = await metric(serving.registry, 'digger_grpc_open_calls');
    return left === 0 ? done(undefined) : notYet(left);
  });
}

function head(stream: number, path: string): Buffer {
  return frame(FRAME.headers, END_HEADERS, stream, callHeaders(path));
}

/** A message in frames of so many bytes. */
function pieces(stream: number, message: Buffer, bytes: number, ends = false): Buffer[] {
  const frames: Buffer[] = [];
  for (let at = 0; at < message.length; at += bytes) {
    const isLast = ends && at + bytes >= message.length;
    frames.push(frame(FRAME.data, isLast ? END_STREAM : 0, stream, message.subarray(at, at + bytes)));
  }
  return frames;
}
