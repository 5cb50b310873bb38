// What attackers do to deny a replica to others, each with little effort, and what has to hold meanwhile: another
// caller is answered, the process stays below the memory of its pod, and afterwards everything is given back.
//
// The attackers come from other addresses than the callers that must not notice, as they would in a cluster; each from
// one that the service knows nothing of yet. What code costs when it runs for the first time is paid once in the life
// of a process, by whatever comes first: so a little of each attack goes before it, from an address of its own, and what
// the healthy caller's lookups take beside that is told apart. Alone or beside, /metrics is scraped once a second.
import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { Worker } from 'node:worker_threads';
import { gzipSync } from 'node:zlib';
import type { DiggerProcess } from '../observers/digger-process.ts';
import { done, eventually, notYet } from '../observers/eventually.ts';
import { Story } from '../stories/story.ts';
import { parseMetrics, readMetrics } from './bystanders.ts';
import type { HealthyCaller, Lookup } from './healthy-lookups.ts';
import {
  callHeaders,
  END_HEADERS,
  END_STREAM,
  FRAME,
  frame,
  header,
  indexedHeader,
  newestEntry,
  open,
} from './raw-http2.ts';

/** The process as in the pod: its heap, and its memory limit. */
const POD_NODE_OPTIONS = `--max-old-space-size=256 --max-semi-space-size=4 --expose-gc --import=${import.meta.resolve(
  './exact-cpu.ts',
)}`;
const POD_BYTES = 512 * 1024 * 1024;

const HEALTH_WATCH = '/grpc.health.v1.Health/Watch';
const RESOLVE = '/digger.v1.LookupService/ResolveAddress';
const WATCH = '/digger.v1.ChangeFeedService/Watch';

const EMPTY_MESSAGE = Buffer.alloc(5);
/** As many as a connection may have at once: one that has more is cut off, which is a weaker attack. */
const CALLS_PER_CONNECTION = 100;

/** Of an attack, what goes before it. */
const FIRST_SHARE = 1 / 20;

/** What is attacked, and the network (three numbers of four) and host that the attack comes from. */
interface Target {
  readonly address: string;
  /** Of probes and metrics. */
  readonly adminAddress: string;
  readonly network: string;
  readonly host: number;
}

interface Attack {
  readonly name: string;
  /** Begins; `strength` 1 is all of it. Resolves when everything was sent that is taken. */
  begin(target: Target, strength: number): Promise<readonly Socket[]>;
}

/** All of these at once, each from an address of its own. */
function together(attacks: readonly Attack[]): Attack {
  return {
    name: 'all of these at once, each from an address of its own',
    begin: async (target, strength) => {
      const begun = attacks.map((attack, index) => attack.begin({ ...target, host: 100 + index }, strength));
      return (await Promise.all(begun)).flat();
    },
  };
}

const ATTACKS: readonly Attack[] = [
  {
    name: '9,000 streams that watch health, on 36 connections',
    begin: (target, strength) =>
      manyCalls(target, 9_000 * strength, () => [
        { block: callHeaders(HEALTH_WATCH), body: EMPTY_MESSAGE, ends: true },
      ]),
  },
  {
    name: '7,000 calls of headers only, each with a header of 3.9 kB that HPACK repeats 15 times',
    begin: (target, strength) =>
      manyCalls(target, 7_000 * strength, (index) => [
        {
          block: Buffer.concat([
            callHeaders(RESOLVE),
            index === 0 ? indexedHeader('x-bomb', 'x'.repeat(3_900)) : Buffer.alloc(0),
            newestEntry(index === 0 ? 14 : 15),
          ]),
          body: undefined,
          ends: false,
        },
      ]),
  },
  {
    name: '9,000 lookups that wait',
    begin: (target, strength) =>
      manyCalls(target, 9_000 * strength, () => [{ block: callHeaders(RESOLVE), body: WAITING_LOOKUP, ends: true }]),
  },
  {
    name: '200 subscriptions of 1 kB, packed, with 520,000 empty names each',
    begin: (target, strength) =>
      manyCalls(target, 200 * strength, () => [{ block: packedHeaders(WATCH), body: PACKED_NAMES, ends: true }]),
  },
  {
    name: '200 requests of 3,200 messages of five bytes that say they are packed',
    begin: (target, strength) =>
      manyCalls(target, 200 * strength, () => [
        {
          block: packedHeaders('/grpc.reflection.v1.ServerReflection/ServerReflectionInfo'),
          body: TINY_PACKED,
          ends: true,
        },
        {
          block: callHeaders('/grpc.reflection.v1.ServerReflection/ServerReflectionInfo'),
          body: TINY_PACKED,
          ends: true,
        },
      ]),
  },
  {
    name: '10 connections with 20,000 bad requests each that never read',
    begin: async (target, strength) => {
      const sockets = Array.from({ length: 10 }, () => stranger(target));
      for (const socket of sockets) socket.pause();
      await Promise.all(
        sockets.map((socket) =>
          sendCalls(socket, 20_000 * strength, () => [
            { block: callHeaders(RESOLVE), body: BAD_LOOKUP, ends: true },
            { block: callHeaders('/digger.v1.LookupService/Nothing'), body: EMPTY_MESSAGE, ends: true },
            { block: callHeaders('/grpc.health.v1.Health/Check'), body: EMPTY_MESSAGE, ends: true },
          ]),
        ),
      );
      return sockets;
    },
  },
  {
    name: '5,000 connections of one address that answer and do nothing',
    begin: async (target, strength) => {
      const sockets: Socket[] = [];
      for (let count = 0; count < 5_000 * strength; count++) {
        sockets.push(stranger(target));
        if (count % 100 === 0) await turn();
      }
      return sockets;
    },
  },
  {
    name: '200,000 calls that are reset as soon as they are made, on 10 connections',
    begin: async (target, strength) => {
      const sockets = Array.from({ length: 10 }, () => stranger(target));
      const cancel = Buffer.from([0, 0, 0, 8]);
      await Promise.all(
        sockets.map((socket) =>
          flood(socket, 20_000 * strength, (index) => {
            const stream = index * 2 + 1;
            return Buffer.concat([
              frame(FRAME.headers, END_HEADERS, stream, callHeaders(RESOLVE)),
              frame(FRAME.reset, 0, stream, cancel),
            ]);
          }),
        ),
      );
      return sockets;
    },
  },
  {
    name: '100,000 CONTINUATION frames on 10 connections',
    begin: async (target, strength) => {
      const sockets = Array.from({ length: 10 }, () => stranger(target));
      const more = frame(FRAME.continuation, 0, 1, header('x-flood', 'x'.repeat(1_000)));
      await Promise.all(
        sockets.map((socket) => {
          socket.write(frame(FRAME.headers, 0, 1, callHeaders(RESOLVE)));
          return flood(socket, 10_000 * strength, () => more);
        }),
      );
      return sockets;
    },
  },
  {
    name: '1,000,000 pings and as many settings on 10 connections, of which half never read',
    begin: async (target, strength) => {
      const sockets = Array.from({ length: 10 }, () => stranger(target));
      for (const socket of sockets.slice(5)) socket.pause();
      const ping = Buffer.concat([frame(FRAME.ping, 0, 0, Buffer.alloc(8)), frame(FRAME.settings, 0, 0)]);
      await Promise.all(sockets.map((socket) => flood(socket, 100_000 * strength, () => ping)));
      return sockets;
    },
  },
  {
    name: '60 scrapers of 60 addresses that ask for the metrics again as soon as they are answered, 4 s long',
    begin: async ({ adminAddress }, strength) => {
      const scrapers = Array.from({ length: 60 }, (_, index) => open(adminAddress, false, `127.0.2.${index + 1}`));
      for (const scraper of scrapers) {
        const ask = (): void => void scraper.write('GET /metrics HTTP/1.1\r\nHost: digger\r\n\r\n');
        let isHead = true;
        let left = 0;
        scraper.on('data', (chunk: Buffer) => {
          if (isHead) {
            const text = chunk.toString('latin1');
            const [, length] = /\r\ncontent-length: (\d+)\r\n/i.exec(text) ?? [];
            const end = text.indexOf('\r\n\r\n');
            if (length === undefined || end === -1) {
              // Thrown out (408): this thread was so busy with other attacks that it did not ask in time.
              scraper.destroy();
              return;
            }
            isHead = false;
            left = end + 4 + Number(length);
          }
          left -= chunk.length;
          if (left > 0) return;
          isHead = true;
          ask();
        });
        ask();
      }
      await turn(4_000 * strength);
      return scrapers;
    },
  },
];

/** What was seen beside an attack. */
interface Seen {
  readonly answered: number;
  /** What the healthy caller's lookups took, 99 of 100: CPU of the service between question and answer, and time. */
  readonly aloneP99: Taken;
  readonly besideP99: Taken;
  /** Beside the little that goes before it. */
  readonly firstP99: Taken;
  readonly peakResidentBytes: number;
  readonly peakHeapBytes: number;
  readonly peakCallBytes: number;
  /** Of the attackers' connections. */
  readonly cutOff: number;
}

interface Taken {
  readonly cpuMs: number;
  readonly wallMs: number;
}

/**
 * A test for each attack, and one for all of them at once, against one process as small as the pod's. `strength` 1: all
 * of it. `threads`: those that serve.
 */
export function describeAttacks(title: string, strength: number, threads = 1): void {
  describe(title, () => {
    let story: Story;
    let digger: DiggerProcess;
    before(async () => {
      process.env['NODE_OPTIONS'] = POD_NODE_OPTIONS;
      story = await Story.begin();
      digger = await story.startReadyDigger('--serving-threads', String(threads));
    });
    after(() => story?.end());

    for (const [index, attack] of [...ATTACKS, together(ATTACKS)].entries()) {
      it(attack.name, async (t) => {
        t.diagnostic(JSON.stringify(await withstand(story, digger, attack, index, strength)));
      });
    }
  });
}

/** Runs an attack against a running process, beside one healthy caller; throws when something does not hold. */
async function withstand(
  story: Story,
  digger: DiggerProcess,
  attack: Attack,
  index: number,
  strength: number,
): Promise<Seen> {
  const healthy = new Healthy(digger, story.demo.wellKnown.statefulPod.ip);
  const host = 1 + index;
  let peakResidentBytes = 0;
  let peakHeapBytes = 0;
  let peakCallBytes = 0;
  const look = async (): Promise<void> => {
    const now = parseMetrics(await digger.scrape());
    peakResidentBytes = Math.max(peakResidentBytes, now.value('process_resident_memory_bytes'));
    peakHeapBytes = Math.max(peakHeapBytes, now.value('nodejs_heap_size_used_bytes'));
    peakCallBytes = Math.max(peakCallBytes, now.value('digger_grpc_call_memory_bytes'));
  };
  const over = new AbortController();
  const watching = (async (): Promise<void> => {
    while (!over.signal.aborted) {
      await look();
      await turn(SCRAPE_INTERVAL_MS);
    }
  })();
  // What goes wrong there is told once it is waited for.
  watching.catch(() => undefined);
  let sockets: readonly Socket[] = [];
  const begin = async (network: string, share: number): Promise<readonly Taken[]> => {
    const from = healthy.answered.length;
    const { address, adminAddress } = digger;
    sockets = await attack.begin({ address, adminAddress, network, host }, share);
    // All of it is there, and stays for a moment: until it was seen by a scrape.
    await Promise.all([turn(2 * SCRAPE_INTERVAL_MS), healthy.untilAnswered(100)]);
    return healthy.answered.slice(from);
  };
  let cutOff = 0;
  let first: readonly Taken[];
  let alone: readonly Taken[];
  let beside: readonly Taken[];
  try {
    // Its own first ones warm up as well.
    await healthy.untilAnswered(100);
    first = await begin(FIRST_NETWORK, strength * FIRST_SHARE);
    for (const socket of sockets) socket.destroy();
    await untilGivenBack(digger, 2);
    const from = healthy.answered.length;
    await healthy.untilAnswered(200);
    alone = healthy.answered.slice(from);
    beside = await begin(NETWORK, strength);
    cutOff = sockets.filter((socket) => socket.destroyed).length;
  } finally {
    for (const socket of sockets) socket.destroy();
    // Its last words say more than what its callers saw.
    assert.equal(digger.isRunning, true, digger.log);
    over.abort();
    await watching;
    await healthy.stop();
  }
  assert.equal(digger.isRunning, true, digger.log);
  assert.ok(peakResidentBytes < POD_BYTES, `${peakResidentBytes} bytes are resident`);
  await untilGivenBack(digger, 1);
  // What others wait is told, not judged: with the machine's other work it says more about that. How many calls of a
  // flood come before another caller's is counted in fairness.test.ts.
  return {
    answered: beside.length,
    aloneP99: p99(alone),
    besideP99: p99(beside),
    firstP99: p99(first),
    peakResidentBytes,
    peakHeapBytes,
    peakCallBytes,
    cutOff,
  };
}

const SCRAPE_INTERVAL_MS = 1_000;
const NETWORK = '127.0.1';
const FIRST_NETWORK = '127.0.3';

/** Nothing of an attack is left; `connections`: others, each with one call at most. */
async function untilGivenBack(digger: DiggerProcess, connections: number): Promise<void> {
  await eventually('everything is given back', async () => {
    const now = await readMetrics(digger);
    const left = {
      calls: now.value('digger_grpc_open_calls') - (connections - 1),
      bytes: now.value('digger_grpc_call_memory_bytes') - (connections - 1) * MAX_CALL_BYTES,
      waiting: now.value('digger_grpc_calls_waiting'),
      paused: now.value('digger_grpc_connections_paused'),
      connections: now.value('digger_grpc_connections') - connections,
    };
    return Object.values(left).every((count) => count <= 0) ? done(undefined) : notYet(left);
  });
}

/** Of the healthy caller. */
const MAX_CALL_BYTES = 32 * 1024;

/** The caller that must not notice. */
class Healthy {
  readonly answered: Taken[] = [];
  #failure: string | undefined;
  readonly #worker: Worker;

  constructor(digger: DiggerProcess, address: string) {
    const workerData: HealthyCaller = { target: digger.address, pid: digger.pid, address };
    this.#worker = new Worker(new URL('healthy-lookups.ts', import.meta.url), { workerData });
    this.#worker.on('message', (lookup: Lookup) => {
      if ('failure' in lookup) this.#failure = lookup.failure;
      else this.answered.push(lookup);
    });
  }

  async untilAnswered(more: number): Promise<void> {
    const wanted = this.answered.length + more;
    await eventually(
      `${more} more lookups are answered`,
      () => (this.answered.length >= wanted ? done(undefined) : notYet(this.answered.length)),
      { intervalMs: 5, giveUp: () => this.#failure },
    );
  }

  async stop(): Promise<void> {
    await this.#worker.terminate();
    assert.equal(this.#failure, undefined);
  }
}

interface Call {
  readonly block: Buffer;
  /** Unset: none, and none to come. */
  readonly body: Buffer | undefined;
  readonly ends: boolean;
}

function stranger({ address, network, host }: Target): Socket {
  return open(address, true, `${network}.${host}`);
}

async function manyCalls(target: Target, count: number, make: (index: number) => readonly Call[]): Promise<Socket[]> {
  const sockets: Socket[] = [];
  for (let left = count; left > 0; left -= CALLS_PER_CONNECTION) {
    const socket = stranger(target);
    sockets.push(socket);
    await sendCalls(socket, Math.min(left, CALLS_PER_CONNECTION), make);
  }
  return sockets;
}

/** So many calls in all, of these kinds in turn, as far as the other side takes them. */
async function sendCalls(socket: Socket, count: number, make: (index: number) => readonly Call[]): Promise<void> {
  await flood(socket, count, (index) => {
    const kinds = make(index);
    const { block, body, ends } = kinds[index % kinds.length] ?? {
      block: Buffer.alloc(0),
      body: undefined,
      ends: false,
    };
    const stream = index * 2 + 1;
    const frames = [frame(FRAME.headers, END_HEADERS, stream, block)];
    const length = body?.length ?? 0;
    for (let at = 0; at < length; at += MAX_FRAME_BYTES) {
      const isLast = at + MAX_FRAME_BYTES >= length;
      frames.push(frame(FRAME.data, isLast && ends ? END_STREAM : 0, stream, body?.subarray(at, at + MAX_FRAME_BYTES)));
    }
    return Buffer.concat(frames);
  });
}

/** Writes as fast as the other side reads; gives up when it does not read for a second. */
async function flood(socket: Socket, count: number, make: (index: number) => Buffer): Promise<void> {
  for (let index = 0; index < count && !socket.destroyed; ) {
    const chunk: Buffer[] = [];
    const end = Math.min(index + 100, count);
    for (; index < end; index++) chunk.push(make(index));
    if (socket.write(Buffer.concat(chunk))) continue;
    const drained = await Promise.race([
      new Promise<boolean>((resolve) => socket.once('drain', () => resolve(true)).once('close', () => resolve(false))),
      turn(1_000).then(() => false),
    ]);
    if (!drained) return;
  }
}

function p99(taken: readonly Taken[]): Taken {
  const at = (values: readonly number[]): number => {
    const value = values.toSorted((a, b) => a - b)[Math.floor(values.length * 0.99)] ?? Number.NaN;
    return Math.round(value * 100) / 100;
  };
  return { cpuMs: at(taken.map(({ cpuMs }) => cpuMs)), wallMs: at(taken.map(({ wallMs }) => wallMs)) };
}

function turn(ms = 0): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

const MAX_FRAME_BYTES = 16_384;

function message(bytes: Buffer, flag = 0): Buffer {
  const head = Buffer.alloc(5);
  head[0] = flag;
  head.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
}

function packedHeaders(path: string): Buffer {
  return Buffer.concat([callHeaders(path), header('grpc-encoding', 'gzip')]);
}

/** `address: "192.0.2.1"`, `wait: 25 s`. */
const WAITING_LOOKUP = message(
  Buffer.concat([Buffer.from([0x0a, 9]), Buffer.from('192.0.2.1'), Buffer.from([0x2a, 2, 0x08, 25])]),
);
const BAD_LOOKUP = message(Buffer.from([0x0a, 0x7f, 0x31]));
/** A filter (field 1) of namespaces (field 2) without a letter. */
const PACKED_NAMES = message(gzipSync(packNames(520_000)), 1);
const TINY_PACKED = Buffer.concat(Array.from({ length: 3_200 }, () => Buffer.from([1, 0, 0, 0, 0])));

function packNames(count: number): Buffer {
  const names = Buffer.alloc(count * 2, Buffer.from([0x12, 0]));
  const length: number[] = [];
  for (let rest = names.length; ; rest >>>= 7) {
    if (rest < 128) {
      length.push(rest);
      break;
    }
    length.push((rest & 127) | 128);
  }
  return Buffer.concat([Buffer.from([0x0a, ...length]), names]);
}
