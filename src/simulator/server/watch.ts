// One open watch: where it begins, what it sends, and how it ends.
//
// Begins as kube-apiserver's watch cache does: from nothing or "0" with the present state as ADDED events, from a
// version with the events since, from a forgotten version with an ERROR event of 410 behind a 200, as a streamed list
// (KEP-3157) with the state and a bookmark. Ends at `timeoutSeconds` with a clean end of the stream, and likewise,
// without an error, when the client reads too slowly: pending events are bounded. Initial state is never queued, it is
// read off the store's sorted list as the client takes it.

import { gzipSync } from 'node:zlib';
import type { ServerResponse } from 'node:http';
import { type Encoding, INITIAL_EVENTS_END, type WatchFrame } from './encoding.ts';
import type { StoredObject } from './stored-objects.ts';
import type { ResourceStore, StoreEvent } from './resource-store.ts';
import type { Status } from './error-status.ts';

export interface WatchStart {
  /** Sent first, as ADDED. */
  readonly initial: readonly (readonly [string, StoredObject])[];
  /** Sent next. */
  readonly events: readonly StoreEvent[];
  /** Events up to this one are left out. */
  readonly after: bigint;
  /** Version in the bookmark behind the initial state; undefined: no such bookmark. */
  readonly initialEventsEnd: bigint | undefined;
  readonly initialEventsEndValue: string;
}

export interface WatchOptions {
  readonly store: ResourceStore;
  readonly namespace: string | undefined;
  /** Only the objects with this name. undefined: all. */
  readonly name: string | undefined;
  readonly encoding: Encoding;
  readonly response: ServerResponse;
  readonly start: WatchStart;
  /**
   * false: the client accepts lists only (`as=PartialObjectMetadataList`), so that nothing but an ERROR can be sent;
   * the real server ends such a watch at its first object, behind a 200 and without a word.
   */
  readonly objectsFit: boolean;
  readonly gzip: boolean;
  readonly timeoutMs: number;
  /** undefined: the client did not ask for bookmarks. */
  readonly bookmarkIntervalMs: number | undefined;
  readonly maxPendingEvents: number;
  /** The newest version of the cluster, for bookmarks; undefined while bookmarks are switched off. */
  readonly bookmarkVersion: () => bigint | undefined;
  /** true: send nothing. `resume` is called when that ends. */
  readonly paused: () => boolean;
  readonly onClose: (reason: WatchEnd) => void;
}

export type WatchEnd = 'timeout' | 'slow' | 'error-event' | 'cut' | 'client';

export class WatchStream {
  readonly resource: ResourceStore['resource'];
  readonly #options: WatchOptions;
  readonly #unsubscribe: () => void;
  readonly #timers: NodeJS.Timeout[] = [];
  #initialIndex = 0;
  #initialEnd: boolean;
  #pending: WatchFrame[];
  #blocked = false;
  #begun = false;
  #closed = false;
  /** Set when the stream ends by itself once what is pending has been sent. */
  #ending: WatchEnd | undefined;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.resource = options.store.resource;
    this.#initialEnd = options.start.initialEventsEnd === undefined;
    this.#pending = options.start.events.filter((event) => this.#concerns(event)).map(toFrame);
    this.#unsubscribe = options.store.subscribe((event) => this.#onEvent(event));
  }

  /** Sends the head and what is there already. Apart from the constructor, because the watch may end with it. */
  begin(): void {
    const { response, encoding, gzip, timeoutMs, bookmarkIntervalMs } = this.#options;
    this.#begun = true;
    response.on('drain', () => {
      this.#blocked = false;
      this.#pump();
    });
    response.on('close', () => this.#close('client'));
    response.writeHead(200, {
      'content-type': encoding.watchContentType,
      'cache-control': 'no-cache, private',
      ...(gzip ? { 'content-encoding': 'gzip', vary: 'Accept-Encoding' } : {}),
    });
    response.flushHeaders();
    this.#timers.push(setTimeout(() => this.#end('timeout'), timeoutMs));
    this.#scheduleBookmarks(bookmarkIntervalMs);
    this.#pump();
  }

  /** Goes on after a pause. */
  resume(): void {
    this.#pump();
  }

  /** An ERROR event, after which the stream ends as the real one does. */
  sendError(status: Status): void {
    this.#pending.push({ type: 'ERROR', status });
    this.#end('error-event');
  }

  /** Bytes that no client can decode, in an intact envelope; the stream stays open. */
  sendCorruptFrame(): void {
    this.#write(this.#options.encoding.corruptFrame());
  }

  /** A bookmark now. */
  sendBookmark(): void {
    const version = this.#options.bookmarkVersion();
    // Not before the initial state is complete: a bookmark promises that everything up to it was sent.
    if (version !== undefined && this.#initialEnd) {
      this.#enqueue({ type: 'BOOKMARK', resourceVersion: version.toString() });
    }
  }

  /** Resets the connection; in mid-frame when asked, so that the client is left with half an event. */
  cut(midFrame: boolean): void {
    const { response, encoding } = this.#options;
    if (this.#closed) {
      return;
    }
    this.#close('cut');
    const { socket } = response;
    if (!midFrame) {
      socket?.destroy();
      return;
    }
    const version = this.#options.bookmarkVersion() ?? 0n;
    const frame = encoding.frame({ type: 'BOOKMARK', resourceVersion: version.toString() });
    const half = frame.subarray(0, frame.length >> 1);
    response.write(this.#options.gzip ? gzipSync(half) : half, () => socket?.destroy());
  }

  /** A clean end of the stream, as at a timeout. */
  end(): void {
    this.#end('timeout');
  }

  #onEvent(event: StoreEvent): void {
    if (this.#concerns(event)) {
      this.#enqueue(toFrame(event));
    }
  }

  #enqueue(frame: WatchFrame): void {
    if (this.#closed || this.#ending !== undefined) {
      return;
    }
    this.#pending.push(frame);
    this.#pump();
    if (this.#pending.length > this.#options.maxPendingEvents) {
      this.#pending = [];
      this.#end('slow');
    }
  }

  #concerns(event: StoreEvent): boolean {
    const { namespace, name, start } = this.#options;
    return (
      event.resourceVersion > start.after &&
      (namespace === undefined || event.key.startsWith(`/${namespace}/`)) &&
      (name === undefined || event.object.metadata.name === name)
    );
  }

  #end(reason: WatchEnd): void {
    this.#ending ??= reason;
    this.#pump();
  }

  /** Sends for as long as the client takes it, several frames to a write. */
  #pump(): void {
    while (this.#begun && !this.#closed && !this.#blocked && !this.#options.paused()) {
      const batch = this.#nextBatch();
      if (batch !== undefined) {
        this.#write(batch);
      } else if (this.#ending !== undefined) {
        this.#close(this.#ending);
        this.#options.response.end();
      } else {
        return;
      }
    }
    // A slow reader must not keep its watch by being slow: the pending frames are gone, the rest ends with the buffer.
    if (this.#blocked && this.#ending === 'slow' && !this.#closed) {
      this.#close('slow');
      this.#options.response.end();
    }
  }

  #nextBatch(): Buffer | undefined {
    const frames: Buffer[] = [];
    let bytes = 0;
    while (bytes < BATCH_BYTES) {
      const frame = this.#nextFrame();
      if (frame === undefined) {
        break;
      }
      if (frame.type !== 'ERROR' && !this.#options.objectsFit) {
        this.#ending ??= 'error-event';
        break;
      }
      const encoded = this.#options.encoding.frame(frame);
      frames.push(encoded);
      bytes += encoded.length;
    }
    return frames.length === 0 ? undefined : Buffer.concat(frames, bytes);
  }

  #nextFrame(): WatchFrame | undefined {
    const { name, start } = this.#options;
    while (this.#initialIndex < start.initial.length) {
      const object = start.initial[this.#initialIndex]?.[1];
      this.#initialIndex += 1;
      if (object === undefined || (name !== undefined && object.metadata.name !== name)) {
        continue;
      }
      return { type: 'ADDED', object };
    }
    if (!this.#initialEnd && start.initialEventsEnd !== undefined) {
      this.#initialEnd = true;
      const annotations = { [INITIAL_EVENTS_END]: start.initialEventsEndValue };
      return { type: 'BOOKMARK', resourceVersion: start.initialEventsEnd.toString(), annotations };
    }
    return this.#pending.shift();
  }

  #write(bytes: Buffer): void {
    const { response, gzip } = this.#options;
    // One gzip member per flush, as a 1.37 server compresses streamed lists.
    this.#blocked = !response.write(gzip ? gzipSync(bytes, { level: 1 }) : bytes);
  }

  /** About once an interval, and two seconds before the timeout so that the next watch begins close to the present. */
  #scheduleBookmarks(intervalMs: number | undefined): void {
    if (intervalMs === undefined) {
      return;
    }
    this.#timers.push(setInterval(() => this.sendBookmark(), intervalMs));
    const beforeTimeoutMs = this.#options.timeoutMs - 2_000;
    if (beforeTimeoutMs > 0) {
      this.#timers.push(setTimeout(() => this.sendBookmark(), beforeTimeoutMs));
    }
  }

  #close(reason: WatchEnd): void {
    if (this.#closed) {
      return;
    }
    this.#closed = true;
    this.#unsubscribe();
    for (const timer of this.#timers) {
      clearTimeout(timer);
    }
    this.#pending = [];
    this.#options.onClose(reason);
  }
}

/** A few frames to a write: one system call for a burst, and little to hold back. */
const BATCH_BYTES = 64 * 1024;

function toFrame(event: StoreEvent): WatchFrame {
  return { type: event.type, object: event.object };
}
