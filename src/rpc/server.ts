// The gRPC server: lookups, the change feed, status, health and reflection on one port. Wires the gate, the bounds, the
// listener and the methods; what each of them promises is said where it is.
//
// It promises that `drain` ends: first politely, then by force. It knows what the services need, not where that comes
// from.

import { Server, type ServerCredentials } from '@grpc/grpc-js';
import type { Registry } from '@prometheus-io/client';

import type { ListenAddress } from '../model/ip/listen-address.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Authenticator } from './auth/authenticator.ts';
import { RECHECK_INTERVAL_MS } from './auth/revocation.ts';
import type { CallEnvironment } from './calls/call-environment.ts';
import type { CallConnection } from './calls/call-record.ts';
import { Drain } from './calls/drain.ts';
import { Gate } from './calls/gate.ts';
import { guardStreams } from './calls/grpc-js-streams.ts';
import { WATCH_PATH } from './calls/method-rules.ts';
import { OpenCalls } from './calls/open-calls.ts';
import { UnaryCalls } from './calls/unary-calls.ts';
import { WokenCalls } from './calls/woken-calls.ts';
import { sharedFrames } from './calls/shared-frames.ts';
import { CallerRates } from './limits/caller-rates.ts';
import { ConnectionTable } from './limits/connection-table.ts';
import { FairQueue } from './limits/fair-queue.ts';
import { Ledger, TURNS } from './limits/ledger.ts';
import { DEFAULT_LIMITS, type RpcLimits } from './limits/rpc-limits.ts';
import { StartQueue } from './limits/start-queue.ts';
import { Listener } from './listener.ts';
import { Health } from './methods/standard/health.ts';
import { PodAttributes } from './methods/answers/otel-attributes.ts';
import { PlainAnswers } from './methods/answers/plain-answers.ts';
import { encodePlain } from './methods/answers/resolution.ts';
import { addMethods, type FeedService, type RpcSources } from './methods/register.ts';
import { exportCallers, exportNameWaiters, exportPlainAnswers, exportPodAttributes, exportThreads } from './gauges.ts';
import { createRpcMetrics } from './metrics.ts';
import { Carriers } from './threads/carriers.ts';
import type { ClientCertificate } from './tls/client-certificate.ts';
import type { TlsSource } from './tls/termination.ts';

export interface RpcServerOptions {
  readonly credentials: ServerCredentials;
  /** TLS at the port; then `credentials` are insecure ones. Unset: as `credentials` say. */
  readonly tls?: TlsSource | undefined;
  readonly logger: Logger;
  readonly registry: Registry;
  /** Unset: any caller may call any method. */
  readonly authenticate?: Authenticator;
  /** How often the callers of open subscriptions are looked at again. Default: 60 s. */
  readonly recheckIntervalMs?: number;
  readonly limits?: Partial<RpcLimits>;
  /** ms since the epoch; unset: the system's clock. */
  readonly nowMs?: () => number;
  /** Threads that serve, see `threads/carriers.ts`: all but one carry connections. Default: 1, which does all itself. */
  readonly threads?: number | undefined;
  /** Unary methods of ours go through grpc-js as streams do: for tests that compare. Default: false. */
  readonly allThroughGrpcJs?: boolean;
}

export interface RpcServer {
  /** Binds and serves; the address that was bound. */
  start(address: ListenAddress): Promise<ListenAddress>;
  /** Health: whether the picture is complete. Lookups decide by `status.pending()` themselves. */
  setReady(ready: boolean): void;
  /** Ends the connection of a peer (as `call.getPeer()` names it) at once. */
  disconnect(peer: string): boolean;
  /** The client certificate of a peer's connection, verified; unset: it showed none, or has gone. */
  certificateOf(peer: string): ClientCertificate | undefined;
  /** Calls that have not ended yet. */
  readonly openCalls: number;
  /**
   * Stops for good: health says NOT_SERVING, new connections are refused, new and waiting calls get UNAVAILABLE
   * `DRAINING`, streams are ended, running calls finish. Resolves when every connection has ended, at the latest
   * when `deadline` aborts (then by force).
   */
  drain(deadline: AbortSignal): Promise<void>;
}

export function createRpcServer(sources: RpcSources, options: RpcServerOptions): RpcServer {
  const { authenticate, logger, registry, tls } = options;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const monotonicMs = (): number => performance.now();
  const metrics = createRpcMetrics(registry);
  const calls = new OpenCalls(metrics, monotonicMs);
  const drain = new Drain();
  const rates =
    limits.callerRate === 0
      ? undefined
      : new CallerRates({ perSecond: limits.callerRate, maxCallers: MAX_RATED_CALLERS, nowMs: monotonicMs });
  const environment: CallEnvironment = {
    logger,
    nowMs: options.nowMs ?? Date.now,
    drain,
    woken: new WokenCalls({ afterReads: setImmediate }),
    rates,
    countRefusal: metrics.countRefusal,
  };
  const maxBytes = { replica: limits.maxCallMemoryBytes, caller: limits.maxCallerMemoryBytes };
  const ledger = new Ledger({ maxBytes: maxBytes.replica, maxCallerBytes: maxBytes.caller });
  const table = new ConnectionTable<CallConnection>({
    limits: {
      maxConnections: limits.maxConnections,
      maxConnectionsPerSource: limits.maxConnectionsPerAddress,
      maxIdleMs: limits.connectionIdleMs,
      maxAgeMs: limits.connectionAgeMs,
      ageGraceMs: limits.connectionAgeGraceMs,
    },
    nowMs: monotonicMs,
    random: Math.random,
    countClosed: metrics.countClosed,
  });
  const queue = new FairQueue({
    connectionsOf: (source) => table.of(source),
    afterReads: setImmediate,
    nowMs: monotonicMs,
    countWaited: metrics.countWaited,
    countPaused: metrics.countPaused,
  });
  const starts = new StartQueue({
    maxConnectionsPerSource: limits.maxConnectionsPerAddress,
    afterReads: setImmediate,
    after: (run, ms) => void setTimeout(run, ms).unref(),
    nowMs: monotonicMs,
  });
  const gate = new Gate({
    environment,
    authenticate,
    ledger,
    connections: table,
    queue,
    findConnection: (session) => listener.connectionOf(session),
    maxBytes,
    maxHealthWatches: limits.maxHealthWatches,
    maxStreamsPerConnection: limits.maxStreamsPerConnection,
    requestTimeoutMs: limits.requestTimeoutMs,
  });
  exportNameWaiters(registry, sources.names);
  exportCallers(registry, { ledger, table, gate, queue, starts, ratedCallers: () => rates?.size ?? 0 });

  const server = new Server({
    // The gate is before both with bounds of each method.
    'grpc.max_receive_message_length': -1,
    'grpc.max_send_message_length': -1,
    'grpc.max_concurrent_streams': limits.maxStreamsPerConnection,
    'grpc-node.max_session_memory': limits.maxSessionMemoryMiB,
    'grpc.keepalive_time_ms': KEEPALIVE_TIME_MS,
    'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT_MS,
    // Bookkeeping for a debugging service that we do not offer; costs on every call.
    'grpc.enable_channelz': 0,
    // The last one is outermost: what the gate ends is seen by `calls`.
    interceptors: [sharedFrames(WATCH_PATH), calls.interceptor, gate.interceptor],
  });
  const unary = new UnaryCalls({
    interceptors: [calls.interceptor, gate.interceptor],
    needsMetadata: authenticate !== undefined,
    turn: () => environment.woken.turn(),
  });
  const recheck = authenticate && { authenticate, intervalMs: options.recheckIntervalMs ?? RECHECK_INTERVAL_MS };
  const podAttributes = new PodAttributes();
  exportPodAttributes(registry, podAttributes);
  const plain = sources.plain && new PlainAnswers(sources.plain, encodePlain);
  if (plain !== undefined) exportPlainAnswers(registry, plain);
  const { countLookup, countContainer } = metrics;
  addMethods({ server, unary }, sources, { environment, countLookup, countContainer, podAttributes, plain, recheck });
  const health = new Health();
  health.addTo(server);

  const listener = new Listener({
    server,
    credentials: options.credentials,
    table,
    queue,
    starts,
    metrics,
    tls: tls && { source: tls, logger, nowMs: monotonicMs },
  });
  const takeStream = guardStreams(server, gate, options.allThroughGrpcJs === true ? undefined : unary);
  const carriers =
    (options.threads ?? 1) === 1
      ? undefined
      : new Carriers({
          count: (options.threads ?? 1) - 1,
          limits: {
            maxStreamsPerConnection: limits.maxStreamsPerConnection,
            maxSessionMemoryMiB: limits.maxSessionMemoryMiB,
            maxSockets: limits.maxConnections + MORE_SOCKETS,
            keepaliveTimeMs: KEEPALIVE_TIME_MS,
            keepaliveTimeoutMs: KEEPALIVE_TIMEOUT_MS,
          },
          tls,
          logger,
          listener,
          onSession: (session) => gate.onSession(session),
          takeStream,
          countOverrun: () => metrics.countRefusal('open_calls'),
          countHeld: metrics.countPaused,
          countEnd: metrics.countThreadEnd,
          countRefusedSockets: (count) => metrics.connectionsRefused.inc(count),
          accept: { start: (address) => listener.listen(address), stop: () => listener.stopListening() },
        });
  exportThreads(registry, () => 1 + (carriers?.size ?? 0));
  // A few in a turn of the event loop, and the rest in the next ones.
  const endLate = inTurns(() => ledger.endLate());
  const sweep = inTurns(() => table.sweep());
  const timers = [
    setInterval(() => {
      ledger.passRequestTurn();
      endLate();
    }, limits.requestTimeoutMs / TURNS),
    setInterval(() => {
      ledger.passAnswerTurn();
      endLate();
    }, limits.answerTimeoutMs / TURNS),
    setInterval(() => {
      sweep();
      gate.endSecond();
    }, SWEEP_INTERVAL_MS),
  ];
  for (const timer of timers) timer.unref();
  return {
    start: (address) => carriers?.start(address) ?? listener.listen(address),
    setReady: (ready) => health.setReady(ready),
    disconnect: (peer) => listener.disconnect(peer),
    certificateOf: (peer) => listener.certificateOf(peer),
    get openCalls() {
      return calls.size;
    },
    async drain(deadline) {
      health.drain();
      listener.stopAccepting();
      carriers?.stopAccepting();
      drain.begin();
      void drainFeed(sources.feed, logger);
      await calls.drain(deadline);
      await listener.closeConnections(deadline);
      await carriers?.close();
      for (const timer of timers) clearInterval(timer);
    },
  };
}

/** About 200 bytes each. */
const MAX_RATED_CALLERS = 10_000;

/** Off by default in grpc-js; without it a peer that vanished keeps its streams for ever. */
const KEEPALIVE_TIME_MS = 30_000;
const KEEPALIVE_TIMEOUT_MS = 10_000;

/** Of a thread that carries connections, beside those that there may be: they are refused a little later there. */
const MORE_SOCKETS = 1_024;

const SWEEP_INTERVAL_MS = 1_000;

/** Runs something that says whether it has to be run again, once in a turn of the event loop. */
function inTurns(run: () => boolean): () => void {
  let isPlanned = false;
  const turn = (): void => {
    isPlanned = run();
    if (isPlanned) setImmediate(turn);
  };
  return () => {
    if (!isPlanned) turn();
  };
}

/** Not waited for: open calls are what counts, and a feed that fails to drain must not keep the process. */
async function drainFeed(feed: FeedService, logger: Logger): Promise<void> {
  try {
    await feed.drain();
  } catch (error) {
    logger.error({ err: error }, 'the feed did not drain');
  }
}
