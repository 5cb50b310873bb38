// A crowd of connections, each of which sends half of a large request and no more, where callers need no credentials.
import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import type { DiggerProcess } from '../observers/digger-process.ts';
import { done, eventually, notYet } from '../observers/eventually.ts';
import type { Story } from '../stories/story.ts';
import { besideOthers, metric, readMetrics } from './bystanders.ts';
import { callHeaders, END_HEADERS, FRAME, frame, open, untilBegun } from './raw-http2.ts';

const BATCH = '/digger.v1.LookupService/BatchResolveAddresses';

/** Half of the backlog that Node asks the system for: no connection may be refused by the system. */
const AT_ONCE = 250;

/**
 * As much as HTTP/2 lets a client send before it has heard from the server (RFC 9113, section 6.9.2), in frames of 16
 * KiB.
 */
const SENT_BYTES = 60_000;
const FRAME_BYTES = 15_000;

/** `--max-caller-memory` by default, and what is refused at the moment: they come from one address. */
const MAX_REQUEST_MEMORY_BYTES = 33 * 1024 * 1024;

/** They come from one address, and each connection has a call. */
export const CROWD_OPTIONS = ['--max-connections=12000', '--max-connections-per-address=12000'] as const;

/**
 * What the heap, its surroundings and the system's own buffers may add beyond that: a connection takes about 30 kB, and
 * V8 lets garbage lie until it has to work.
 */
const SLACK_BYTES = 160 * 1024 * 1024;
const CONNECTION_BYTES = 40_000;

const REFUSALS = 'digger_limit_refusals_total{limit="arriving_requests"}';
const LATE = 'digger_limit_refusals_total{limit="request_timeout"}';

export interface HalfRequests {
  /** Most that requests took at once, by digger's own account. */
  readonly peakRequestBytes: number;
  readonly peakResidentBytes: number;
  readonly residentBefore: number;
  /** What was sent. */
  readonly sentBytes: number;
  /** Calls that were ended for it. */
  readonly refused: number;
}

/** Comes, sends, stays until all have sent, and goes. */
export async function sendHalfRequests(story: Story, digger: DiggerProcess, size: number): Promise<HalfRequests> {
  const refusedBefore = await metric(digger, REFUSALS);
  const lateBefore = await metric(digger, LATE);
  const residentBefore = await metric(digger, 'process_resident_memory_bytes');
  let peakRequestBytes = 0;
  let peakResidentBytes = 0;
  const look = async (): Promise<void> => {
    const now = await readMetrics(digger);
    peakRequestBytes = Math.max(peakRequestBytes, now.value('digger_grpc_call_memory_bytes'));
    peakResidentBytes = Math.max(peakResidentBytes, now.value('process_resident_memory_bytes'));
  };
  await besideOthers(story, digger, async () => {
    const sockets: Socket[] = [];
    const half = halfRequest();
    const over = new AbortController();
    const watching = (async (): Promise<void> => {
      while (!over.signal.aborted) await look();
    })();
    try {
      while (sockets.length < size) {
        const batch = Array.from({ length: Math.min(AT_ONCE, size - sockets.length) }, () => open(digger.address));
        for (const socket of batch) socket.write(half);
        sockets.push(...batch);
        await untilBegun(batch);
      }
      await eventually('everything that was sent has come', async () => {
        const now = await readMetrics(digger);
        const ended = now.value(REFUSALS) - refusedBefore;
        const late = now.value(LATE) - lateBefore;
        const gone = sockets.filter((socket) => socket.destroyed).length;
        const seen = ended + late + gone + now.value('digger_grpc_arriving_requests');
        return seen >= size ? done(undefined) : notYet({ seen, size });
      });
      await look();
      assert.equal((await digger.resolve(story.demo.wellKnown.statefulPod.ip))['outcome'], 'OUTCOME_RESOLVED');
    } finally {
      over.abort();
      for (const socket of sockets) socket.destroy();
      await watching;
    }
  });
  const refused = (await metric(digger, REFUSALS)) - refusedBefore;
  assert.ok(peakRequestBytes <= MAX_REQUEST_MEMORY_BYTES, `${peakRequestBytes} bytes of requests`);
  const most = residentBefore + MAX_REQUEST_MEMORY_BYTES + SLACK_BYTES + size * CONNECTION_BYTES;
  assert.ok(peakResidentBytes < most, `${peakResidentBytes} bytes are resident, ${residentBefore} were before`);
  return { peakRequestBytes, peakResidentBytes, residentBefore, sentBytes: size * SENT_BYTES, refused };
}

function halfRequest(): Buffer {
  const length = Buffer.alloc(5);
  // The largest message that is allowed.
  length.writeUInt32BE(262_144, 1);
  const message = Buffer.concat([length, Buffer.alloc(SENT_BYTES - length.length, 0x61)]);
  const frames = [frame(FRAME.headers, END_HEADERS, 1, callHeaders(BATCH))];
  for (let at = 0; at < message.length; at += FRAME_BYTES) {
    frames.push(frame(FRAME.data, 0, 1, message.subarray(at, at + FRAME_BYTES)));
  }
  return Buffer.concat(frames);
}
