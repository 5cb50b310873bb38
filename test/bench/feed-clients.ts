// Subscribers for feed.bench.ts: some that read what they get, over node:http2, and some that only take it away.
//
// The latter write their requests by hand, open every window as far as it goes, and then read into one buffer that is
// never looked at. A thousand of them cost this process little, which leaves the server its core; they answer no ping,
// so that they last for half a minute.

import { type ClientHttp2Session, connect } from 'node:http2';
import { createConnection, type Socket } from 'node:net';
import { NARROW_STREAMS } from '../../src/rpc/calls/narrow-connections.ts';
import { callHeaders } from '../observers/raw-call.ts';

export interface Clients {
  /** Received so far. */
  readonly bytes: () => number;
  close(): void;
}

export interface SubscribeRequest {
  readonly resumeToken?: Uint8Array;
  readonly snapshotOnly?: boolean;
  readonly timelines?: boolean;
}

export interface SubscribeOptions extends SubscribeRequest {
  readonly perConnection?: number;
  readonly onData?: (chunk: Buffer) => void;
}

const PATH = '/digger.v1.ChangeFeedService/Watch';
const STREAMS_PER_CONNECTION = 50;

/** Resolves when the server has answered all of them. */
export async function subscribe(port: number, count: number, options: SubscribeOptions = {}): Promise<Clients> {
  const { perConnection = STREAMS_PER_CONNECTION, onData } = options;
  const sessions: ClientHttp2Session[] = [];
  let bytes = 0;
  const started: Promise<void>[] = [];
  const request = encodeRequest(options);
  for (let index = 0; index < count; index++) {
    if (index % perConnection === 0) {
      const session = connect(`http://127.0.0.1:${port}`, { settings: { initialWindowSize: 1 << 20 } });
      session.on('error', () => undefined);
      session.once('connect', () => session.setLocalWindowSize(1 << 24));
      sessions.push(session);
    }
    const stream = sessions.at(-1)?.request(callHeaders(PATH));
    if (stream === undefined) throw new Error('no session');
    stream.on('error', () => undefined);
    stream.on('data', (chunk: Buffer) => {
      bytes += chunk.byteLength;
      onData?.(chunk);
    });
    started.push(new Promise((resolve) => stream.once('response', () => resolve())));
    stream.end(request);
  }
  await Promise.all(started);
  return {
    bytes: () => bytes,
    close: () => {
      for (const session of sessions) session.destroy();
    },
  };
}

/**
 * Resolves when their requests are on their way. A connection has no more of them than the server allows one whose
 * address floods, which hundreds at once are: these clients send everything in one write, heed no settings, and do not
 * ask again.
 */
export async function drain(
  port: number,
  count: number,
  request: SubscribeRequest = {},
  perConnection = NARROW_STREAMS,
): Promise<Clients> {
  const sockets: Socket[] = [];
  let bytes = 0;
  const buffer = Buffer.alloc(256 * 1024);
  const callback = (read: number): boolean => {
    bytes += read;
    return true;
  };
  const message = encodeRequest(request);
  for (let from = 0; from < count; from += perConnection) {
    const socket = createConnection({ host: '127.0.0.1', port, noDelay: true, onread: { buffer, callback } });
    socket.on('error', () => undefined);
    const frames = [
      Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
      frame(SETTINGS, 0, 0, Buffer.concat([Buffer.of(0, INITIAL_WINDOW_SIZE), uint32(MAX_WINDOW)])),
      frame(WINDOW_UPDATE, 0, 0, uint32(MAX_WINDOW - DEFAULT_WINDOW)),
    ];
    for (let index = 0; index < Math.min(perConnection, count - from); index++) {
      const stream = 2 * index + 1;
      frames.push(frame(HEADERS, END_HEADERS, stream, REQUEST_HEADERS), frame(DATA, END_STREAM, stream, message));
    }
    socket.write(Buffer.concat(frames));
    sockets.push(socket);
  }
  await Promise.all(sockets.map((socket) => new Promise<void>((resolve) => socket.once('connect', resolve))));
  return {
    bytes: () => bytes,
    close: () => {
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** A `WatchRequest` behind the prefix of a gRPC message. */
function encodeRequest({ resumeToken, snapshotOnly = false, timelines = false }: SubscribeRequest): Buffer {
  const fields = [
    // Field 3, resume_token: its length in two bytes, also where one would do.
    ...(resumeToken === undefined
      ? []
      : [Buffer.of(0x1a, (resumeToken.length & 0x7f) | 0x80, resumeToken.length >> 7), resumeToken]),
    // Field 4, snapshot_only.
    ...(snapshotOnly ? [Buffer.of(0x20, 1)] : []),
    // Field 6, timelines.
    ...(timelines ? [Buffer.of(0x30, 1)] : []),
  ];
  const message = Buffer.concat(fields);
  return Buffer.concat([Buffer.of(0), uint32(message.length), message]);
}

// RFC 9113, section 6.
const DATA = 0;
const HEADERS = 1;
const SETTINGS = 4;
const WINDOW_UPDATE = 8;
const END_STREAM = 1;
const END_HEADERS = 4;
const INITIAL_WINDOW_SIZE = 4;
const DEFAULT_WINDOW = 65_535;
const MAX_WINDOW = 2 ** 31 - 1;

function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/**
 * RFC 7541 without a dynamic table: `:method: POST` and `:scheme: http` as they stand in the static one, others as
 * text.
 */
const REQUEST_HEADERS = Buffer.concat([
  Buffer.of(0x83, 0x86),
  Buffer.of(0x04),
  hpackText(PATH),
  Buffer.of(0x01),
  hpackText('127.0.0.1'),
  Buffer.of(0x00),
  hpackText('content-type'),
  hpackText('application/grpc'),
  Buffer.of(0x00),
  hpackText('te'),
  hpackText('trailers'),
]);

function hpackText(text: string): Buffer {
  return Buffer.concat([Buffer.of(text.length), Buffer.from(text)]);
}
