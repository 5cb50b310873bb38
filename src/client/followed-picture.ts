// What the frames of the feed make of the pictures: the one that answers, and the one that is built beside it after a
// `Reset` and takes its place when it is complete. And how much is known of the present: until when the server was
// heard, whatever stream or server that was.
//
// A stream that goes on from a token changes the picture that answers, step by step, and it may be the one of another
// server. Until all is told the picture is a mixture, which has the holes of both: so nothing in it counts as seen.

import protobuf from 'protobufjs';
import { decodeToJson, type JsonObject } from '../wire/proto-json.ts';
import { messageType } from '../wire/schema.ts';
import type { FrameEffect } from './feed-stream.ts';
import { eachField, fieldNumbers, messageEnd, readMs } from './message-fields.ts';
import type { FrameChanges, Picture } from './picture.ts';
import { ServerClock } from './server-clock.ts';

/** What the frames bring; called when they are applied. */
export interface PictureListener {
  createPicture(): Picture;
  /** In the picture that answers. */
  changed(changes: FrameChanges): void;
  reset(reason: string, message: string): void;
  /** The picture that answers is complete as of now. */
  synced(): void;
}

const FRAME = fieldNumbers('digger.v1.WatchResponse', [
  'reset',
  'changes',
  'synced',
  'progress',
  'resumeToken',
  'cluster',
]);
/** A heartbeat may come a little late; see rule 11 of timeline.proto. */
const HEARTBEATS_OF_SILENCE = 1.5;
const PROGRESS = fieldNumbers('digger.v1.Progress', ['serverTime', 'closing']);
const RESET = messageType('digger.v1.Reset');
const TIMESTAMP = fieldNumbers('google.protobuf.Timestamp', ['seconds', 'nanos']);

/** A picture and how far it came. */
interface Copy {
  readonly picture: Picture;
  token: Buffer | undefined;
}

export class FollowedPicture {
  readonly #heartbeatMs: number;
  readonly #listener: PictureListener;
  readonly #clock = new ServerClock();
  /** Answers. */
  #current: Copy | undefined;
  /** Is not complete. */
  #next: Copy | undefined;
  /** By this machine's clock. */
  #heardAtMs = Number.NEGATIVE_INFINITY;
  /** The picture that answers is not followed, since then. */
  #behindSinceMs: number | undefined;
  /** Changes were taken into the picture that answers since then. */
  #isMixed = false;
  #cluster: JsonObject | undefined;

  constructor(heartbeatMs: number, listener: PictureListener) {
    this.#heartbeatMs = heartbeatMs;
    this.#listener = listener;
  }

  /** The picture that answers, as doubtful as it is at `nowMs`; unset: none is complete yet. */
  at(nowMs: number): Picture | undefined {
    const picture = this.#current?.picture;
    picture?.setBlindSince(this.#isMixed ? Number.NEGATIVE_INFINITY : this.#unheardSinceMs(nowMs));
    return picture;
  }

  /** The same without a question. */
  get picture(): Picture | undefined {
    return this.#current?.picture;
  }

  /** By the server's clock, as timelines are. */
  nowMs(): number {
    return this.#clock.nowMs();
  }

  /** How much the picture may be behind the cluster, ms; unset while all is followed, Infinity before it is complete. */
  stalenessAt(nowMs: number): number | undefined {
    if (this.#current === undefined) return Number.POSITIVE_INFINITY;
    const since = [
      this.#current.picture.serverBlindSinceMs,
      this.#isMixed ? this.#heardUntilMs : this.#unheardSinceMs(nowMs),
    ].filter((ms) => ms !== undefined);
    return since.length === 0 ? undefined : Math.max(0, nowMs - Math.min(...since));
  }

  /** When the last frame came, by this machine's clock. */
  get heardAtMs(): number {
    return this.#heardAtMs;
  }

  /** `digger.v1.Cluster` in its JSON form; unset: not known. */
  get cluster(): JsonObject | undefined {
    return this.#cluster;
  }

  /** What the next stream goes on from. */
  get token(): Buffer | undefined {
    return (this.#next ?? this.#current)?.token;
  }

  /** The stream is gone: the picture that answers is followed no more. */
  fallBehind(): void {
    this.#behindSinceMs ??= this.#heardAtMs;
    this.#clock.forget();
  }

  /** Takes one `digger.v1.WatchResponse`. */
  frame(bytes: Buffer): FrameEffect {
    const reader = protobuf.Reader.create(bytes);
    let effect: FrameEffect = 'goes-on';
    let token: Buffer | undefined;
    let changed: FrameChanges | undefined;
    let isSynced = false;
    let heardAtMs = Date.now();
    eachField(reader, reader.len, (field) => {
      switch (field) {
        case FRAME.reset: {
          const reset = RESET.decode(reader, reader.uint32()) as unknown as { reason: number; message: string };
          this.#next = { picture: this.#listener.createPicture(), token: undefined };
          this.#behindSinceMs ??= this.#heardAtMs;
          const reason = RESET.lookupEnum('ResetReason').valuesById[reset.reason] ?? String(reset.reason);
          this.#listener.reset(reason.replace('RESET_REASON_', ''), reset.message);
          return true;
        }
        case FRAME.changes: {
          const end = messageEnd(reader);
          changed = this.#apply(bytes.subarray(reader.pos, end));
          reader.pos = end;
          return true;
        }
        case FRAME.synced:
          reader.skipType(2);
          isSynced = true;
          return true;
        case FRAME.progress: {
          const { isClosing, serverMs } = readProgress(reader, messageEnd(reader));
          if (isClosing) effect = 'closing';
          if (serverMs === undefined) return true;
          this.#clock.read(serverMs);
          // It may have waited on its way, and what it says with it.
          heardAtMs = Math.min(heardAtMs, this.#clock.toLocalMs(serverMs));
          return true;
        }
        case FRAME.cluster:
          this.#cluster = withoutEmpty(decodeToJson('digger.v1.Cluster', reader.bytes()));
          return true;
        case FRAME.resumeToken:
          token = Buffer.from(reader.bytes());
          return true;
        default:
          return false;
      }
    });
    this.#heardAtMs = heardAtMs;
    const copy = this.#next ?? this.#current;
    if (token !== undefined && copy !== undefined) copy.token = token;
    const isVisible = this.#next === undefined;
    if (isSynced) this.#synced();
    if (changed !== undefined && isVisible) this.#listener.changed(changed);
    return isSynced ? 'synced' : effect;
  }

  #apply(changes: Buffer): FrameChanges {
    const { picture } = this.#copy();
    if (this.#next === undefined && this.#behindSinceMs !== undefined) this.#isMixed = true;
    return picture.apply(changes);
  }

  #copy(): Copy {
    const copy = this.#next ?? this.#current;
    if (copy === undefined) throw new Error('changes before the first Reset');
    return copy;
  }

  #synced(): void {
    // An older server takes no notice of the wish for timelines.
    if (!this.#copy().picture.hasFacts) throw new Error('the server sends no timelines: it is older than this client');
    if (this.#next !== undefined) {
      this.#current = this.#next;
      this.#next = undefined;
    }
    this.#behindSinceMs = undefined;
    this.#isMixed = false;
    this.#listener.synced();
  }

  /** By the server's clock: until when the picture that answers was followed. */
  get #heardUntilMs(): number {
    return this.#clock.toServerMs(this.#behindSinceMs ?? this.#heardAtMs);
  }

  /** The same when that is too long ago; see rule 11. */
  #unheardSinceMs(nowMs: number): number | undefined {
    const sinceMs = this.#heardUntilMs;
    // A stream that is up may be silent for a heartbeat, and one that comes a little late is no gap; a stream that is
    // down is missed as soon.
    return nowMs - sinceMs > this.#heartbeatMs * HEARTBEATS_OF_SILENCE ? sinceMs : undefined;
  }
}

function readProgress(
  reader: protobuf.Reader,
  end: number,
): { readonly isClosing: boolean; readonly serverMs: number | undefined } {
  let isClosing = false;
  let serverMs: number | undefined;
  eachField(reader, end, (field) => {
    if (field === PROGRESS.closing) isClosing = reader.bool();
    else if (field === PROGRESS.serverTime) serverMs = readTimestamp(reader);
    else return false;
    return true;
  });
  return { isClosing, serverMs };
}

function readTimestamp(reader: protobuf.Reader): number {
  let ms = 0;
  eachField(reader, messageEnd(reader), (part) => {
    if (part === TIMESTAMP.seconds) ms += readMs(reader) * 1_000;
    else if (part === TIMESTAMP.nanos) ms += reader.int32() / 1e6;
    else return false;
    return true;
  });
  return ms;
}

/** Text that is sent although it is empty says as little as text that is not sent. */
function withoutEmpty(message: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(message).filter(([, value]) => value !== ''));
}
