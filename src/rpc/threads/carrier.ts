// Carries connections in a thread of its own: sockets, TLS, HTTP/2 and its flow control, and nothing else. It decides
// nothing and answers nothing. What comes is told to the main thread, and what the main thread says is done, so that a
// call has one place where it is admitted, counted and answered, whichever thread carries it.
//
// This file listens and reads what the main thread says; `carrier-sockets.ts` has the connections, `carrier-streams.ts`
// the streams on them, `unseen-streams.ts` and `carrier-socket.ts` the bounds of what waits for the main thread.

import { createServer, type Server as NetServer } from 'node:net';

import type { TlsBytes } from '../tls/files.ts';
import { CarrierNotes, type Tell } from './carrier-notes.ts';
import { CarrierSockets, connectionOf } from './carrier-sockets.ts';
import { CarrierStreams } from './carrier-streams.ts';
import { NoteReader } from './packed-notes.ts';
import {
  type CarrierStart,
  CONNECTION,
  type EndOfThread,
  SEEN_STREAMS,
  TO_STREAM,
  type ToCarrier,
} from './protocol.ts';
import { UnseenStreams } from './unseen-streams.ts';

export class Carrier {
  readonly #tell: Tell;
  readonly #net: NetServer;
  readonly #unseen: UnseenStreams;
  readonly #sockets: CarrierSockets;
  readonly #streams: CarrierStreams;
  #lastId = 0;

  constructor(start: CarrierStart, tell: Tell) {
    this.#tell = tell;
    const notes = new CarrierNotes(tell);
    const nextId = (): number => (this.#lastId += 1);
    this.#unseen = new UnseenStreams({
      noteHeld: (connection) => void notes.note(CONNECTION.held, connection.id),
      afterReads: setImmediate,
    });
    this.#streams = new CarrierStreams({ notes, unseen: this.#unseen, nextId, connectionOf });
    this.#sockets = new CarrierSockets({
      ...start,
      notes,
      unseen: this.#unseen,
      nextId,
      onHttp2: (server) => this.#streams.follow(server),
    });
    this.#net = createServer({ noDelay: true, pauseOnConnect: true }, (socket) => this.#sockets.accept(socket));
  }

  /** Closes all sockets at once. */
  close(): void {
    this.#net.close();
    this.#sockets.closeAll();
  }

  /** Does what the main thread says. */
  take(message: Exclude<ToCarrier, EndOfThread>): void {
    if ('notes' in message) this.#read(new NoteReader(message.notes), message.frames);
    else if ('beat' in message) this.#tell({ beat: message.beat });
    else if ('listen' in message) this.#listen(message.listen);
    else if ('tls' in message) this.#takeTls(message.tls, message.version);
    else this.#net.close();
  }

  #read(notes: NoteReader, frames: readonly Uint8Array[]): void {
    while (notes.next()) {
      if (notes.kind === SEEN_STREAMS) this.#unseen.seen(notes.id);
      else if (notes.kind < TO_STREAM.respond) this.#sockets.read(notes);
      else this.#streams.read(notes, frames);
    }
  }

  #listen({ host, port, shared }: { host: string; port: number; shared: boolean }): void {
    const fail = ({ code, message }: NodeJS.ErrnoException): void => this.#tell({ notListening: { code, message } });
    this.#net.once('error', fail);
    this.#net.listen({ host, port, reusePort: shared }, () => {
      this.#net.off('error', fail);
      const bound = this.#net.address();
      if (bound === null || typeof bound === 'string') throw new Error(`not a TCP address: ${bound}`);
      this.#tell({ listening: { host: bound.address, port: bound.port } });
    });
  }

  #takeTls(material: TlsBytes, version: number): void {
    let problem: string | undefined;
    try {
      this.#sockets.takeTls(material);
    } catch (error) {
      problem = error instanceof Error ? error.message : String(error);
    }
    this.#tell({ tlsTaken: version, problem });
  }
}
