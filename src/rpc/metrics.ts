// What happens to calls and connections, counted: the counters that gRPC dashboards know (`grpc_server_*`), lookups by
// outcome, refusals by bound. What they take at the moment is read in gauges.ts.
//
// Labels are names of methods that exist, codes and outcomes: no caller can make up label values.

import { status } from '@grpc/grpc-js';
import { Counter, Gauge, Histogram, type Registry } from '@prometheus-io/client';

import {
  CONTAINER_OUTCOMES,
  type CountContainer,
  type CountLookup,
  LOOKUP_OUTCOMES,
  type LookupOutcome,
} from './methods/call-context.ts';
import { type Limit, LIMITS } from './errors/call-error.ts';
import { CLOSE_REASONS, type CloseReason } from './limits/connection-table.ts';
import { Tallies } from './tallies.ts';
import { END_REASONS, type EndReason } from './threads/end-reasons.ts';

export interface RpcMetrics {
  /** The counters of a method; the same object for the same path. */
  method(path: string, requestStream: boolean, responseStream: boolean): MethodCounters;
  readonly countLookup: CountLookup;
  readonly countContainer: CountContainer;
  readonly countRefusal: (limit: Limit) => void;
  readonly countClosed: (reason: CloseReason) => void;
  /** A call waits for its turn. */
  readonly countWaited: () => void;
  /** A connection is not read for a while. */
  readonly countPaused: () => void;
  /** A thread that carries connections has ended without being told to. */
  readonly countThreadEnd: (reason: EndReason) => void;
  readonly connections: Gauge;
  readonly connectionsRefused: Counter;
}

export interface MethodCounters {
  readonly started: { inc(): void };
  readonly handling: { observe(seconds: number): void };
  readonly received: { inc(): void };
  readonly sent: { inc(): void };
  handled(code: status): { inc(): void };
}

export function createRpcMetrics(registry: Registry): RpcMetrics {
  const registers = [registry];
  const tallies = new Tallies();
  const started = new Counter({
    name: 'grpc_server_started_total',
    help: 'Calls that reached a method.',
    labelNames: METHOD_LABELS,
    registers,
    collect: tallies.settle,
  });
  const handled = new Counter({
    name: 'grpc_server_handled_total',
    help: 'Calls that ended, by status code.',
    labelNames: [...METHOD_LABELS, 'grpc_code'],
    registers,
    collect: tallies.settle,
  });
  // From the start: an alert on the first internal error needs a value before it.
  for (const [grpc_service, grpc_method, grpc_type] of METHODS) {
    for (const grpc_code of ['OK', 'Internal']) handled.inc({ grpc_type, grpc_service, grpc_method, grpc_code }, 0);
  }
  const handling = new Histogram({
    name: 'grpc_server_handling_seconds',
    help: 'Time from the start of a call to its status, streams included.',
    labelNames: METHOD_LABELS,
    buckets: HANDLING_BUCKETS_SECONDS,
    registers,
  });
  const received = new Counter({
    name: 'grpc_server_msg_received_total',
    help: 'Messages received from clients.',
    labelNames: METHOD_LABELS,
    registers,
    collect: tallies.settle,
  });
  const sent = new Counter({
    name: 'grpc_server_msg_sent_total',
    help: 'Messages sent to clients.',
    labelNames: METHOD_LABELS,
    registers,
    collect: tallies.settle,
  });
  const lookups = new Counter({
    name: 'digger_lookups_total',
    help: 'Address lookups answered, by outcome; INVALID: failed items of a batch.',
    labelNames: ['outcome'],
    registers,
    collect: tallies.settle,
  });
  const containers = new Counter({
    name: 'digger_container_lookups_total',
    help: 'Questions about containers and pods by id answered, by outcome; INVALID: failed items of a batch.',
    labelNames: ['outcome'],
    registers,
  });
  for (const outcome of CONTAINER_OUTCOMES) containers.inc({ outcome }, 0);
  const refusals = new Counter({
    name: 'digger_limit_refusals_total',
    help: 'Calls that were refused because they met a bound, by bound.',
    labelNames: ['limit'],
    registers,
  });
  // All of them from the start: a rate needs a first value.
  for (const limit of LIMITS) refusals.inc({ limit }, 0);
  const connections = new Gauge({ name: 'digger_grpc_connections', help: 'Open gRPC connections.', registers });
  const connectionsRefused = new Counter({
    name: 'digger_grpc_connections_refused_total',
    help: 'Connections closed at once: every one that may be open has a call, or too many wait to begin.',
    registers,
  });
  const closed = new Counter({
    name: 'digger_grpc_connections_closed_total',
    help: 'Connections ended by this service: idle, old, or to make room for another.',
    labelNames: ['reason'],
    registers,
  });
  for (const reason of CLOSE_REASONS) closed.inc({ reason }, 0);
  const waited = new Counter({
    name: 'digger_grpc_calls_waited_total',
    help: 'Calls that waited for their turn to begin, because many came at once.',
    registers,
  });
  const paused = new Counter({
    name: 'digger_grpc_connections_paused_total',
    help: 'Times that a connection was not read for a while, because many calls of its address (IPv6: /64) waited.',
    registers,
  });

  const threadEnds = new Counter({
    name: 'digger_serving_thread_ends_total',
    help: 'Threads that carried connections and ended, which ended those too: by an error, silent for long, or without new TLS files.',
    labelNames: ['reason'],
    registers,
  });
  for (const reason of END_REASONS) threadEnds.inc({ reason }, 0);

  // Each child is looked up by its labels once.
  const methods = new Map<string, MethodCounters>();
  const method = (path: string, requestStream: boolean, responseStream: boolean): MethodCounters => {
    let counters = methods.get(path);
    if (counters === undefined) {
      const [, grpc_service = '', grpc_method = ''] = path.split('/');
      const labels = { grpc_type: callType(requestStream, responseStream), grpc_service, grpc_method };
      const codes = new Map<status, { inc(): void }>();
      counters = {
        started: tallies.of(started.labels(labels)),
        handling: handling.labels(labels),
        received: tallies.of(received.labels(labels)),
        sent: tallies.of(sent.labels(labels)),
        handled(code) {
          let child = codes.get(code);
          if (child === undefined) {
            child = tallies.of(handled.labels({ ...labels, grpc_code: CODE_NAMES[code] ?? 'Unknown' }));
            codes.set(code, child);
          }
          return child;
        },
      };
      methods.set(path, counters);
    }
    return counters;
  };

  const outcomes = new Map<LookupOutcome, { inc(by?: number): void }>();
  for (const outcome of LOOKUP_OUTCOMES) {
    lookups.inc({ outcome }, 0);
    outcomes.set(outcome, tallies.of(lookups.labels({ outcome })));
  }
  const countLookup: CountLookup = (outcome, count) => outcomes.get(outcome)?.inc(count);

  const countRefusal = (limit: Limit): void => refusals.inc({ limit });
  const countClosed = (reason: CloseReason): void => closed.inc({ reason });
  return {
    method,
    countLookup,
    countContainer: (outcome) => containers.inc({ outcome }),
    countRefusal,
    countClosed,
    countWaited: () => waited.inc(),
    countPaused: () => paused.inc(),
    countThreadEnd: (reason) => threadEnds.inc({ reason }),
    connections,
    connectionsRefused,
  };
}

const METHODS: readonly (readonly [service: string, method: string, type: string])[] = [
  ...[
    'ResolveAddress',
    'BatchResolveAddresses',
    'GetAddressTimeline',
    'GetPod',
    'GetService',
    'GetNode',
    'GetWorkload',
    'GetNamespace',
    'ResolveContainer',
    'BatchResolveContainers',
  ].map((method) => ['digger.v1.LookupService', method, 'unary'] as const),
  ['digger.v1.ChangeFeedService', 'Watch', 'server_stream'],
  ['digger.v1.StatusService', 'GetStatus', 'unary'],
  ['digger.v1.HistoryService', 'HandOver', 'server_stream'],
];

const METHOD_LABELS = ['grpc_type', 'grpc_service', 'grpc_method'] as const;

/** Lookups take well under a millisecond; `wait` up to 30 s. Streams end in the last bucket. */
const HANDLING_BUCKETS_SECONDS = [0.000_1, 0.000_3, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30];

/** Code names as other gRPC servers export them: `OK`, `NotFound`, `InvalidArgument`. */
const CODE_NAMES: Readonly<Record<number, string>> = Object.fromEntries(
  Object.entries(status)
    .filter(([, code]) => typeof code === 'number')
    .map(([name, code]) => [code, name === 'OK' ? name : toPascalCase(name)]),
);

function toPascalCase(name: string): string {
  return name
    .split('_')
    .map((word) => word.charAt(0) + word.slice(1).toLowerCase())
    .join('');
}

function callType(requestStream: boolean, responseStream: boolean): string {
  if (requestStream) return responseStream ? 'bidi_stream' : 'client_stream';
  return responseStream ? 'server_stream' : 'unary';
}
