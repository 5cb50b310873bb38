// Unary methods of ours do without grpc-js, and no caller can tell: the same requests, good, bad and odd, cut anywhere
// and broken off anywhere, go to a server as it is and to one whose calls all go through grpc-js. What comes back and
// what is counted has to be the same.

import assert from 'node:assert/strict';
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';

import { unauthenticated } from '../../../src/rpc/errors/outcomes.ts';
import type { RpcServerOptions } from '../../../src/rpc/server.ts';
import { callHeaders, prefixed } from '../../observers/raw-call.ts';
import {
  FRAME,
  END_HEADERS,
  END_STREAM,
  frame,
  header,
  lookupHeaders,
  onFrames,
  open,
} from '../../hostile/raw-http2.ts';
import { fakePod, fakeReference, holder, resolved, START_MS } from '../fake-picture.ts';
import { decodeDetails, decodeMessage, encodeMessage, eventually, serve, type Serving } from '../serving.ts';

const LOOKUPS = '/digger.v1.LookupService';
const RESOLVE = `${LOOKUPS}/ResolveAddress`;
const STATUS = '/digger.v1.StatusService/GetStatus';
const KNOWN = '10.0.0.1';
const UNKNOWN = '10.0.0.9';

/** What is sent of one call, and when. */
interface Script {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Each in a frame of its own, seen by the server before the next one is sent. */
  readonly pieces: readonly Buffer[];
  /** After the last piece: its end with it or in an empty frame, a reset, or nothing. */
  readonly ends: 'with it' | 'after it' | 'never' | number;
}

/** What its caller sees. */
interface Outcome {
  readonly headers: Readonly<Record<string, unknown>> | undefined;
  readonly body: string;
  readonly trailers: Readonly<Record<string, unknown>> | undefined;
  readonly code: number;
}

/** A server, and connections to it: one for each call, because so many pings on one would end it. */
class Side {
  readonly serving: Serving;
  /** Verdicts on callers that are waited for. */
  readonly undecided: (() => void)[];

  private constructor(serving: Serving, undecided: (() => void)[]) {
    this.serving = serving;
    this.undecided = undecided;
  }

  static async start(options: Partial<RpcServerOptions>, isAsked: boolean): Promise<Side> {
    const undecided: (() => void)[] = [];
    const authenticate: RpcServerOptions['authenticate'] = (call) => {
      const [verdict] = call.metadata.get('x-verdict');
      if (verdict === 'throws') throw new Error('the authenticator failed');
      if (verdict === 'bad') return unauthenticated('not you');
      call.name = 'user:somebody';
      if (verdict !== 'late') return undefined;
      return new Promise((resolve) => undecided.push(() => resolve(undefined)));
    };
    const asked = isAsked ? { authenticate } : {};
    // Where two threads serve, what is seen first is not the same twice.
    const serving = await serve({ nowMs: () => START_MS + 60_000, threads: 1, ...asked, ...options });
    serving.picture.maxWaiters = 1_000;
    const pod = fakePod('web-0', fakeReference('web'));
    serving.picture.setAnswer(KNOWN, resolved(holder(pod, 'POD_IP')));
    serving.picture.setEntity(pod);
    return new Side(serving, undecided);
  }

  async stop(): Promise<void> {
    await this.serving.stop();
  }

  async withSession<Result>(
    run: (session: ClientHttp2Session) => Promise<Result>,
    initialWindowSize = 65_535,
  ): Promise<Result> {
    const session = connect(`http://${this.serving.target}`, { settings: { initialWindowSize } });
    await new Promise((resolve) => session.once('connect', resolve));
    try {
      return await run(session);
    } finally {
      session.destroy();
    }
  }

  run(script: Script): Promise<Outcome> {
    return this.withSession((session) => this.#play(session, script));
  }

  async #play(session: ClientHttp2Session, { path, headers, pieces, ends }: Script): Promise<Outcome> {
    const { stream, outcome } = begin(session, path, headers);
    for (const [index, piece] of pieces.entries()) {
      if (stream.closed) break;
      if (ends === 'with it' && index === pieces.length - 1) stream.end(piece);
      else if (piece.length > 0) stream.write(piece);
      await seen(session);
    }
    if (!stream.closed && typeof ends === 'number') stream.close(ends);
    else if (!stream.closed && ends !== 'never') stream.end();
    await seen(session);
    this.decide();
    if (ends === 'never') {
      await seen(session);
      await seen(session);
      // With a deadline the server ends it.
      if (!stream.closed && headers['grpc-timeout']?.endsWith('m') !== true) stream.close(constants.NGHTTP2_CANCEL);
    }
    const deciding = setInterval(() => this.decide(), 5);
    const ended = await outcome;
    clearInterval(deciding);
    return ended;
  }

  /** Lets callers in that wait for it. */
  decide(): void {
    for (const decide of this.undecided.splice(0)) decide();
  }

  async nothingIsOpen(): Promise<void> {
    for (let tries = 0; tries < 1_000; tries += 1) {
      const open = await this.serving.registry.getSingleMetric('digger_grpc_open_calls')?.get();
      if (open?.values[0]?.value === 0 && this.serving.server.openCalls === 0) return;
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.fail('calls are still open');
  }

  /** All counters that are not 0; of histograms, how much was observed. */
  async counters(): Promise<ReadonlyMap<string, number>> {
    await this.nothingIsOpen();
    const counted = new Map<string, number>();
    for (const { name, type, values } of await this.serving.registry.getMetricsAsJSON()) {
      if (String(type) !== 'counter' && String(type) !== 'histogram') continue;
      for (const { value, labels, metricName } of values as readonly MetricValue[]) {
        const of = metricName ?? name;
        if (String(type) === 'histogram' && !of.endsWith('_count')) continue;
        if (value !== 0) counted.set(`${of}${JSON.stringify(labels)}`, value);
      }
    }
    return counted;
  }
}

/** With what its one call was counted at its end. */
function codeOf({ counters }: Counted): string | undefined {
  return Object.keys(counters)
    .map((name) => /^grpc_server_handled_total.*"grpc_code":"(\w+)"/.exec(name)?.[1])
    .find((code) => code !== undefined);
}

/** grpc-js may end a call a little before its deadline by the clock, which is then counted as if it was given up. */
function countedInTime({ result, counters }: Counted): Counted {
  const renamed = Object.entries(counters).map(([name, count]) => [
    name.replace('"Cancelled"', '"DeadlineExceeded"'),
    count,
  ]);
  return { result, counters: Object.fromEntries(renamed) };
}

/** Everything that was sent until now has been looked at. */
function seen(session: ClientHttp2Session): Promise<void> {
  return new Promise((resolve, reject) => {
    session.ping((error) => (error === null ? resolve() : reject(error)));
  });
}

function begin(
  session: ClientHttp2Session,
  path: string,
  headers: Script['headers'] = {},
): { readonly stream: ClientHttp2Stream; readonly outcome: Promise<Outcome> } {
  const stream = session.request({ ...callHeaders(path), ...headers });
  stream.on('error', () => undefined);
  const outcome = new Promise<Outcome>((resolve) => {
    const chunks: Buffer[] = [];
    let answered: Outcome['headers'];
    let trailers: Outcome['trailers'];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('response', (received) => {
      answered = comparable(received);
    });
    stream.on('trailers', (received) => {
      trailers = comparable(received);
    });
    stream.once('close', () => {
      const body = Buffer.concat(chunks).toString('hex');
      resolve({ headers: answered, body, trailers, code: stream.rstCode });
    });
  });
  return { stream, outcome };
}

interface MetricValue {
  readonly value: number;
  readonly labels: object;
  readonly metricName?: string;
}

/** Without what is different every time: the moment, and the id of a request in the details of its error. */
function comparable(headers: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const rest: Record<string, unknown> = { ...headers, ...(headers['date'] === undefined ? {} : { date: 'some' }) };
  const details = rest['grpc-status-details-bin'];
  if (typeof details !== 'string') return rest;
  const decoded = decodeMessage('google.rpc.Status', Buffer.from(details, 'base64'));
  const { RequestInfo, ...others } = decodeDetails(decoded);
  return {
    ...rest,
    'grpc-status-details-bin': {
      ...decoded,
      details: { ...others, hasId: typeof RequestInfo?.['requestId'] === 'string' },
    },
  };
}

interface Counted {
  readonly result: unknown;
  readonly counters: object;
}

async function counted(side: Side, run: () => Promise<unknown>): Promise<Counted> {
  const earlier = await side.counters();
  const result = await run();
  const counters: Record<string, number> = {};
  for (const [name, value] of await side.counters()) {
    const more = value - (earlier.get(name) ?? 0);
    if (more !== 0) counters[name] = more;
  }
  return { result, counters };
}

const lookup = (fields: Record<string, unknown>): Buffer =>
  prefixed(encodeMessage('digger.v1.ResolveAddressRequest', fields));

/** A prefix that says so, whatever follows. */
function head(flag: number, length: number): Buffer {
  const bytes = Buffer.alloc(5);
  bytes[0] = flag;
  bytes.writeUInt32BE(length, 1);
  return bytes;
}

const requests = {
  known: lookup({ address: KNOWN }),
  unknown: lookup({ address: UNKNOWN }),
  wrong: lookup({ address: 'no address: ü %', view: 77 }),
  empty: prefixed(),
  nothing: Buffer.alloc(0),
  malformed: prefixed(Buffer.from([0x0a, 0x7f, 0x01])),
  large: Buffer.concat([head(0, 30_000), Buffer.alloc(30_000, 0x42)]),
  'too large': head(0, 262_145),
  largest: head(0, 0xff_ff_ff_ff),
  compressed: Buffer.concat([head(1, 3), Buffer.alloc(3)]),
  'of an unknown flag': head(7, 0),
  two: Buffer.concat([lookup({ address: KNOWN }), lookup({ address: KNOWN })]),
  'with a byte too much': Buffer.concat([lookup({ address: KNOWN }), Buffer.alloc(1)]),
  'half a prefix': Buffer.alloc(3),
  'cut off': lookup({ address: KNOWN }).subarray(0, -2),
  batch: prefixed(
    encodeMessage('digger.v1.BatchResolveAddressesRequest', { queries: [{ address: KNOWN }, { address: 'x' }] }),
  ),
  pod: prefixed(encodeMessage('digger.v1.GetPodRequest', { namespace: 'shop', name: 'web-0' })),
} as const;
type Name = keyof typeof requests;
const names = Object.keys(requests) as Name[];
/** Those of which no answer can come before they go on. */
const UNFINISHED: readonly Name[] = ['nothing', 'half a prefix', 'cut off'];

const paths = [
  ...['ResolveAddress', 'BatchResolveAddresses', 'GetPod', 'GetAddressTimeline', 'ResolveContainer'].map(
    (method) => `${LOOKUPS}/${method}`,
  ),
  STATUS,
  `${LOOKUPS}/Nothing`,
];

const optional = (name: string, ...values: readonly string[]): fc.Arbitrary<Record<string, string>> =>
  fc.oneof(
    { weight: 3, arbitrary: fc.constant({}) },
    { weight: 1, arbitrary: fc.constantFrom(...values.map((value) => ({ [name]: value }))) },
  );

const oddHeaders = fc
  .tuple(
    optional('grpc-timeout', '1S', '25S x', ' 30  S', '1', 'x', '', '-1S', '5s', '100S, 20S', '99999999H', 'é5S'),
    optional('grpc-encoding', 'identity', 'gzip', 'snappy'),
    optional('content-type', 'application/grpc+proto', 'application/grpc-web', 'text/plain', 'application/gr'),
    optional('grpc-accept-encoding', 'gzip', 'identity,deflate'),
    optional('te', 'trailers'),
    optional(':method', 'PUT', 'POST'),
    optional('x-verdict', 'bad', 'late', 'throws'),
    optional('x-data-bin', 'AAEC', '%%%'),
  )
  .map((all): Record<string, string> => Object.assign({}, ...all));

/** Cuts bytes at places, which may be the same. */
function cut(bytes: Buffer, at: readonly number[]): Buffer[] {
  const places = at.map((place) => place % (bytes.length + 1)).toSorted((a, b) => a - b);
  return [0, ...places].map((from, index) => bytes.subarray(from, places[index] ?? bytes.length));
}

const cuts = fc.array(fc.oneof(fc.nat(12), fc.nat(40_000)), { maxLength: 3 });

const sent = fc
  .record({
    path: fc.constantFrom(...paths),
    headers: oddHeaders,
    pieces: fc.tuple(fc.constantFrom(...names), cuts).map(([name, at]) => cut(requests[name], at)),
  })
  .chain((script) => fc.constantFrom('with it', 'after it', 'never').map((ends) => ({ ...script, ends }) as Script));

const scripts = fc.oneof(
  // Complete, or left open and given up.
  sent,
  // Broken off before it is complete.
  fc
    .tuple(fc.constantFrom(...paths), oddHeaders, fc.constantFrom(...names), cuts, fc.nat(3), fc.constantFrom(0, 2, 8))
    .map(
      ([path, headers, name, at, sent, ends]): Script => ({
        path,
        headers,
        pieces: cut(requests[name], at).slice(0, sent),
        ends,
      }),
    ),
  // Never complete, and ended by its deadline.
  fc
    .tuple(
      fc.constantFrom(RESOLVE, STATUS),
      fc.constantFrom('0m', '1m', '20m'),
      fc.constantFrom(...UNFINISHED),
      fc.constantFrom({}, { 'x-verdict': 'bad' }),
    )
    .map(
      ([path, timeout, name, verdict]): Script => ({
        path,
        headers: { 'grpc-timeout': timeout, ...verdict },
        pieces: [requests[name]],
        ends: 'never' as const,
      }),
    ),
);

for (const isAsked of [false, true]) {
  describe(`a unary call, ${isAsked ? 'whose caller is looked at' : 'of any caller'}`, () => {
    let own: Side;
    let other: Side;
    before(async () => {
      own = await Side.start({}, isAsked);
      other = await Side.start({ allThroughGrpcJs: true }, isAsked);
    });
    after(async () => {
      await own.stop();
      await other.stop();
    });
    const both = async (run: (side: Side) => Promise<unknown>): Promise<readonly [Counted, Counted]> => [
      await counted(own, () => run(own)),
      await counted(other, () => run(other)),
    ];
    const alike = async (run: (side: Side) => Promise<unknown>): Promise<Counted> => {
      const [found, expected] = await both(run);
      assert.deepEqual(found, codeOf(found) === 'DeadlineExceeded' ? countedInTime(expected) : expected);
      return found;
    };

    it('is answered, refused and counted as through grpc-js, whatever its request is', async () => {
      await fc.assert(
        fc.asyncProperty(scripts, async (script) => {
          await alike((side) => side.run(script));
        }),
        { numRuns: 150 },
      );
    });

    for (const name of names) {
      it(`has the same answer when its request is ${name}`, async () => {
        for (const ends of ['with it', 'after it', 'never'] as const) {
          await alike((side) => side.run({ path: RESOLVE, headers: {}, pieces: [requests[name]], ends }));
        }
      });
    }

    it('that ends without a byte while its caller is looked at is answered once that is known', async () => {
      await alike((side) =>
        side.withSession(async (session) => {
          const { stream, outcome } = begin(session, RESOLVE, { 'x-verdict': 'late' });
          stream.end();
          // Twice: its headers, and its end.
          for (let count = 0; count < 2; count += 1) await seen(session);
          side.decide();
          const result = await outcome;
          assert.equal(result.headers?.['grpc-status'], '12');
          return result;
        }),
      );
    });

    const waiting = lookup({ address: UNKNOWN, wait: { seconds: 20 } });
    const untilWaiting = async (side: Side): Promise<void> =>
      eventually(
        () => side.serving.picture.waiters.size === 1,
        () => `${side.serving.picture.waiters.size} wait`,
      );

    it('that waits ends by its deadline, or when its caller resets it, and waits no more', async () => {
      for (const timeout of ['50m', undefined]) {
        const found = await alike((side) =>
          side.withSession(async (session) => {
            const headers: Record<string, string> = timeout === undefined ? {} : { 'grpc-timeout': timeout };
            const { stream, outcome } = begin(session, RESOLVE, headers);
            stream.end(waiting);
            await untilWaiting(side);
            if (timeout === undefined) stream.close(constants.NGHTTP2_CANCEL);
            const result = await outcome;
            await side.nothingIsOpen();
            assert.equal(side.serving.picture.waiters.size, 0);
            return result;
          }),
        );
        assert.equal(codeOf(found), timeout === undefined ? 'Cancelled' : 'DeadlineExceeded');
      }
    });

    it('whose answer no window lets through counts as given up when its caller resets it', async () => {
      const found = await alike((side) =>
        side.withSession(async (session) => {
          const { stream } = begin(session, RESOLVE);
          stream.end(requests.known);
          await new Promise((resolve) => stream.once('response', resolve));
          await seen(session);
          stream.close(constants.NGHTTP2_CANCEL);
          await side.nothingIsOpen();
        }, 0),
      );
      assert.equal(codeOf(found), 'Cancelled');
    });

    it('whose answer no window lets through until its deadline has passed ends with that, and counts so', async () => {
      const [found, expected] = await both((side) =>
        side.withSession(async (session) => {
          const { stream, outcome } = begin(session, RESOLVE, { 'grpc-timeout': '50m' });
          stream.end(requests.known);
          await new Promise((resolve) => stream.once('response', resolve));
          const begunMs = Date.now();
          await eventually(
            () => Date.now() > begunMs + 100,
            () => 'the deadline has not passed',
          );
          session.settings({ initialWindowSize: 65_535 });
          return await outcome;
        }, 0),
      );
      assert.deepEqual(found.result, expected.result);
      assert.match(JSON.stringify(found.result), /"grpc-status":"4"/);
      // grpc-js says to us that it was answered.
      assert.deepEqual([codeOf(found), codeOf(expected)], ['DeadlineExceeded', 'OK']);
    });

    for (const method of ['POST', 'HEAD', 'GET']) {
      it(`is the same in frames (${method})`, async () => {
        const frames = async (side: Side): Promise<readonly unknown[]> => {
          const socket = open(side.serving.target);
          const received: unknown[] = [];
          const done = new Promise<void>((resolve) => {
            onFrames(socket, ({ type, flags, payload }) => {
              if (type !== FRAME.headers && type !== FRAME.data && type !== FRAME.reset) return;
              received.push({ type, flags, length: payload.length });
              if (type === FRAME.reset || (flags & END_STREAM) !== 0) resolve();
            });
          });
          // The first byte of the block is `:method: POST`.
          const headers = Buffer.concat([header(':method', method), lookupHeaders().subarray(1)]);
          socket.write(
            Buffer.concat([
              frame(FRAME.headers, END_HEADERS, 1, headers),
              frame(FRAME.data, 0, 1, requests.known),
              frame(FRAME.data, END_STREAM, 1),
            ]),
          );
          await done;
          socket.destroy();
          return received;
        };
        const { result } = await alike(frames);
        const types = (result as readonly { type: number }[]).map(({ type }) => type);
        if (method !== 'HEAD') assert.deepEqual(types, [FRAME.headers, FRAME.data, FRAME.headers]);
      });
    }
  });
}

it('that another thread carries has the same answer, and counts the same', async () => {
  const own = await Side.start({ threads: 2 }, true);
  const other = await Side.start({ allThroughGrpcJs: true }, true);
  try {
    const complete = sent.filter(({ ends }) => ends !== 'never');
    await fc.assert(
      fc.asyncProperty(complete, async (script) => {
        // With which code a stream ends that was refused before its end depends on who is faster.
        const [found, expected] = await Promise.all(
          [own, other].map((side) => counted(side, async () => ({ ...(await side.run(script)), code: undefined }))),
        );
        assert.deepEqual(found, expected);
      }),
      { numRuns: 100 },
    );
  } finally {
    await own.stop();
    await other.stop();
  }
});
