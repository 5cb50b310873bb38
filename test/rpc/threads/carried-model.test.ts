// A carried stream beside node's own: the same frames come from a caller, and the same is done here, in the order that the
// gate and grpc-js may do it; then the same events have to come in the same order, and the same frames have to go.
//
// Both are real: HTTP/2 over sockets, each step after the one before has been seen everywhere. What one step sends comes in
// one read, so that a reset follows its request before anything of it was looked at.

import assert from 'node:assert/strict';
import { createServer, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { it } from 'node:test';
import fc from 'fast-check';

import type { CarriedStream } from '../../../src/rpc/threads/carried-stream.ts';
import {
  callHeaders,
  END_HEADERS,
  END_STREAM,
  FRAME,
  frame,
  initialWindow,
  open,
  windowUpdate,
} from '../../hostile/raw-http2.ts';
import { serveInOneThread } from './in-one-thread.ts';

/** Of a caller; `stream` counts from 0, and one that is not open yet is passed over. */
type Sent =
  | { readonly sends: 'headers'; readonly ends: boolean }
  | { readonly sends: 'data'; readonly stream: number; readonly bytes: number; readonly ends: boolean }
  | { readonly sends: 'reset'; readonly stream: number; readonly code: number }
  | { readonly sends: 'window'; readonly stream: number; readonly bytes: number };

type Done =
  | { readonly does: 'pause' | 'resume' | 'respond' | 'refuse' | 'end' | 'answer' | 'destroy'; readonly stream: number }
  | { readonly does: 'write' | 'frame'; readonly stream: number; readonly bytes: number }
  | { readonly does: 'close'; readonly stream: number; readonly code: number }
  | { readonly does: 'retire' }
  | { readonly does: 'endSession'; readonly code: number };

type Step = { readonly sent: readonly Sent[] } | { readonly done: Done };

/** What a call needs of its stream, of node's own and of one that is carried. */
type Stream = Pick<
  CarriedStream,
  | 'pause'
  | 'resume'
  | 'respond'
  | 'end'
  | 'sendTrailers'
  | 'close'
  | 'destroy'
  | 'closed'
  | 'destroyed'
  | 'aborted'
  | 'on'
  | 'rstCode'
> & { write(bytes: Uint8Array, taken: (error?: Error | null) => void): unknown; writableEnded: boolean };

interface Side {
  readonly target: string;
  readonly sessions: readonly ServerHttp2Session[];
  settled(): Promise<void>;
  close(): void;
}

const streamNumber = fc.nat({ max: 2 });
const code = fc.constantFrom(0, 8, 11);
const sent: fc.Arbitrary<Sent> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ sends: fc.constant('headers' as const), ends: fc.boolean() }) },
  {
    weight: 4,
    arbitrary: fc.record({
      sends: fc.constant('data' as const),
      stream: streamNumber,
      bytes: fc.oneof(fc.nat({ max: 40 }), fc.integer({ min: 9_000, max: 16_000 })),
      ends: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ sends: fc.constant('reset' as const), stream: streamNumber, code }) },
  {
    weight: 2,
    arbitrary: fc.record({
      sends: fc.constant('window' as const),
      stream: streamNumber,
      bytes: fc.integer({ min: 1, max: 5_000 }),
    }),
  },
);
const done: fc.Arbitrary<Done> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      does: fc.constantFrom(
        'pause' as const,
        'resume' as const,
        'respond' as const,
        'refuse' as const,
        'end' as const,
        'answer' as const,
        'destroy' as const,
      ),
      stream: streamNumber,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      does: fc.constantFrom('write' as const, 'frame' as const),
      stream: streamNumber,
      bytes: fc.integer({ min: 1, max: 5_000 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('close' as const), stream: streamNumber, code }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('retire' as const) }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('endSession' as const), code }) },
);
const steps = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.record({ sent: fc.array(sent, { minLength: 1, maxLength: 4 }) }) },
    { weight: 4, arbitrary: fc.record({ done }) },
  ) as fc.Arbitrary<Step>,
  { minLength: 2, maxLength: 14 },
);

it('a carried stream has the events of one of node itself, in their order, and its caller gets the same', async () => {
  await fc.assert(
    fc.asyncProperty(steps, fc.constantFrom(0, 100, 65_535), async (run, window) => {
      const own = await play(run, window, serveItself);
      const carried = await play(run, window, serveCarried);
      for (const [index, step] of own.entries()) {
        assert.deepEqual(carried[index], step, `after step ${index} of ${JSON.stringify(run)}`);
      }
    }),
    { numRuns: Number(process.env['MODEL_RUNS'] ?? 60) },
  );
});

type TakeStream = (stream: Stream, once: (isOnce: boolean) => void) => void;

async function serveItself(take: TakeStream): Promise<Side> {
  const sessions: ServerHttp2Session[] = [];
  const server = createServer({ maxSendHeaderBlockLength: Number.MAX_SAFE_INTEGER });
  server.on('session', (session) => sessions.push(session));
  server.on('stream', (stream: ServerHttp2Stream) => {
    stream.on('error', () => undefined);
    take(stream as unknown as Stream, () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    target: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    sessions,
    async settled() {
      for (let turn = 0; turn < 6; turn++) await new Promise((resolve) => setImmediate(resolve));
    },
    close() {
      for (const session of sessions) session.destroy();
      server.close();
    },
  };
}

async function serveCarried(take: TakeStream): Promise<Side> {
  return serveInOneThread((given) => {
    const stream = given as unknown as CarriedStream;
    take(stream, (isOnce) => {
      stream.answersOnce = isOnce;
    });
  });
}

/** What was seen after each step. */
async function play(
  run: readonly Step[],
  window: number,
  serve: (take: TakeStream) => Promise<Side>,
): Promise<object[]> {
  const streams: { readonly stream: Stream; readonly events: string[]; hasResponded: boolean }[] = [];
  const side = await serve((stream, once) => {
    const events: string[] = [];
    const index = streams.push({ stream, events, hasResponded: false }) - 1;
    once(false);
    onceOf.set(index, once);
    follow(stream, events);
  });
  const onceOf = new Map<number, (isOnce: boolean) => void>();
  const received = new Received();
  const socket = open(side.target).setNoDelay();
  received.read(socket);
  socket.write(initialWindow(window));
  const seen: object[] = [];
  let opened = 0;
  try {
    for (const step of run) {
      if ('sent' in step) {
        const frames: Buffer[] = [];
        for (const each of step.sent) {
          if (each.sends === 'headers') opened += 1;
          const bytes = toFrame(each, opened);
          if (bytes !== undefined) frames.push(bytes);
        }
        socket.write(Buffer.concat(frames));
      } else {
        act(step.done, streams, onceOf, side.sessions);
      }
      await side.settled();
      await received.ping(socket);
      await side.settled();
      await received.ping(socket);
      seen.push({
        streams: streams.map(({ stream, events }) => ({
          events: [...events],
          closed: stream.closed,
          destroyed: stream.destroyed,
          aborted: stream.aborted,
        })),
        received: received.told(),
      });
      if (received.isSilent) break;
    }
  } finally {
    socket.destroy();
    side.close();
  }
  return seen;
}

function follow(stream: Stream, events: string[]): void {
  stream.on('data', (chunk: Buffer) => {
    // What comes of one that has closed, or was answered, grpc-js does not look at.
    if (stream.closed || stream.writableEnded) return;
    const [last] = events.slice(-1);
    if (last?.startsWith('data ')) events[events.length - 1] = `data ${Number(last.slice(5)) + chunk.length}`;
    else events.push(`data ${chunk.length}`);
  });
  // As grpc-js does.
  stream.pause();
  stream.on('end', () => {
    if (!stream.closed && !stream.writableEnded) events.push('end');
  });
  stream.on('aborted', () => {
    events.push('aborted');
    // As the gate does of calls that wait, and grpc-js of those that have ended: what is not read does not close.
    stream.resume();
  });
  // When they are wanted differs: a unary answer leaves as a whole. When they go does not.
  stream.on('wantTrailers', () => {
    stream.sendTrailers({ 'grpc-status': '0' });
    stream.resume();
  });
  stream.on('close', () => events.push(`close ${stream.rstCode}`));
}

function act(
  doing: Done,
  streams: { readonly stream: Stream; readonly events: string[]; hasResponded: boolean }[],
  onceOf: ReadonlyMap<number, (isOnce: boolean) => void>,
  sessions: readonly ServerHttp2Session[],
): void {
  if (doing.does === 'retire') {
    sessions[0]?.close();
    return;
  }
  if (doing.does === 'endSession') {
    sessions[0]?.destroy(new Error('told to'), doing.code);
    return;
  }
  const call = streams[doing.stream];
  if (call === undefined) return;
  const { stream, events } = call;
  // What grpc-js looks at before it does anything.
  const isGone = stream.closed || stream.destroyed;
  switch (doing.does) {
    case 'pause':
      // Once it is answered, what still comes is thrown away.
      if (!isGone && !stream.writableEnded) stream.pause();
      return;
    case 'resume':
      stream.resume();
      return;
    case 'respond':
      if (isGone || call.hasResponded) return;
      call.hasResponded = true;
      stream.respond({ ':status': 200 }, { waitForTrailers: true } as object);
      return;
    case 'refuse':
      if (isGone || call.hasResponded) return;
      call.hasResponded = true;
      stream.respond({ ':status': 200, 'grpc-status': '13' }, { endStream: true });
      stream.resume();
      return;
    case 'write':
    case 'frame':
      if (isGone || !call.hasResponded || stream.writableEnded) return;
      writeTo(stream, doing.does, Buffer.alloc(doing.bytes), (error) => {
        if (error === undefined || error === null) events.push('taken');
      });
      return;
    case 'end':
      if (!isGone && call.hasResponded && !stream.writableEnded) stream.end();
      return;
    case 'answer':
      if (isGone || call.hasResponded) return;
      call.hasResponded = true;
      onceOf.get(doing.stream)?.(true);
      stream.respond({ ':status': 200 }, { waitForTrailers: true } as object);
      stream.write(Buffer.alloc(20), () => undefined);
      stream.end();
      return;
    case 'close':
      stream.close(doing.code);
      stream.resume();
      return;
    case 'destroy':
      stream.destroy();
  }
}

function writeTo(stream: Stream, how: 'write' | 'frame', bytes: Buffer, taken: (error?: Error | null) => void): void {
  const carried = stream as Partial<CarriedStream>;
  if (how === 'frame' && carried.writeFrame !== undefined) (stream as CarriedStream).writeFrame(bytes, taken);
  else stream.write(bytes, taken);
}

function toFrame(each: Sent, opened: number): Buffer | undefined {
  if (each.sends === 'headers') {
    const flags = END_HEADERS | (each.ends ? END_STREAM : 0);
    return frame(FRAME.headers, flags, opened * 2 - 1, callHeaders('/digger.v1.LookupService/ResolveAddress'));
  }
  if (each.stream >= opened) return undefined;
  const id = each.stream * 2 + 1;
  switch (each.sends) {
    case 'data':
      return frame(FRAME.data, each.ends ? END_STREAM : 0, id, Buffer.alloc(each.bytes));
    case 'reset': {
      const payload = Buffer.alloc(4);
      payload.writeUInt32BE(each.code, 0);
      return frame(FRAME.reset, 0, id, payload);
    }
    case 'window':
      return windowUpdate(id, each.bytes);
  }
}

/** Neither an answer to a ping nor an end. */
const SILENT_MS = 1_000;

/** What a caller got, by stream, with bytes that follow one another as one. */
class Received {
  readonly #streams = new Map<number, string[]>();
  #unread: Buffer = Buffer.alloc(0);
  #pings = 0;
  /** It has not closed, and answers nothing. */
  isSilent = false;
  #isClosed = false;
  #onChange: () => void = () => undefined;

  read(socket: Socket): void {
    socket.on('data', (chunk: Buffer) => {
      this.#unread = Buffer.concat([this.#unread, chunk]);
      while (this.#unread.length >= 9) {
        const end = 9 + this.#unread.readUIntBE(0, 3);
        if (this.#unread.length < end) break;
        this.#take(this.#unread.subarray(0, end));
        this.#unread = this.#unread.subarray(end);
      }
      this.#onChange();
    });
    socket.on('close', () => {
      this.#isClosed = true;
      this.#onChange();
    });
  }

  /** Resolves when the other side has read, and answered, all that was sent before; or has closed. */
  async ping(socket: Socket): Promise<void> {
    if (this.#isClosed || this.isSilent) return;
    const wanted = this.#pings + 1;
    socket.write(frame(FRAME.ping, 0, 0, Buffer.alloc(8)));
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => {
        this.isSilent = true;
        resolve();
      }, SILENT_MS);
      this.#onChange = (): void => {
        if (!this.#isClosed && this.#pings < wanted) return;
        clearTimeout(timer);
        resolve();
      };
    });
  }

  told(): object {
    return {
      isClosed: this.#isClosed,
      isSilent: this.isSilent,
      streams: [...this.#streams].map(([id, told]) => ({ id, told: [...told] })),
    };
  }

  #take(bytes: Buffer): void {
    const [type, flags = 0] = [bytes[3], bytes[4]];
    const id = bytes.readUInt32BE(5);
    if (type === FRAME.ping && (flags & 1) === 1) this.#pings += 1;
    if (id === 0) {
      if (type === 7) this.#tell(0, `goaway ${bytes.readUInt32BE(13)}`);
      return;
    }
    const ends = (flags & END_STREAM) === 0 ? '' : ' and ends';
    if (type === FRAME.headers) this.#tell(id, `headers${ends}`);
    if (type === FRAME.reset) this.#tell(id, `reset ${bytes.readUInt32BE(9)}`);
    if (type === FRAME.data) {
      const told = this.#streams.get(id) ?? [];
      const [last] = told.slice(-1);
      const length = bytes.length - 9;
      if (last?.startsWith('data ') === true && !last.endsWith('ends')) {
        told[told.length - 1] = `data ${Number(last.slice(5)) + length}${ends}`;
      } else {
        this.#tell(id, `data ${length}${ends}`);
      }
    }
  }

  #tell(id: number, what: string): void {
    const told = this.#streams.get(id);
    if (told === undefined) this.#streams.set(id, [what]);
    else told.push(what);
  }
}
