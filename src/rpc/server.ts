// The gRPC server: lookups, the change feed, status, health and reflection on one port.
//
// It promises that no caller harms another (limits on messages, headers, streams and connections; dead peers are found
// by keepalive), and that `drain` ends: first politely, then by force. It knows what the services need, not where that
// comes from.

import { Server, type ServerCredentials, type ServerWritableStream } from '@grpc/grpc-js';
import type { Registry } from '@prometheus-io/client';

import type { AddressReader } from '../addresses/reader.ts';
import type { CatalogReader } from '../catalog/reader.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Frame } from '../wire/frame.ts';
import type { WatchRequest__Output } from '../wire/generated/digger/v1/WatchRequest.ts';
import type { GetStatusRequest__Output } from '../wire/generated/digger/v1/GetStatusRequest.ts';
import type { Authenticator } from './auth/authenticator.ts';
import { RECHECK_INTERVAL_MS, watchForRevocation } from './auth/revocation.ts';
import { batchResolveAddresses } from './methods/batch-resolve-addresses.ts';
import type { CallContext, CountLookup } from './methods/call-context.ts';
import { callerOf } from './limits/caller.ts';
import { CALL_COSTS, CallerRates } from './limits/caller-rates.ts';
import type { ClientCertificate } from './tls/client-certificate.ts';
import { type CallError, draining, notSynced } from './errors.ts';
import { type EntityLookup, getNode, getPod, getService, getWorkload } from './methods/get-entity.ts';
import { getStatus, type StatusSource, unsyncedTasks } from './methods/get-status.ts';
import { Health } from './methods/health.ts';
import { type ListenAddress, Listener } from './listener.ts';
import { createRpcMetrics, exportCallers, exportNameWaiters } from './metrics.ts';
import type { NameWaiters } from './methods/name-waiters.ts';
import { OpenCalls } from './calls/open-calls.ts';
import { addReflection } from './methods/reflection.ts';
import { RequestIntake, TURNS } from './limits/request-intake.ts';
import { type AddressLookup, resolveAddress } from './methods/resolve-address.ts';
import { DIGGER_SERVICES, loadBytesService, RefusedRequest } from './services.ts';
import { sharedFrames } from './calls/shared-frames.ts';
import type { TlsSource } from './tls/termination.ts';
import { ANSWER_TURNS, UntakenAnswers } from './limits/untaken-answers.ts';
import {
  type CallGate,
  chargeCaller,
  failCall,
  type Precondition,
  toIdentity,
  type UnaryMethod,
  unaryHandler,
} from './calls/unary-call.ts';

/** What the server serves. */
export interface RpcSources {
  readonly catalog: CatalogReader;
  readonly addresses: AddressReader;
  readonly names: NameWaiters;
  readonly status: StatusSource;
  readonly feed: FeedService;
}

/** The change feed, as a server needs it. */
export interface FeedService {
  /**
   * Handles one subscription of `caller` (see `caller.ts`); frames are encoded `WatchResponse`s. May throw CallError
   * before the first frame. `revoked` aborts when the caller may not subscribe any more, with the CallError to end the
   * stream with.
   */
  watch(call: WatchCall, caller: string, revoked?: AbortSignal): void;
  /**
   * Ends every subscription as planned: a last `Progress`, then UNAVAILABLE. Called once, when the drain begins; those
   * that do not take their last frame lose their connection at the deadline.
   */
  drain(): Promise<void> | void;
}

export type WatchCall = ServerWritableStream<WatchRequest__Output, Frame | Uint8Array>;

export interface RpcServerOptions {
  readonly credentials: ServerCredentials;
  /** TLS at the port; then `credentials` are insecure ones. Unset: as `credentials` say. */
  readonly tls?: TlsSource | undefined;
  readonly logger: Logger;
  readonly registry: Registry;
  /** Unset: everybody may call everything. */
  readonly authenticate?: Authenticator;
  /** How often the callers of open subscriptions are looked at again. Default: 60 s. */
  readonly recheckIntervalMs?: number;
  readonly limits?: Partial<RpcLimits>;
  /** ms since the epoch; unset: the system's clock. */
  readonly nowMs?: () => number;
}

/** Bounds on what callers may ask of the process. */
export interface RpcLimits {
  /** Largest request. 1 MiB: a batch of 1,000 queries has about 60 KiB. Larger: RESOURCE_EXHAUSTED. */
  readonly maxRequestBytes: number;
  /** Concurrent calls of a connection. 1,000: a pipeline that pipelines its lookups; subscribers need one. */
  readonly maxStreamsPerConnection: number;
  /**
   * What one connection may have in HTTP/2's own buffers: headers, and answers that its peer does not take. Beyond it
   * new calls on it are refused (RESOURCE_EXHAUSTED at a grpc-js client). grpc-js sets no bound. 64: some hundred frames
   * of the feed, or a dozen large batches, that are all on their way at once.
   */
  readonly maxSessionMemoryMiB: number;
  /** Open connections; beyond it new ones are closed at once. 10,000: twice the subscribers that one replica is for. */
  readonly maxConnections: number;
  /**
   * What requests that are not complete may take over all connections, and once more what large ones may whose calls have
   * not ended (see `request-intake.ts`). 64 MiB: 4,000 calls of which only the headers have come, or hundreds of batches
   * that are half sent.
   */
  readonly maxRequestMemoryBytes: number;
  /**
   * What answers may take that are not taken, over all connections (see `untaken-answers.ts`). 64 MiB: a hundred answers
   * to the largest batches.
   */
  readonly maxAnswerMemoryBytes: number;
  /** How long an answer may wait to be taken. 60 s, as long as a subscriber may stall. */
  readonly answerTimeoutMs: number;
  /** From the headers to the end of a request. 30 s: nobody sends 1 MiB more slowly. */
  readonly requestTimeoutMs: number;
  /** Expensive work of one caller, in looked-up addresses a second (see `caller-rates.ts`); 0: as much as it likes. */
  readonly callerRate: number;
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
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const metrics = createRpcMetrics(options.registry);
  exportNameWaiters(options.registry, sources.names);
  const calls = new OpenCalls(metrics, () => performance.now());
  const drainController = new AbortController();
  const monotonicMs = (): number => performance.now();
  const rates =
    limits.callerRate === 0
      ? undefined
      : new CallerRates({ perSecond: limits.callerRate, maxCallers: MAX_RATED_CALLERS, nowMs: monotonicMs });
  const gate: CallGate = {
    authenticate: options.authenticate,
    logger: options.logger,
    nowMs: options.nowMs ?? Date.now,
    drainSignal: drainController.signal,
    rates,
    countRefusal: metrics.countRefusal,
    untakenAnswers: new UntakenAnswers({
      maxBytes: limits.maxAnswerMemoryBytes,
      countRefusal: metrics.countRefusal,
      disconnect: (peer) => listener.disconnect(peer),
    }),
  };
  const intake = new RequestIntake({
    maxMessageBytes: limits.maxRequestBytes,
    maxBytes: limits.maxRequestMemoryBytes,
    timeoutMs: limits.requestTimeoutMs,
    fail: (error, method) => failCall(gate, error, method),
  });
  exportCallers(options.registry, { intake, answers: gate.untakenAnswers, ratedCallers: () => rates?.size ?? 0 });
  const server = new Server({
    // The intake is before it with an error that says more; this one is for what is unpacked.
    'grpc.max_receive_message_length': limits.maxRequestBytes,
    // Answers are bounded by their requests; a batch of 1,000 large entities may well exceed grpc-js's default of 4 MiB.
    'grpc.max_send_message_length': -1,
    'grpc.max_concurrent_streams': limits.maxStreamsPerConnection,
    'grpc-node.max_session_memory': limits.maxSessionMemoryMiB,
    'grpc.keepalive_time_ms': KEEPALIVE_TIME_MS,
    'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT_MS,
    // Bookkeeping for a debugging service that we do not offer; costs on every call.
    'grpc.enable_channelz': 0,
    // The last one is outermost: what the intake ends is seen by `calls`.
    interceptors: [sharedFrames(WATCH_PATH), calls.interceptor, intake.interceptor],
  });
  const lateRequests = setInterval(() => intake.endLate(), limits.requestTimeoutMs / TURNS).unref();
  const lateAnswers = setInterval(() => gate.untakenAnswers.endLate(), limits.answerTimeoutMs / ANSWER_TURNS).unref();
  const health = new Health();

  addLookupService(server, gate, sources, metrics.countLookup);
  addChangeFeedService(server, gate, sources, options.recheckIntervalMs ?? RECHECK_INTERVAL_MS);
  addStatusService(server, gate, sources);
  health.addTo(server);
  addReflection(server, [...DIGGER_SERVICES, 'grpc.health.v1.Health'], gate);

  const { tls, logger } = options;
  const listener = new Listener({
    server,
    credentials: options.credentials,
    maxConnections: limits.maxConnections,
    metrics,
    tls: tls && { source: tls, logger, nowMs: () => performance.now() },
  });
  return {
    start: (address) => listener.listen(address),
    setReady: (ready) => health.setReady(ready),
    disconnect: (peer) => listener.disconnect(peer),
    certificateOf: (peer) => listener.certificateOf(peer),
    get openCalls() {
      return calls.size;
    },
    async drain(deadline) {
      health.drain();
      listener.stopAccepting();
      drainController.abort();
      void drainFeed(sources.feed, options.logger);
      await calls.drain(deadline);
      await listener.closeConnections(deadline);
      clearInterval(lateRequests);
      clearInterval(lateAnswers);
    },
  };
}

const DEFAULT_LIMITS: RpcLimits = {
  maxRequestBytes: 1_048_576,
  maxStreamsPerConnection: 1_000,
  maxSessionMemoryMiB: 64,
  maxConnections: 10_000,
  maxRequestMemoryBytes: 64 * 1024 * 1024,
  maxAnswerMemoryBytes: 64 * 1024 * 1024,
  answerTimeoutMs: 60_000,
  requestTimeoutMs: 30_000,
  callerRate: 0,
};

/** As many as connections; about 200 bytes each. */
const MAX_RATED_CALLERS = 10_000;

const WATCH_PATH = '/digger.v1.ChangeFeedService/Watch';

/** Off by default in grpc-js; without it a peer that vanished keeps its streams for ever. */
const KEEPALIVE_TIME_MS = 30_000;
const KEEPALIVE_TIMEOUT_MS = 10_000;

/** Not waited for: open calls are what counts, and a feed that fails to drain must not keep the process. */
async function drainFeed(feed: FeedService, logger: Logger): Promise<void> {
  try {
    await feed.drain();
  } catch (error) {
    logger.error({ err: error }, 'the feed did not drain');
  }
}

/** Lookups answer when the picture is complete: an empty picture would say "nobody" about everybody. */
function pictureComplete({ drainSignal }: CallGate, source: StatusSource): Precondition {
  return () => {
    if (drainSignal.aborted) return draining();
    const pending = unsyncedTasks(source);
    return pending.length === 0 ? undefined : notSynced(pending);
  };
}

function addLookupService(server: Server, gate: CallGate, sources: RpcSources, countLookup: CountLookup): void {
  const { addresses, catalog, names, status } = sources;
  const lookup: AddressLookup & EntityLookup = {
    addresses,
    catalog,
    names,
    namespaces: status.namespaces,
    stalenessMs: () => status.stalenessMs(),
    countLookup,
  };
  const precondition = pictureComplete(gate, status);
  const handler = <Request>(
    method: (request: Request, lookup: AddressLookup & EntityLookup, call: CallContext) => Answer,
  ) => unaryHandler<Request>(gate, precondition, (request, call) => method(request, lookup, call));
  server.addService(loadBytesService('digger.v1.LookupService'), {
    resolveAddress: handler(resolveAddress),
    batchResolveAddresses: handler(batchResolveAddresses),
    getPod: handler(getPod),
    getService: handler(getService),
    getNode: handler(getNode),
    getWorkload: handler(getWorkload),
  });
}

function addChangeFeedService(
  server: Server,
  gate: CallGate,
  { feed, status }: RpcSources,
  recheckIntervalMs: number,
): void {
  const precondition = pictureComplete(gate, status);
  const watch = (call: ServerWritableStream<WatchRequest__Output | RefusedRequest, Frame | Uint8Array>): void => {
    const fail = (error: unknown): void => {
      call.emit('error', failCall(gate, error, call.getPath()));
    };
    const begin = (refusal: CallError | undefined): void => {
      try {
        const error = refusal ?? precondition();
        if (error !== undefined) throw error;
        if (call.request instanceof RefusedRequest) throw call.request.error;
        chargeCaller(gate, identity, CALL_COSTS.subscription);
        const revoked = gate.authenticate && watchForRevocation(gate.authenticate, identity, call, recheckIntervalMs);
        feed.watch(call as WatchCall, callerOf(identity), revoked);
      } catch (thrown) {
        fail(thrown);
      }
    };
    const identity = toIdentity(call);
    try {
      const allowed = gate.authenticate?.(identity);
      if (allowed instanceof Promise) allowed.then(begin, fail);
      else begin(allowed);
    } catch (thrown) {
      fail(thrown);
    }
  };
  server.addService(loadBytesService('digger.v1.ChangeFeedService'), { watch });
}

function addStatusService(server: Server, gate: CallGate, { status }: RpcSources): void {
  const method: UnaryMethod<GetStatusRequest__Output> = (request, call) => getStatus(request, status, call);
  server.addService(loadBytesService('digger.v1.StatusService'), {
    getStatus: unaryHandler(gate, () => undefined, method),
  });
}

type Answer = ReturnType<UnaryMethod<never>>;
