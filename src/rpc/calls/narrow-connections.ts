// Connections that may have fewer calls at once than others, because their source floods. HTTP/2 refuses what is beyond
// that by itself, before any JavaScript runs.

import { type FairQueue, READ_BUDGET_OF_FLOOD } from '../limits/fair-queue.ts';
import type { CallConnection } from './call-record.ts';

/**
 * Calls at once of a connection that opens while its source is remembered for having brought many, or for whose calls
 * there is no room, until its source is forgotten: as many as are read of it in a turn. HTTP/2 refuses those beyond it by
 * itself (REFUSED_STREAM), which costs little beside looking at them; clients keep them until there is room, and try
 * again what they had sent before they knew.
 */
export const NARROW_STREAMS = READ_BUDGET_OF_FLOOD;

export class NarrowConnections {
  readonly #queue: FairQueue;
  readonly #maxStreams: number;
  readonly #connections = new Set<CallConnection>();

  /** `maxStreams`: calls at once of any other connection. */
  constructor(queue: FairQueue, maxStreams: number) {
    this.#queue = queue;
    this.#maxStreams = maxStreams;
  }

  /** Where its source floods. */
  add(connection: CallConnection): void {
    const { session } = connection;
    if (session === undefined || session.destroyed || this.#connections.has(connection)) return;
    if (!this.#queue.isFlooding(connection.source)) return;
    this.#connections.add(connection);
    session.settings({ maxConcurrentStreams: Math.min(NARROW_STREAMS, this.#maxStreams) });
  }

  /** It has closed. */
  forget(connection: CallConnection): void {
    this.#connections.delete(connection);
  }

  /** Those whose source is forgotten may have as many as any other. */
  widenForgotten(): void {
    for (const connection of this.#connections) {
      if (this.#queue.isFlooding(connection.source)) continue;
      this.#connections.delete(connection);
      const { session } = connection;
      if (session === undefined || session.destroyed) continue;
      session.settings({ maxConcurrentStreams: this.#maxStreams });
    }
  }
}
