// HTTP/2 by hand, for callers that no library would be: frames as bytes, in any order, of any length.
import { connect, type Socket } from 'node:net';

export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

/** Frame types of RFC 9113, section 6. */
export const FRAME = { data: 0, headers: 1, reset: 3, settings: 4, ping: 6, windowUpdate: 8, continuation: 9 } as const;
export const END_STREAM = 0x1;
export const END_HEADERS = 0x4;

/** One frame. The length is that of the payload unless told otherwise. */
export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Buffer = Buffer.alloc(0),
  length?: number,
): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(length ?? payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** The header block of a lookup. */
export function lookupHeaders(): Buffer {
  return callHeaders('/digger.v1.LookupService/ResolveAddress');
}

/** The header block of a call, in HPACK without its dynamic table (RFC 7541, appendix A names the indices). */
export function callHeaders(path: string): Buffer {
  return Buffer.concat([
    // :method POST, :scheme http
    Buffer.from([0x83, 0x86]),
    // :path, then content-type: names by their index, values as they are.
    Buffer.from([0x04]),
    text(path),
    // :authority, without which HTTP/2 resets a request before any handler sees it.
    Buffer.from([0x01]),
    text('digger'),
    Buffer.from([0x0f, 0x10]),
    text('application/grpc'),
    Buffer.from([0x00]),
    text('te'),
    text('trailers'),
  ]);
}

/** A header that enters the dynamic table of HPACK, as its newest entry. */
export function indexedHeader(name: string, value: string): Buffer {
  return Buffer.concat([Buffer.from([0x40]), text(name), text(value)]);
}

/** The newest entry of the dynamic table, so many times: a byte each on the wire. */
export function newestEntry(times: number): Buffer {
  return Buffer.alloc(times, 0x80 | 62);
}

/** A subscription to everything, as the first call of a connection. */
export function watchCall(): Buffer {
  return Buffer.concat([
    frame(FRAME.headers, END_HEADERS, 1, callHeaders('/digger.v1.ChangeFeedService/Watch')),
    // One empty message: not compressed, no bytes.
    frame(FRAME.data, END_STREAM, 1, Buffer.alloc(5)),
  ]);
}

/** Settings: how many bytes may be sent on a stream before more is asked for. */
export function initialWindow(bytes: number): Buffer {
  const payload = Buffer.alloc(6);
  payload.writeUInt16BE(4, 0);
  payload.writeUInt32BE(bytes, 2);
  return frame(FRAME.settings, 0, 0, payload);
}

/** Lets so many bytes more be sent on a stream; 0: on the connection. */
export function windowUpdate(stream: number, bytes: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(bytes, 0);
  return frame(FRAME.windowUpdate, 0, stream, payload);
}

/** A header with a name that the other side does not know. */
export function header(name: string, value: string): Buffer {
  return Buffer.concat([Buffer.from([0x00]), text(name), text(value)]);
}

/**
 * A connection on which the preface and empty settings have been sent. `localAddress`: whom it comes from, on loopback.
 * `allowHalfOpen`: it stays when the other side has closed, until that side does not even answer.
 */
export function open(address: string, preface = true, localAddress = '127.0.0.1', allowHalfOpen = false): Socket {
  const [host, port] = address.split(':');
  const socket = connect({ host: host ?? '', port: Number(port), localAddress, allowHalfOpen });
  // To be refused is what these callers are for.
  socket.on('error', () => socket.destroy());
  socket.resume();
  if (preface) socket.write(Buffer.concat([PREFACE, frame(FRAME.settings, 0, 0)]));
  return socket;
}

/** Resolves when each of them has heard from the other side, which is when its HTTP/2 has begun there, or has closed. */
export async function untilBegun(sockets: readonly Socket[]): Promise<void> {
  const begun = (socket: Socket): Promise<void> =>
    new Promise((resolve) => {
      if (socket.bytesRead > 0 || socket.closed) resolve();
      else socket.once('data', () => resolve()).once('close', () => resolve());
    });
  await Promise.all(sockets.map(begun));
}

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly payload: Buffer;
}

/** Reads what comes on a connection, a frame at a time. */
export function onFrames(socket: Socket, listener: (frame: Frame) => void): void {
  let unread: Buffer = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    unread = Buffer.concat([unread, chunk]);
    while (unread.length >= 9) {
      const end = 9 + unread.readUIntBE(0, 3);
      if (unread.length < end) return;
      const [type = 0, flags = 0] = [unread[3], unread[4]];
      const payload = unread.subarray(9, end);
      unread = unread.subarray(end);
      listener({ type, flags, payload });
    }
  });
}

/** Resolves when the other side has closed, or after `patienceMs`; the socket is gone then. */
export function untilClosed(socket: Socket, patienceMs: number): Promise<'closed' | 'open'> {
  return new Promise((resolve) => {
    if (socket.closed) {
      resolve('closed');
      return;
    }
    const timer = setTimeout(() => {
      resolve('open');
      socket.destroy();
    }, patienceMs);
    socket.once('close', () => {
      clearTimeout(timer);
      resolve('closed');
    });
  });
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  if (bytes.length < 127) return Buffer.concat([Buffer.from([bytes.length]), bytes]);
  // HPACK integers: seven bits, then seven more a byte.
  const length = [127];
  let rest = bytes.length - 127;
  for (; rest >= 128; rest >>= 7) length.push((rest & 127) | 128);
  return Buffer.concat([Buffer.from([...length, rest]), bytes]);
}
