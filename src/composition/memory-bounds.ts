// What the process may take when every bound is at its limit at once: the sum that a memory limit has to bear, from the
// options. What one of each costs was measured (docs/benchmarks.md).

import type { Config } from '../options/options.ts';
import type { Logger } from '../telemetry/logger.ts';

export interface MemoryBound {
  readonly what: string;
  readonly bytes: number;
}

const MIB = 1024 * 1024;

/** Resident with an empty cluster. */
const PROCESS_BYTES = 93 * MIB;
const CONNECTION_BYTES = 36_000;
const REMOVAL_BYTES = 600;
const WAITER_BYTES = 1_000;
/** Of all subscribers together, see `FeedLimits`. */
const FILTER_BYTES = 32 * MIB;
/** Four tables of 4,096 reviews. */
const REVIEW_BYTES = 16 * MIB;
/** Of 1,024 pods with well-known labels and as many without, and their entities: see rpc/methods/answers/otel-attributes.ts. */
const OTEL_BYTES = 8 * MIB;

/**
 * Of a thread that carries connections: 21 MiB as it begins, 12 of its young generation, and streams that the main
 * thread has not looked at, 2,048 of 16 KiB (rpc/threads/unseen-streams.ts).
 */
const THREAD_BYTES = (21 + 12 + 32) * MIB;

/** All but the picture of the cluster, which grows with the cluster. */
export function memoryBounds(config: Config): readonly MemoryBound[] {
  return [
    { what: 'the process with an empty cluster', bytes: PROCESS_BYTES },
    { what: '--max-connections', bytes: config.maxConnections * CONNECTION_BYTES },
    { what: '--max-call-memory', bytes: config.maxCallMemoryBytes },
    { what: '--max-history-memory', bytes: config.maxHistoryMemoryBytes },
    { what: '--feed-retention-removals', bytes: config.maxFeedRemovals * REMOVAL_BYTES },
    // By address and by name.
    { what: '--max-waiters', bytes: 2 * config.maxWaiters * WAITER_BYTES },
    { what: 'filters of subscriptions', bytes: FILTER_BYTES },
    { what: '--serving-threads', bytes: (config.servingThreads - 1) * THREAD_BYTES },
    { what: 'attributes of OpenTelemetry', bytes: OTEL_BYTES },
    { what: '--auth=token-review', bytes: config.auth === 'token-review' ? REVIEW_BYTES : 0 },
  ];
}

export function sumOf(bounds: readonly MemoryBound[]): number {
  return bounds.reduce((sum, { bytes }) => sum + bytes, 0);
}

/** Says so when the bounds allow more than the memory limit of the process; `limitBytes` 0: no limit. */
export function warnOfMemory(config: Config, limitBytes: number | undefined, logger: Pick<Logger, 'warn'>): void {
  const bounds = memoryBounds(config);
  const bytes = sumOf(bounds);
  if (limitBytes === undefined || limitBytes === 0 || bytes <= limitBytes) return;
  const largest = bounds.toSorted((a, b) => b.bytes - a.bytes).slice(0, 3);
  logger.warn(
    { bytes, limitBytes, largest },
    'the options allow more memory than this process may have: callers could bring it to its limit',
  );
}
