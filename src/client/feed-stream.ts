// One stream of the change feed, to one of several servers, for as long as somebody wants it: another server after a
// failure, with the newest token, after a wait that grows and is never the same for two clients.
//
// A stream that is silent for longer than its heartbeat allows is given up: a path that loses packets looks the same as
// a quiet cluster otherwise. What frames mean is the listener's.

import {
  type ChannelCredentials,
  Client,
  type ClientReadableStream,
  type Metadata,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { messageType } from '../wire/schema.ts';

/** How a server is reached. */
export interface FeedConnection {
  /** `HOST:PORT`, or any name that grpc resolves (`dns:///digger-headless.digger.svc:50051`); at least one. */
  readonly targets: readonly string[];
  readonly credentials: ChannelCredentials;
  /** What goes with each call, made anew for each: tokens are renewed. */
  readonly createMetadata: () => Metadata;
  /** Longest silence between frames that is asked for, ms. */
  readonly heartbeatMs: number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

/** Who is told. */
export interface FeedListener {
  /** The request of the next stream. */
  request(): Record<string, unknown>;
  /** Throws when the frame cannot be read; the stream is given up then. */
  frame(bytes: Buffer): FrameEffect;
  /** A stream begins at this server. */
  connecting(target: string): void;
  /** It ended, and when the next is tried; `final`: no other attempt can do better. */
  ended(target: string, failure: FeedFailure): void;
}

/** What a frame says about its stream. */
export type FrameEffect = 'goes-on' | 'synced' | 'closing';

/** Why a stream ended. */
export interface FeedFailure {
  readonly target: string;
  readonly code: status;
  /** `UNAVAILABLE: no connection established`. */
  readonly message: string;
  /**
   * Every server refuses the request itself (a filter that is invalid, timelines that are not told), and none has ever
   * served it: it is not sent again.
   */
  readonly isFinal: boolean;
}

/** Waits between attempts, ms: uniform between nothing and a bound that doubles up to this. */
const MAX_BACKOFF_MS = 10_000;
const FIRST_BACKOFF_MS = 200;
/** For a stream that is being set up, a name that is resolved, TLS. */
const CONNECT_MS = 10_000;
/** Frames of a snapshot end at 256 KiB, one entity may have 4 MiB. */
const MAX_FRAME_BYTES = 16 * 1024 * 1024;
/** Of no server that is like the one that said so will the same request be served. */
const REFUSALS = new Set([
  status.INVALID_ARGUMENT,
  status.UNIMPLEMENTED,
  status.OUT_OF_RANGE,
  status.FAILED_PRECONDITION,
]);

export class FeedStream {
  readonly #connection: FeedConnection;
  readonly #listener: FeedListener;
  /** In an order of this client's own: a thousand sensors spread over all servers. */
  readonly #targets: readonly string[];
  #next = 0;
  #attempts = 0;
  /** Refusals in a row. Others may be of another version, or of another configuration. */
  #refusals = 0;
  /** A server has served the request. */
  #wasServed = false;
  #client: Client | undefined;
  #stream: ClientReadableStream<Buffer> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(connection: FeedConnection, listener: FeedListener) {
    this.#connection = connection;
    this.#listener = listener;
    this.#targets = shuffled(connection.targets, connection.random);
  }

  start(): void {
    if (!this.#closed && this.#stream === undefined && this.#timer === undefined) this.#open();
  }

  /** No listener is called any more. */
  close(): void {
    this.#closed = true;
    this.#leave();
  }

  #open(): void {
    const target = this.#targets[this.#next % this.#targets.length] ?? '';
    this.#next++;
    this.#listener.connecting(target);
    const { credentials, createMetadata, heartbeatMs } = this.#connection;
    let stream: ClientReadableStream<Buffer>;
    try {
      const client = new Client(target, credentials, CHANNEL_OPTIONS);
      this.#client = client;
      stream = client.makeServerStreamRequest(
        WATCH,
        encodeRequest,
        passBytes,
        this.#listener.request(),
        createMetadata(),
      );
    } catch (error) {
      // A target that no resolver knows, a token file that cannot be read.
      this.#fail(target, { code: status.UNAVAILABLE, details: textOf(error) });
      return;
    }
    this.#stream = stream;
    const isCurrent = (): boolean => this.#stream === stream;
    const silent = (): void => {
      if (isCurrent()) this.#fail(target, { code: status.DEADLINE_EXCEEDED, details: 'the server fell silent' });
    };
    // The second half of a heartbeat more is what a busy server may be late.
    this.#arm(CONNECT_MS + heartbeatMs, silent);
    stream.on('data', (bytes: Buffer) => {
      if (!isCurrent()) return;
      this.#arm(heartbeatMs * 2 + 1_000, silent);
      let effect: FrameEffect;
      try {
        effect = this.#listener.frame(bytes);
      } catch (error) {
        this.#fail(target, { code: status.INTERNAL, details: `a frame that cannot be read: ${textOf(error)}` });
        return;
      }
      if (effect === 'synced') {
        this.#attempts = 0;
        this.#refusals = 0;
        this.#wasServed = true;
      }
      // It drains: the others have room, and need not be waited for.
      if (effect === 'closing') this.#fail(target, { code: status.UNAVAILABLE, details: 'the server is draining' });
    });
    stream.on('end', () => {
      if (isCurrent()) this.#fail(target, { code: status.UNAVAILABLE, details: 'the server ended the stream' });
    });
    // Also after it was given up: an error without a listener would end the process.
    stream.on('error', (error: Partial<ServiceError>) => {
      if (isCurrent())
        this.#fail(target, { code: error.code ?? status.UNKNOWN, details: error.details ?? textOf(error) });
    });
  }

  #fail(target: string, { code, details }: { readonly code: status; readonly details: string }): void {
    this.#leave();
    this.#refusals = REFUSALS.has(code) ? this.#refusals + 1 : 0;
    // What was served before may be served again: a configuration that is wrong is put right, a version rolled back.
    const isFinal = !this.#wasServed && this.#refusals >= this.#targets.length;
    this.#listener.ended(target, { target, code, message: `${status[code]}: ${details}`, isFinal });
    if (this.#closed || isFinal) return;
    // The first time around each server is tried soon; what all refuse is asked ever less often.
    const bound = Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** Math.floor(this.#attempts / this.#targets.length));
    this.#attempts++;
    this.#arm(this.#connection.random() * bound, () => {
      this.#timer = undefined;
      this.#open();
    });
  }

  #arm(delayMs: number, action: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(action, delayMs);
  }

  #leave(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const stream = this.#stream;
    this.#stream = undefined;
    stream?.cancel();
    this.#client?.close();
    this.#client = undefined;
  }
}

const WATCH = '/digger.v1.ChangeFeedService/Watch';
const WATCH_REQUEST = messageType('digger.v1.WatchRequest');

const CHANNEL_OPTIONS = {
  'grpc.max_receive_message_length': MAX_FRAME_BYTES,
  // One of the addresses of a name, and not the same for all clients.
  'grpc.service_config': JSON.stringify({ loadBalancingConfig: [{ pick_first: { shuffleAddressList: true } }] }),
  // Attempts are this file's; the channel lives as long as one of them.
  'grpc.enable_retries': 0,
  'grpc.use_local_subchannel_pool': 1,
  // A proxy on the way would read addresses and tokens in plaintext; a service in the cluster is reached directly.
  'grpc.enable_http_proxy': 0,
};

function encodeRequest(request: Record<string, unknown>): Buffer {
  return Buffer.from(WATCH_REQUEST.encode(WATCH_REQUEST.fromObject(request)).finish());
}

function passBytes(bytes: Buffer): Buffer {
  return bytes;
}

function shuffled(targets: readonly string[], random: () => number): string[] {
  const left = [...targets];
  const order: string[] = [];
  while (left.length > 0) order.push(...left.splice(Math.floor(random() * left.length), 1));
  return order;
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
