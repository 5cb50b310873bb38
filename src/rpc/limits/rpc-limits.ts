// Bounds on what callers may ask of the process, and what each comes to in memory. The sum of all bounds is what the
// process may grow by at most; `docs/operations.md` and a test hold it against the memory of a pod.

export interface RpcLimits {
  /**
   * Concurrent calls of a connection, and so what one read of it may bring: about 3 ms of work before any other caller
   * is looked at, for which nothing else is a bound. A peer that sends more than it is told to is cut off by HTTP/2
   * itself after a thousand. 100: the least that RFC 9113 (section 6.5.2) recommends, and what proxies allow; clients
   * keep what is more until there is room. Subscribers need one.
   */
  readonly maxStreamsPerConnection: number;
  /**
   * What one connection may have in HTTP/2's own buffers: headers, and answers that its peer does not take. Beyond it
   * new calls on it are refused (RESOURCE_EXHAUSTED at a grpc-js client). grpc-js sets no bound. 16: some hundred
   * frames of the feed that are on their way at once.
   */
  readonly maxSessionMemoryMiB: number;
  /** Open connections, see `connection-table.ts`. */
  readonly maxConnections: number;
  /** Of them, from one address (IPv6: /64). */
  readonly maxConnectionsPerAddress: number;
  /** A connection without a call for this long is closed (GOAWAY). */
  readonly connectionIdleMs: number;
  /** A connection as old as this is closed (GOAWAY); 0: never. */
  readonly connectionAgeMs: number;
  /** What its calls get to end after that. */
  readonly connectionAgeGraceMs: number;
  /**
   * What all open calls may take, from their headers until their answers are taken (see `ledger.ts`): each at least
   * 16 KiB.
   */
  readonly maxCallMemoryBytes: number;
  /** Of it, one caller. */
  readonly maxCallerMemoryBytes: number;
  /** Streams that watch gRPC health; an eighth of them from one address. */
  readonly maxHealthWatches: number;
  /** How long an answer may wait to be taken. 60 s, as long as a subscriber may stall. */
  readonly answerTimeoutMs: number;
  /** From the headers to the end of a request. 30 s: nothing sends 256 KiB more slowly. */
  readonly requestTimeoutMs: number;
  /** Expensive work of one caller, in looked-up addresses a second (see `caller-rates.ts`); 0: as much as it likes. */
  readonly callerRate: number;
}

const MIB = 1024 * 1024;

export const DEFAULT_LIMITS: RpcLimits = {
  maxStreamsPerConnection: 100,
  maxSessionMemoryMiB: 16,
  maxConnections: 3_000,
  maxConnectionsPerAddress: 1_000,
  connectionIdleMs: 600_000,
  connectionAgeMs: 1_800_000,
  connectionAgeGraceMs: 60_000,
  maxCallMemoryBytes: 96 * MIB,
  maxCallerMemoryBytes: 32 * MIB,
  maxHealthWatches: 1_000,
  answerTimeoutMs: 60_000,
  requestTimeoutMs: 30_000,
  callerRate: 0,
};
