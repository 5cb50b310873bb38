// A client for the simulator's tests: node:http, frames of both encodings, waiting with a deadline.
//
// Shares no code with the simulator's encodings but the .proto files, and none with the service's own reflector.

import assert from 'node:assert/strict';
import { get, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';

export const PROTOBUF = 'application/vnd.kubernetes.protobuf';

export interface Answer {
  readonly code: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
  /** The body as JSON; decoded from protobuf where it came so. */
  readonly body: Body;
}

/** As much of lists, objects and statuses as the tests look at. */
export interface Body {
  readonly kind: string;
  readonly apiVersion?: string;
  readonly metadata: {
    readonly name?: string;
    readonly resourceVersion?: string;
    readonly continue?: string;
    readonly remainingItemCount?: number;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly uid?: string;
  };
  readonly items?: readonly Body[];
  readonly code?: number;
  readonly reason?: string;
  readonly message?: string;
  readonly details?: { readonly causes?: readonly { readonly reason: string }[]; readonly retryAfterSeconds?: number };
  readonly status?: unknown;
}

export interface Frame {
  readonly type: string;
  readonly object: Body;
}

export async function request(url: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
  const response = await open(url, headers);
  const chunks: Buffer[] = [];
  for await (const chunk of response) {
    chunks.push(chunk as Buffer);
  }
  const bytes = Buffer.concat(chunks);
  const contentType = response.headers['content-type'] ?? '';
  const body =
    contentType === PROTOBUF
      ? decodeEnvelope(bytes)
      : contentType === 'application/json'
        ? (JSON.parse(bytes.toString()) as Body)
        : { kind: '', metadata: {}, message: bytes.toString() };
  return { code: response.statusCode ?? 0, headers: response.headers, bytes, body };
}

/** Opens a watch and collects its frames in the background. */
export async function openWatch(url: string, headers: Readonly<Record<string, string>> = {}): Promise<OpenWatch> {
  return new OpenWatch(await open(url, headers));
}

export class OpenWatch {
  readonly response: IncomingMessage;
  readonly frames: Frame[] = [];
  /** Bytes behind the last whole frame. */
  rest: Buffer = Buffer.alloc(0);
  end: 'clean' | 'reset' | undefined;

  constructor(response: IncomingMessage) {
    this.response = response;
    const isProtobuf = response.headers['content-type']?.startsWith(PROTOBUF) === true;
    response.on('data', (chunk: Buffer) => {
      this.rest = Buffer.concat([this.rest, chunk]);
      while (isProtobuf ? this.#takeProtobuf() : this.#takeJson()) {
        // All the whole frames that are there.
      }
    });
    response.on('end', () => {
      this.end ??= 'clean';
    });
    response.on('error', () => {
      this.end ??= 'reset';
    });
  }

  /** `ADDED a`, `BOOKMARK`, `ERROR 410`. */
  get summary(): readonly string[] {
    return this.frames.map(({ type, object }) => `${type} ${object.metadata?.name ?? object.code ?? ''}`.trim());
  }

  close(): void {
    this.response.destroy();
  }

  #takeJson(): boolean {
    const newline = this.rest.indexOf('\n');
    if (newline < 0) {
      return false;
    }
    const line = this.rest.subarray(0, newline).toString();
    this.rest = this.rest.subarray(newline + 1);
    this.frames.push(parseLine(line));
    return true;
  }

  #takeProtobuf(): boolean {
    const length = this.rest.length < 4 ? Number.POSITIVE_INFINITY : this.rest.readUInt32BE();
    if (this.rest.length < 4 + length) {
      return false;
    }
    const bytes = this.rest.subarray(4, 4 + length);
    this.rest = this.rest.subarray(4 + length);
    this.frames.push(decodeFrame(bytes));
    return true;
  }
}

/** Polls until the condition holds; fails with what `seen` says after `deadlineMs`. */
export async function eventually(condition: () => boolean, seen: () => unknown, deadlineMs = 5_000): Promise<void> {
  const start = performance.now();
  while (!condition()) {
    if (performance.now() - start > deadlineMs) {
      assert.fail(`not within ${deadlineMs} ms; seen: ${JSON.stringify(seen())}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function open(url: string, headers: Readonly<Record<string, string>>): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    get(url, { headers, agent: false }, resolve).on('error', reject);
  });
}

function parseLine(line: string): Frame {
  try {
    return JSON.parse(line) as Frame;
  } catch {
    return { type: 'UNDECODABLE', object: { kind: '', metadata: {} } };
  }
}

const protoFolder = fileURLToPath(new URL('../../../proto/', import.meta.url));
const root = new protobuf.Root();
root.resolvePath = (_origin, target) => (target.startsWith(protoFolder) ? target : protoFolder + target);
root.loadSync(['kubernetes/core.proto', 'kubernetes/discovery.proto', 'kubernetes/meta.proto'], { keepCase: true });

function decode(type: string, bytes: Uint8Array): Readonly<Record<string, unknown>> {
  const message = root.lookupType(`kubernetes.${type}`);
  return message.toObject(message.decode(bytes), { longs: Number });
}

function decodeEnvelope(bytes: Uint8Array): Body {
  const buffer = Buffer.from(bytes);
  assert.equal(buffer.subarray(0, 4).toString('latin1'), 'k8s\0');
  const { typeMeta, raw } = decode('Unknown', buffer.subarray(4)) as {
    readonly typeMeta: { readonly kind: string; readonly apiVersion: string };
    readonly raw: Uint8Array;
  };
  return { metadata: {}, ...decode(typeMeta.kind, raw), ...typeMeta };
}

function decodeFrame(bytes: Uint8Array): Frame {
  try {
    const { type, object } = decode('WatchEvent', bytes) as {
      readonly type: string;
      readonly object: { readonly raw: Uint8Array };
    };
    return { type, object: decodeEnvelope(object.raw) };
  } catch {
    return { type: 'UNDECODABLE', object: { kind: '', metadata: {} } };
  }
}
