// What callers of this server take at the moment, in numbers: calls, their memory, connections, queues, threads, and
// what is kept ready for them. Read from the parts when metrics are asked for; what happens is counted in metrics.ts.

import { Counter, Gauge, type Registry } from '@prometheus-io/client';
import type { ConnectionTable } from './limits/connection-table.ts';
import type { FairQueue } from './limits/fair-queue.ts';
import type { Ledger } from './limits/ledger.ts';
import type { StartQueue } from './limits/start-queue.ts';
import type { NameWaiters } from './methods/name-waiters.ts';

/** Callers that wait for a name: how many, and how many were told not to. */
export function exportNameWaiters(registry: Registry, names: NameWaiters): void {
  const waiting: Gauge = new Gauge({
    name: 'digger_name_waiters',
    help: 'Lookups by name that wait for an object.',
    registers: [registry],
    collect: () => waiting.set(names.size),
  });
  let exported = 0;
  const refused: Counter = new Counter({
    name: 'digger_name_waiters_refused_total',
    help: 'Lookups by name that were answered without waiting because too many waited.',
    registers: [registry],
    collect: () => {
      refused.inc(names.refused - exported);
      exported = names.refused;
    },
  });
}

/** Pods whose resource attributes are kept. */
export function exportPodAttributes(registry: Registry, attributes: { readonly size: number }): void {
  const kept: Gauge = new Gauge({
    name: 'digger_otel_attributes_kept',
    help: 'Pods whose OpenTelemetry attributes are kept, for callers that ask for them; dropped as a whole at 1,024.',
    registers: [registry],
    collect: () => kept.set(attributes.size),
  });
}

/** Answers that are kept ready. */
export function exportPlainAnswers(registry: Registry, kept: { readonly count: number; readonly bytes: number }): void {
  const registers = [registry];
  const answers: Gauge = new Gauge({
    name: 'digger_plain_answers_kept',
    help: 'Answers about addresses that are kept ready for lookups in the basic view; at most 32,768.',
    registers,
    collect: () => answers.set(kept.count),
  });
  const bytes: Gauge = new Gauge({
    name: 'digger_plain_answers_kept_bytes',
    help: 'Bytes of the answers that are kept ready.',
    registers,
    collect: () => bytes.set(kept.bytes),
  });
}

/** Threads that serve. */
export function exportThreads(registry: Registry, count: () => number): void {
  const threads: Gauge = new Gauge({
    name: 'digger_serving_threads',
    help: 'Threads that serve gRPC: the one that answers, and those that carry connections.',
    registers: [registry],
    collect: () => threads.set(count()),
  });
}

/** What calls and connections take, against their bounds. */
export function exportCallers(
  registry: Registry,
  sources: {
    readonly ledger: Ledger;
    readonly table: ConnectionTable;
    readonly gate: { readonly healthWatches: number };
    readonly queue: FairQueue;
    readonly starts: StartQueue;
    readonly ratedCallers: () => number;
  },
): void {
  const { ledger, table, gate, queue, starts, ratedCallers } = sources;
  const gauge = (name: string, help: string, read: () => number): void => {
    const exported: Gauge = new Gauge({ name, help, registers: [registry], collect: () => exported.set(read()) });
  };
  gauge('digger_grpc_open_calls', 'Calls from their headers until their streams have closed.', () => ledger.calls);
  gauge('digger_grpc_call_memory_bytes', 'Memory that open calls take, about.', () => ledger.bytes);
  gauge(
    'digger_grpc_call_memory_largest_caller_bytes',
    'Of the memory that open calls take, what the caller takes that has most.',
    () => ledger.largestCallerBytes,
  );
  gauge('digger_grpc_open_callers', 'Callers that have a call open.', () => ledger.callers);
  gauge('digger_grpc_arriving_requests', 'Calls whose requests are not complete.', () => ledger.arriving);
  gauge('digger_grpc_untaken_answers', 'Calls whose answers their callers have not taken yet.', () => ledger.leaving);
  gauge('digger_grpc_untaken_answer_bytes', 'Memory that those take, about.', () => ledger.bytesOf('leaving'));
  gauge('digger_grpc_calls_waiting', 'Calls that wait for their turn to begin.', () => queue.waiting);
  gauge(
    'digger_grpc_connections_paused',
    'Connections that are not read, because many calls of their address (IPv6: /64) wait.',
    () => queue.paused,
  );
  gauge(
    'digger_grpc_connections_waiting',
    'Connections that wait for their turn to begin (accepted, TLS handshake, HTTP/2), because many came at once.',
    () => starts.waiting,
  );
  gauge('digger_grpc_health_watches', 'Streams that watch gRPC health.', () => gate.healthWatches);
  gauge(
    'digger_grpc_connections_largest_address',
    'Open connections of the address (IPv6: /64) that has most.',
    () => table.mostOfASource,
  );
  gauge('digger_rated_callers', 'Callers whose rate of expensive calls is remembered.', ratedCallers);
}
