// Which connections may be open: so many in all, and a share of them for each source (see `caller.ts`). None stays for
// ever.
//
// At a bound the connection goes that has been without a call for longest, of the source at its share or of all: its
// client connects again when it has something to ask. Only when every connection has a call is a new one refused. Pings
// are not calls: who only keeps a connection alive does not keep its place. A connection that is old is told to go (its
// client moves to another replica, or comes back with the certificate that holds now) and ends after a grace.
//
// It knows no sockets and owns no timer: `sweep` is called by a clock.

export interface ConnectionLimits {
  readonly maxConnections: number;
  readonly maxConnectionsPerSource: number;
  /** Without a call for this long it is closed (GOAWAY). */
  readonly maxIdleMs: number;
  /** Open for so long, give or take a tenth so that those that came together do not go together; 0: no limit. */
  readonly maxAgeMs: number;
  /** What its calls get to end after that. */
  readonly ageGraceMs: number;
}

export const CLOSE_REASONS = ['idle', 'age', 'evicted'] as const;

export type CloseReason = (typeof CLOSE_REASONS)[number];

/** A connection on the table; extended by what has its socket. */
export abstract class TrackedConnection {
  abstract readonly source: string;
  /** To be changed by the table only, as all of these. */
  openCalls = 0;
  idleSinceMs = 0;
  retireAtMs = Number.POSITIVE_INFINITY;
  isRetired = false;

  /** Ends it at once. */
  abstract destroy(): void;
  /** Tells it to go: no new calls, those that are open may end. */
  abstract retire(): void;
}

export interface ConnectionTableOptions {
  readonly limits: ConnectionLimits;
  /** A monotonic clock. */
  readonly nowMs: () => number;
  /** From 0 up to 1. */
  readonly random: () => number;
  readonly countClosed: (reason: CloseReason) => void;
}

const AGE_SPREAD = 0.1;

/** Connections that `sweep` ends at once, 0.1 to 0.15 ms each, and with the subscriptions on them. */
export const MAX_SWEPT_AT_ONCE = 8;

export class ConnectionTable<Connection extends TrackedConnection = TrackedConnection> {
  readonly #options: ConnectionTableOptions;
  readonly #all = new Set<Connection>();
  /** Without a call, those first that have been for longest. */
  readonly #idle = new Set<Connection>();
  readonly #bySource = new Map<string, Set<Connection>>();

  constructor(options: ConnectionTableOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#all.size;
  }

  /** Of the source that has most. */
  get mostOfASource(): number {
    let most = 0;
    for (const { size } of this.#bySource.values()) most = Math.max(most, size);
    return most;
  }

  /** Those of a source. */
  of(source: string): Iterable<Connection> {
    return this.#bySource.get(source) ?? [];
  }

  /** Whether the connection may stay; makes room for it if that is possible. */
  admit(connection: Connection): boolean {
    const { limits, nowMs, random } = this.#options;
    const { source } = connection;
    if (this.#countOf(source) >= limits.maxConnectionsPerSource && !this.#evict(source)) return false;
    if (this.#all.size >= limits.maxConnections && !this.#evict(undefined)) return false;
    const now = nowMs();
    connection.idleSinceMs = now;
    if (limits.maxAgeMs > 0) {
      connection.retireAtMs = now + limits.maxAgeMs * (1 - AGE_SPREAD + 2 * AGE_SPREAD * random());
    }
    this.#all.add(connection);
    this.#idle.add(connection);
    const ofSource = this.#bySource.get(source);
    if (ofSource === undefined) this.#bySource.set(source, new Set([connection]));
    else ofSource.add(connection);
    return true;
  }

  /** It has closed. */
  remove(connection: Connection): void {
    if (!this.#all.delete(connection)) return;
    this.#idle.delete(connection);
    const ofSource = this.#bySource.get(connection.source);
    ofSource?.delete(connection);
    if (ofSource?.size === 0) this.#bySource.delete(connection.source);
  }

  callOpened(connection: Connection): void {
    connection.openCalls += 1;
    if (connection.openCalls === 1) this.#idle.delete(connection);
  }

  callClosed(connection: Connection): void {
    connection.openCalls -= 1;
    if (connection.openCalls > 0 || !this.#all.has(connection)) return;
    connection.idleSinceMs = this.#options.nowMs();
    this.#idle.add(connection);
  }

  /**
   * Tells those to go that are idle or old, and ends those whose grace is over: so many at once, for those that came
   * together go together. To be called every second or so; whether there are more, for a later turn.
   */
  sweep(): boolean {
    const { limits, nowMs } = this.#options;
    const now = nowMs();
    let left = MAX_SWEPT_AT_ONCE;
    for (const connection of this.#idle) {
      if (now - connection.idleSinceMs < limits.maxIdleMs) break;
      if (connection.isRetired) continue;
      if (left === 0) return true;
      left -= 1;
      this.#retire(connection, now, 'idle');
    }
    for (const connection of this.#all) {
      if (now < connection.retireAtMs) continue;
      if (left === 0) return true;
      left -= 1;
      if (!connection.isRetired) {
        this.#retire(connection, now, 'age');
      } else {
        connection.destroy();
        // Until its socket has closed it stays on the table, and is not to be ended every second.
        connection.retireAtMs = Number.POSITIVE_INFINITY;
      }
    }
    return false;
  }

  #retire(connection: Connection, now: number, reason: CloseReason): void {
    connection.isRetired = true;
    connection.retireAtMs = now + this.#options.limits.ageGraceMs;
    this.#options.countClosed(reason);
    connection.retire();
  }

  /** Ends the connection, of this source or of any, that was idle for longest; false: every one has a call. */
  #evict(source: string | undefined): boolean {
    for (const connection of this.#idle) {
      if (source !== undefined && connection.source !== source) continue;
      this.remove(connection);
      this.#options.countClosed('evicted');
      connection.destroy();
      return true;
    }
    return false;
  }

  #countOf(source: string): number {
    return this.#bySource.get(source)?.size ?? 0;
  }
}
