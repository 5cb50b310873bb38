// HTTP/2 streams where they are carried: what comes on them is told to the main thread, and what the main thread answers
// is written, as far as the stream is still there. Nothing is decided here but that a stream is reset when too many wait
// for the main thread.

import {
  constants,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';

import { essentialHeaders, inspectHeaders, MAX_HEADER_BYTES, type RawStreamListener } from '../calls/header-checks.ts';
import { isProbePath } from '../calls/method-rules.ts';
import { AnswerHeaders, type Headers } from './answer-headers.ts';
import type { CarrierNotes } from './carrier-notes.ts';
import type { CarrierSocket } from './carrier-socket.ts';
import type { NoteReader } from './packed-notes.ts';
import { CONNECTION, STREAM, TO_STREAM } from './protocol.ts';
import type { UnseenStreams } from './unseen-streams.ts';

export interface CarrierStreamsOptions {
  readonly notes: CarrierNotes;
  readonly unseen: UnseenStreams;
  readonly nextId: () => number;
  /** Unset: it has ended. */
  readonly connectionOf: (session: ServerHttp2Session | undefined) => CarrierSocket | undefined;
}

export class CarrierStreams {
  readonly #options: CarrierStreamsOptions;
  readonly #streams = new Map<number, CarriedCall>();
  readonly #headers = new AnswerHeaders();

  constructor(options: CarrierStreamsOptions) {
    this.#options = options;
  }

  /** Tells of all streams of a server. */
  follow(server: Http2Server): void {
    const listener: RawStreamListener = (stream, headers, flags, rawHeaders) =>
      this.#onStream(stream, headers, flags, rawHeaders);
    server.on('stream', listener as never);
  }

  /** Does what the main thread says of a stream; `frames`: those that came with the notes. */
  read(notes: NoteReader, frames: readonly Uint8Array[]): void {
    // All of the note is read, also of a stream that has closed.
    const call = this.#streams.get(notes.id);
    const stream = call?.stream;
    switch (notes.kind) {
      case TO_STREAM.answer: {
        const headers = this.#headers.read(notes.text());
        const bytes = notes.bytes();
        const trailers = this.#headers.read(notes.text());
        if (call === undefined || !canRespond(call.stream)) return;
        call.trailers = trailers;
        call.stream.respond(headers, WITH_TRAILERS);
        call.stream.end(bytes);
        return;
      }
      case TO_STREAM.respond: {
        const endStream = notes.number() === 1;
        const headers = this.#headers.read(notes.text());
        if (stream !== undefined && canRespond(stream))
          stream.respond(headers, endStream ? WITHOUT_MORE : WITH_TRAILERS);
        return;
      }
      case TO_STREAM.write:
        this.#write(call, notes.bytes());
        return;
      case TO_STREAM.writeFrame: {
        const frame = frames[notes.number()];
        if (frame === undefined) throw new Error('bug: a frame that did not come');
        this.#write(call, Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength));
        return;
      }
      case TO_STREAM.end:
        if (stream?.writable === true) stream.end();
        return;
      case TO_STREAM.trailers: {
        const trailers = this.#headers.read(notes.text());
        if (call?.wantsTrailers === true && !call.stream.destroyed && !call.stream.closed) {
          call.stream.sendTrailers(trailers);
        }
        return;
      }
      case TO_STREAM.close: {
        const code = notes.number();
        if (stream === undefined) return;
        if (!stream.closed) stream.close(code);
        // What is not read does not close.
        stream.resume();
        return;
      }
      default:
        throw new Error(`bug: no such note: ${notes.kind}`);
    }
  }

  #onStream(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    flags: number,
    rawHeaders: readonly string[],
  ): void {
    const { notes, unseen, nextId, connectionOf } = this.#options;
    stream.on('error', () => undefined);
    const connection = connectionOf(stream.session as ServerHttp2Session | undefined);
    if (connection === undefined) {
      // Its session has ended already.
      stream.destroy();
      return;
    }
    if (!unseen.add(connection, isProbePath(headers[':path']))) {
      notes.note(CONNECTION.overrun, connection.id);
      stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
      return;
    }
    const id = nextId();
    const call: CarriedCall = { id, stream, trailers: undefined, wantsTrailers: false };
    this.#streams.set(id, call);
    const { bytes, hasTwoAuthorizations } = inspectHeaders(rawHeaders);
    const note = notes.note(STREAM.opened, id);
    note.id(connection.id);
    note.number(flags);
    note.number(bytes);
    note.number(hasTwoAuthorizations ? 1 : 0);
    note.text(JSON.stringify(bytes > MAX_HEADER_BYTES ? essentialHeaders(headers) : headers));
    stream.on('data', (chunk: Buffer) => {
      notes.note(STREAM.data, id).bytes(chunk);
      connection.handedOver(stream, chunk.length);
    });
    stream.on('end', () => void notes.note(STREAM.end, id));
    stream.on('aborted', () => {
      notes.note(STREAM.aborted, id).number(stream.rstCode ?? 0);
      // What is not read does not close.
      stream.resume();
    });
    stream.on('wantTrailers', () => {
      if (call.trailers === undefined) {
        call.wantsTrailers = true;
        notes.note(STREAM.wantsTrailers, id);
      } else {
        stream.sendTrailers(call.trailers);
      }
    });
    stream.on('close', () => {
      this.#streams.delete(id);
      connection.forget(stream);
      notes.note(STREAM.closed, id).number(stream.rstCode ?? 0);
    });
  }

  #write(call: CarriedCall | undefined, bytes: Buffer): void {
    if (call === undefined || call.stream.destroyed || call.stream.closed || call.stream.writableEnded) return;
    const { notes } = this.#options;
    call.stream.write(bytes, (error) => {
      // After an error the stream ends, which is told.
      if (error === undefined || error === null) notes.note(STREAM.taken, call.id);
    });
  }
}

interface CarriedCall {
  readonly id: number;
  readonly stream: ServerHttp2Stream;
  trailers: Headers | undefined;
  wantsTrailers: boolean;
}

const WITH_TRAILERS = { waitForTrailers: true } as const;
const WITHOUT_MORE = { endStream: true } as const;

function canRespond(stream: ServerHttp2Stream): boolean {
  return !stream.destroyed && !stream.closed && !stream.headersSent;
}
