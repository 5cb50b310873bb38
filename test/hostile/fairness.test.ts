// Floods of calls beside one call of another caller: how many of theirs are begun before it, by count, whatever the
// machine does meanwhile.

import assert from 'node:assert/strict';
import { channel } from 'node:diagnostics_channel';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { describe, it, type TestContext } from 'node:test';

import {
  MAX_AT_ONCE,
  MAX_AT_ONCE_OF_SOURCE,
  MAX_CALLS_PER_TURN,
  READ_BUDGET,
  READ_BUDGET_OF_FLOOD,
  REMEMBERED_MS,
} from '../../src/rpc/limits/fair-queue.ts';
import { NARROW_STREAMS } from '../../src/rpc/calls/narrow-connections.ts';
import { MAX_WOKEN_PER_TURN } from '../../src/rpc/calls/woken-calls.ts';
import type { RpcLimits } from '../../src/rpc/limits/rpc-limits.ts';
import { done, eventually, notYet } from '../observers/eventually.ts';
import { prefixed } from '../observers/raw-call.ts';
import { fakePod, fakeReference, holder, resolved, type FakePicture } from '../rpc/fake-picture.ts';
import { encodeMessage, serve, type Serving } from '../rpc/serving.ts';
import { metric, serveTls } from '../rpc/tls/tls-serving.ts';
import {
  callHeaders,
  END_HEADERS,
  END_STREAM,
  FRAME,
  frame,
  header,
  indexedHeader,
  newestEntry,
  onFrames,
  open,
  PREFACE,
} from './raw-http2.ts';

const KNOWN = '10.0.0.1';
const ASKED_BY_FLOOD = '10.0.0.66';
const RESOLVE = '/digger.v1.LookupService/ResolveAddress';
const CHECK = '/grpc.health.v1.Health/Check';
/** As many as a connection may have at once. */
const CALLS = 100;
/** Those that begin where they are read, and those of one turn. */
const MOST_BEFORE = MAX_AT_ONCE + MAX_CALLS_PER_TURN;
const ATTACKER = '127.0.0.2';

describe('a lookup beside a flood is begun after a few calls of it', () => {
  it('of 1,200 lookups on 12 connections of one address, which all are answered', async (t) => {
    const serving = await begin(t);
    const flood = await connections(serving.target, 12, ATTACKER);
    const [healthy] = await connections(serving.target, 1, '127.0.0.1');
    assert.ok(healthy);
    for (const peer of flood) peer.send(CALLS, lookup(ASKED_BY_FLOOD));
    healthy.send(1, lookup(KNOWN));
    await untilEnded([healthy], 1);
    const before = serving.picture.questions.findIndex(({ address }) => address === KNOWN);
    assert.ok(before <= MOST_BEFORE, `${before} before it`);
    await untilEnded(flood, CALLS);
    assert.equal(serving.picture.questions.length, 12 * CALLS + 1);
    assert.ok((await metric(serving.registry, 'digger_grpc_calls_waited_total')) > 12 * CALLS * 0.9);
    assert.ok((await metric(serving.registry, 'digger_grpc_connections_paused_total')) >= 12, 'they were not read');
    assert.equal(await metric(serving.registry, 'digger_limit_refusals_total{limit="caller_calls"}'), 0);
    await untilNothingIsLeft(serving, [...flood, healthy]);
  });

  it('of 12 connections each of three addresses: in one turn as many are looked at as one connection may bring', async (t) => {
    const serving = await begin(t);
    const flood = await Promise.all([2, 3, 4].map((host) => connections(serving.target, 12, `127.0.0.${host}`)));
    const counted = countInTurns(t, 'http2.server.stream.created');
    for (const peers of flood) for (const peer of peers) peer.send(CALLS, lookup(ASKED_BY_FLOOD));
    await untilEnded(flood.flat(), CALLS);
    const [first = 0, second = 0, ...later] = counted.inTurns().filter((count) => count > 0);
    assert.ok(
      first <= 3 * CALLS && second <= 3 * CALLS,
      `${first}, ${second}: each address once while it is not known`,
    );
    // A socket may give what it has in two parts: the first of them is not enough to stop the others.
    assert.ok(Math.max(...later) < CALLS + READ_BUDGET + MAX_AT_ONCE_OF_SOURCE, `${later.join(' ')} in a turn`);
    await untilNothingIsLeft(serving, flood.flat());
  });

  it('of calls that are reset as soon as they are made: most of them never begin', async (t) => {
    const serving = await begin(t);
    const flood = await connections(serving.target, 10, ATTACKER);
    const [healthy] = await connections(serving.target, 1, '127.0.0.1');
    assert.ok(healthy);
    for (const peer of flood) peer.send(500, lookup(ASKED_BY_FLOOD), (stream) => cancel(stream));
    healthy.send(1, lookup(KNOWN));
    await untilEnded([healthy], 1);
    await untilNothingIsLeft(serving, [...flood, healthy]);
    const begun = await metric(serving.registry, STARTED);
    assert.ok(begun <= 10 * MOST_BEFORE, `${begun} of 5,000 began`);
    assert.equal(await metric(serving.registry, 'digger_limit_refusals_total{limit="rapid_resets"}'), 10, 'cut off');
  });

  it('of as many as a connection may have at once, which are all given up: it may go on', async (t) => {
    const serving = await begin(t);
    const [peer] = await connections(serving.target, 1, ATTACKER);
    assert.ok(peer);
    peer.send(CALLS, lookup(ASKED_BY_FLOOD), (stream) => cancel(stream));
    peer.send(1, lookup(KNOWN));
    await untilEnded([peer], 1);
    assert.equal(await metric(serving.registry, 'digger_limit_refusals_total{limit="rapid_resets"}'), 0);
    await untilNothingIsLeft(serving, [peer]);
  });

  it('of calls for which there is no room: they are reset, and probes are answered', async (t) => {
    // 64 calls of 16 KiB.
    const serving = await begin(t, { maxCallerMemoryBytes: 1024 * 1024 });
    serving.picture.maxWaiters = 10_000;
    const flood = await connections(serving.target, 10, ATTACKER);
    const [probe] = await connections(serving.target, 1, ATTACKER);
    const [healthy] = await connections(serving.target, 1, '127.0.0.1');
    assert.ok(probe && healthy);
    for (const peer of flood) peer.send(CALLS, lookup(ASKED_BY_FLOOD, 20));
    probe.send(1, { path: CHECK, message: Buffer.alloc(0) });
    healthy.send(1, lookup(KNOWN));
    await untilEnded([healthy], 1);
    const before = serving.picture.questions.findIndex(({ address }) => address === KNOWN);
    assert.ok(before <= MOST_BEFORE, `${before} before it`);
    await untilEnded([probe], 1);
    assert.equal(probe.ended, 1, 'with a status');
    const resets = (): number => sum(flood.map((peer) => peer.resets));
    await eventually('most are reset', () => (resets() > 500 ? done(undefined) : notYet(resets())));
    const refused = await metric(serving.registry, 'digger_limit_refusals_total{limit="caller_calls"}');
    assert.ok(refused > 10 && refused <= 10 * CALLS, `${refused} were looked at and refused`);
    // Those connections may have fewer at once now, and no one has to look at what is more.
    const counted = countInTurns(t, 'http2.server.stream.created');
    const before2 = resets();
    for (const peer of flood) peer.send(CALLS, lookup(ASKED_BY_FLOOD, 20));
    await eventually('most are reset', () => (resets() > before2 + 600 ? done(undefined) : notYet(resets())));
    const created = counted.inTurns();
    assert.ok(sum(created) <= 10 * NARROW_STREAMS, `${sum(created)} were looked at`);
    await untilNothingIsLeft(serving, [...flood, probe, healthy]);
  });

  it('of connections that open while their address floods: most of what they send at once is not looked at', async (t) => {
    const serving = await begin(t);
    const first = await connections(serving.target, 2, ATTACKER);
    for (const peer of first) peer.send(CALLS, lookup(ASKED_BY_FLOOD));
    await untilEnded(first, CALLS);
    const counted = countInTurns(t, 'http2.server.stream.created');
    const later = await connections(serving.target, 12, ATTACKER);
    for (const peer of later) peer.send(CALLS, lookup(ASKED_BY_FLOOD));
    await untilEnded(later, NARROW_STREAMS);
    const resets = (): number => sum(later.map((peer) => peer.resets));
    await eventually('the others are refused by HTTP/2', () =>
      resets() === 12 * (CALLS - NARROW_STREAMS) ? done(undefined) : notYet(resets()),
    );
    assert.equal(serving.picture.questions.length, 2 * CALLS + 12 * NARROW_STREAMS);
    const inTurns = counted.inTurns();
    assert.ok(Math.max(...inTurns) <= 2 * READ_BUDGET_OF_FLOOD, `${inTurns.join(' ')} in a turn`);
    const [healthy] = await connections(serving.target, 1, '127.0.0.1');
    assert.ok(healthy);
    healthy.send(CALLS, lookup(KNOWN));
    await untilEnded([healthy], CALLS);
    assert.deepEqual([healthy.resets, healthy.mostAtOnce], [0, CALLS], 'of another address');
    await untilNothingIsLeft(serving, [...first, ...later, healthy]);
  });

  it('of one connection after the other: each may have fewer calls at once until its address is forgotten', async (t) => {
    let laterMs = 0;
    const { now } = performance;
    t.mock.method(performance, 'now', () => now.call(performance) + laterMs);
    const serving = await begin(t);
    const [first] = await connections(serving.target, 1, ATTACKER);
    assert.ok(first);
    first.send(CALLS, lookup(ASKED_BY_FLOOD));
    await untilEnded([first], CALLS);
    assert.equal(first.mostAtOnce, CALLS, 'those that are open keep what they were told');
    const [second] = await connections(serving.target, 1, ATTACKER);
    assert.ok(second);
    await eventually('it is told', () =>
      second.mostAtOnce === NARROW_STREAMS ? done(undefined) : notYet(second.mostAtOnce),
    );
    laterMs = REMEMBERED_MS + 1;
    await eventually('it may have as many as others', () =>
      second.mostAtOnce === CALLS ? done(undefined) : notYet(second.mostAtOnce),
    );
    second.send(CALLS, lookup(ASKED_BY_FLOOD));
    await untilEnded([second], CALLS);
    assert.equal(second.resets, 0);
    await untilNothingIsLeft(serving, [first, second]);
  });

  it('of the same address: a lookup of it on a connection of its own is answered all the same', async (t) => {
    const serving = await begin(t);
    const flood = await connections(serving.target, 10, ATTACKER);
    const [honest] = await connections(serving.target, 1, ATTACKER);
    assert.ok(honest);
    for (const peer of flood) peer.send(CALLS, lookup(ASKED_BY_FLOOD));
    for (let asked = 1; asked <= 20; asked++) {
      honest.send(1, lookup(KNOWN));
      await untilEnded([honest], asked);
    }
    assert.equal(honest.resets, 0);
    await untilEnded(flood, CALLS);
    await untilNothingIsLeft(serving, [...flood, honest]);
  });

  it('of headers of 60 kB that HPACK makes of 30 bytes: a few are unpacked, then the connection is cut', async (t) => {
    const serving = await begin(t);
    const [peer, healthy] = await connections(serving.target, 2, ATTACKER);
    assert.ok(peer && healthy);
    let looked = 0;
    const count = (): void => void (looked += 1);
    channel('http2.server.stream.created').subscribe(count);
    t.after(() => channel('http2.server.stream.created').unsubscribe(count));
    const calls = Array.from({ length: CALLS }, (_, index) => {
      const block = [
        callHeaders(RESOLVE),
        index === 0 ? indexedHeader('x-bomb', 'x'.repeat(3_900)) : Buffer.alloc(0),
        newestEntry(index === 0 ? 14 : 15),
      ];
      return frame(FRAME.headers, END_HEADERS, index * 2 + 1, Buffer.concat(block));
    });
    peer.socket.write(Buffer.concat(calls));
    await once(peer.socket, 'close');
    assert.ok(looked <= 10, `${looked} were unpacked`);
    assert.equal(await metric(serving.registry, 'digger_limit_refusals_total{limit="large_headers"}'), 1);
    // Who merely sends too much is told so, and may go on.
    for (let index = 0; index < 20; index++) {
      const block = Buffer.concat([callHeaders(RESOLVE), header('x-long', 'x'.repeat(9_000))]);
      healthy.socket.write(frame(FRAME.headers, END_HEADERS | END_STREAM, index * 2 + 1, block));
    }
    await untilEnded([healthy], 20);
    assert.equal(healthy.socket.destroyed, false);
    await untilNothingIsLeft(serving, [peer, healthy]);
  });

  it('of 500 lookups that wait and end with their connections: not all in one turn', async (t) => {
    const serving = await begin(t);
    serving.picture.maxWaiters = 10_000;
    const flood = await connections(serving.target, 10, ATTACKER);
    await untilTheyWait(serving, flood);
    const [healthy] = await connections(serving.target, 1, '127.0.0.1');
    assert.ok(healthy);
    const ends = countEnds(serving);
    assert.equal(serving.server.openCalls, 500);
    for (const { socket } of flood) socket.destroy();
    await untilNothingIsLeft(serving, [...flood, healthy]);
    const most = Math.max(...ends);
    assert.ok(most <= READ_BUDGET + 50, `${most} in one turn, one connection more than it takes`);
  });

  it('of 500 lookups that wait and are all woken at once: not all are answered in one turn', async (t) => {
    const serving = await begin(t);
    serving.picture.maxWaiters = 10_000;
    const flood = await connections(serving.target, 10, ATTACKER);
    await untilTheyWait(serving, flood);
    const ends = countEnds(serving);
    serving.picture.setAnswer(ASKED_BY_FLOOD, resolved(holder(fakePod('web-1', fakeReference('web')), 'POD_IP')));
    for (const waiter of [...serving.picture.waiters]) waiter.wake();
    await untilEnded(flood, 50);
    const most = Math.max(...ends);
    assert.ok(most <= 2 * MAX_WOKEN_PER_TURN, `${most} in one turn`);
    await untilNothingIsLeft(serving, flood);
  });

  it('of 500 lookups that wait and whose deadlines have passed together: not all end in one turn', async (t) => {
    const serving = await begin(t);
    serving.picture.maxWaiters = 10_000;
    const flood = await connections(serving.target, 10, ATTACKER);
    await untilTheyWait(serving, flood, '5S');
    const ends = countEnds(serving);
    assert.equal(serving.server.openCalls, 500);
    // Nothing else runs in this thread until the deadlines of all have passed.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5_100);
    await untilEnded(flood, 50);
    const most = Math.max(...ends);
    assert.ok(most <= 2 * MAX_WOKEN_PER_TURN, `${most} in one turn`);
    await untilNothingIsLeft(serving, flood);
  });

  it('of lookups over TLS', async (t) => {
    const serving = await serveTls();
    t.after(() => serving.stop());
    know(serving.picture);
    const flood = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const socket = connectTls({
          port: serving.port,
          host: '127.0.0.1',
          // Who serves is no question here.
          rejectUnauthorized: false,
          ALPNProtocols: ['h2'],
        });
        await once(socket, 'secureConnect');
        socket.write(Buffer.concat([PREFACE, frame(FRAME.settings, 0, 0)]));
        await once(socket, 'data');
        return new Peer(socket);
      }),
    );
    for (const peer of flood) peer.send(CALLS, lookup(ASKED_BY_FLOOD));
    await untilEnded(flood, CALLS);
    assert.ok((await metric(serving.registry, 'digger_grpc_connections_paused_total')) > 0, 'they were not read');
    assert.equal(await metric(serving.registry, 'digger_grpc_connections_paused'), 0);
    for (const { socket } of flood) socket.destroy();
  });
});

/** What is told on a channel, by turn of the event loop; from now until the test ends. */
function countInTurns(t: TestContext, name: string): { inTurns(): readonly number[] } {
  const counts: number[] = [0];
  let isOver = false;
  const count = (): void => void (counts[counts.length - 1] = (counts.at(-1) ?? 0) + 1);
  const turn = (): void => {
    if (counts.at(-1) !== 0) counts.push(0);
    if (!isOver) setImmediate(turn);
  };
  turn();
  channel(name).subscribe(count);
  t.after(() => {
    isOver = true;
    channel(name).unsubscribe(count);
  });
  return { inTurns: () => counts };
}

const STARTED =
  'grpc_server_started_total{grpc_type="unary",grpc_service="digger.v1.LookupService",grpc_method="ResolveAddress"}';

/** What calls may leave, by the service's own account. */
const LEFT = [
  'digger_grpc_connections',
  'digger_grpc_open_calls',
  'digger_grpc_call_memory_bytes',
  'digger_grpc_calls_waiting',
  'digger_grpc_connections_paused',
] as const;

interface FloodCall {
  readonly path: string;
  readonly message: Buffer;
  /** `grpc-timeout`; unset: none. */
  readonly timeout?: string;
}

function lookup(address: string, waitSeconds = 0): FloodCall {
  const wait = waitSeconds === 0 ? {} : { wait: { seconds: waitSeconds } };
  return { path: RESOLVE, message: encodeMessage('digger.v1.ResolveAddressRequest', { address, ...wait }) };
}

function cancel(stream: number): Buffer {
  return frame(FRAME.reset, 0, stream, Buffer.from([0, 0, 0, 8]));
}

/** One connection, in bytes. */
class Peer {
  readonly socket: Socket;
  /** Calls that have ended with a status. */
  ended = 0;
  resets = 0;
  /** Calls that it may have at once, by the settings that it was told. */
  mostAtOnce = 0;
  #streams = 0;

  constructor(socket: Socket) {
    this.socket = socket;
    onFrames(socket, ({ type, flags, payload }) => {
      if (type === FRAME.settings) this.mostAtOnce = settingOf(payload, MAX_CONCURRENT_STREAMS) ?? this.mostAtOnce;
      if (type === FRAME.headers && (flags & END_STREAM) !== 0) this.ended += 1;
      if (type === FRAME.reset) this.resets += 1;
    });
  }

  /** All in one write; `more`: frames after each call. */
  send(
    calls: number,
    { path, message, timeout }: FloodCall,
    more: (stream: number) => Buffer = () => Buffer.alloc(0),
  ): void {
    const frames: Buffer[] = [];
    for (let count = 0; count < calls; count++) {
      const stream = this.#streams * 2 + 1;
      this.#streams += 1;
      const block = [callHeaders(path), ...(timeout === undefined ? [] : [header('grpc-timeout', timeout)])];
      frames.push(frame(FRAME.headers, END_HEADERS, stream, Buffer.concat(block)));
      frames.push(frame(FRAME.data, END_STREAM, stream, prefixed(message)), more(stream));
    }
    this.socket.write(Buffer.concat(frames));
  }
}

/** Of RFC 9113, section 6.5.2. */
const MAX_CONCURRENT_STREAMS = 3;

function settingOf(payload: Buffer, id: number): number | undefined {
  for (let at = 0; at + 6 <= payload.length; at += 6) {
    if (payload.readUInt16BE(at) === id) return payload.readUInt32BE(at + 2);
  }
  return undefined;
}

/** Fifty lookups of each connection that wait; more at a time would have the connections paused as well. */
async function untilTheyWait({ picture }: Serving, peers: readonly Peer[], timeout?: string): Promise<void> {
  for (let round = 1; round <= 10; round++) {
    const call = { ...lookup(ASKED_BY_FLOOD, 20), ...(timeout === undefined ? {} : { timeout }) };
    for (const peer of peers) peer.send(5, call);
    const calls = round * 5 * peers.length;
    await eventually('they wait', () =>
      picture.questions.length === calls ? done(undefined) : notYet(picture.questions.length),
    );
  }
}

/** How many calls ended in each turn of the event loop from now on, until none is open. */
function countEnds({ server }: Serving): readonly number[] {
  const ends: number[] = [];
  let before = server.openCalls;
  const count = (): void => {
    const now = server.openCalls;
    ends.push(before - now);
    before = now;
    if (now !== 0) setImmediate(count);
  };
  setImmediate(count);
  return ends;
}

/** Connections on which HTTP/2 is agreed: what is sent on them next is read at once. */
async function connections(target: string, count: number, from: string): Promise<readonly Peer[]> {
  return Promise.all(
    Array.from({ length: count }, async () => {
      const socket = open(target, true, from);
      const peer = new Peer(socket);
      await once(socket, 'data');
      return peer;
    }),
  );
}

async function begin(t: TestContext, limits: Partial<RpcLimits> = {}): Promise<Serving> {
  const serving = await serve({ limits });
  t.after(() => serving.stop());
  know(serving.picture);
  return serving;
}

function know(picture: FakePicture): void {
  picture.setAnswer(KNOWN, resolved(holder(fakePod('web-0', fakeReference('web')), 'POD_IP')));
}

function untilEnded(peers: readonly Peer[], calls: number): Promise<void> {
  const ended = (): number => sum(peers.map((peer) => peer.ended));
  return eventually('the calls have ended', () =>
    peers.every((peer) => peer.ended >= calls) ? done(undefined) : notYet(`${ended()} of ${peers.length * calls}`),
  );
}

/** Closes the connections; all that they took is given back. */
async function untilNothingIsLeft({ server, registry }: Serving, peers: readonly Peer[]): Promise<void> {
  for (const { socket } of peers) socket.destroy();
  await eventually('everything is given back', async () => {
    const left = await Promise.all(LEFT.map((name) => metric(registry, name)));
    return sum(left) === 0 ? done(undefined) : notYet(left);
  });
  assert.equal(server.openCalls, 0);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, one) => all + one, 0);
}
