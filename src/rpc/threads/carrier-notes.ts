// What a thread that carries connections has to tell the main thread, packed until the end of its turn.

import type { CarrierSocket } from './carrier-socket.ts';
import { NoteWriter } from './packed-notes.ts';
import { CONNECTION, type FromCarrier } from './protocol.ts';

export type Tell = (message: FromCarrier, transfer?: ArrayBuffer[]) => void;

export class CarrierNotes {
  readonly tell: Tell;
  readonly #writer = new NoteWriter();
  readonly #controlled = new Set<CarrierSocket>();
  #isFlushPlanned = false;
  readonly #flush = (): void => {
    for (const connection of this.#controlled) {
      this.note(CONNECTION.control, connection.id).number(connection.controlFrames);
      connection.controlFrames = 0;
    }
    this.#controlled.clear();
    this.#isFlushPlanned = false;
    const notes = this.#writer.take();
    this.tell({ notes }, [notes]);
  };

  constructor(tell: Tell) {
    this.tell = tell;
  }

  /** Begins a note; it leaves with those of this turn. */
  note(kind: number, id: number): NoteWriter {
    this.#plan();
    this.#writer.begin(kind, id);
    return this.#writer;
  }

  /** A ping or settings came. They are told as a number: a peer may send a million of them in a second. */
  noteControl(connection: CarrierSocket): void {
    connection.controlFrames += 1;
    this.#controlled.add(connection);
    this.#plan();
  }

  /** A connection has closed. */
  forget(connection: CarrierSocket): void {
    this.#controlled.delete(connection);
  }

  #plan(): void {
    if (this.#isFlushPlanned) return;
    this.#isFlushPlanned = true;
    setImmediate(this.#flush);
  }
}
