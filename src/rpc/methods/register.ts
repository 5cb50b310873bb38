// Adds the methods of this service to what serves them: which function answers which, and what has to hold before it
// does.
//
// Unary ones are added twice. `UnaryCalls` carries them; a server that goes without it, as tests do that compare, finds
// the same handlers with grpc-js.

import type { Server, ServerWritableStream } from '@grpc/grpc-js';

import type { AddressReader, PlainReader } from '../../addresses/reader.ts';
import type { CatalogReader } from '../../catalog/reader.ts';
import type { Frame } from '../../wire/frame.ts';
import type { HandOverRequest__Output } from '../../wire/generated/digger/v1/HandOverRequest.ts';
import type { GetStatusRequest__Output } from '../../wire/generated/digger/v1/GetStatusRequest.ts';
import type { WatchRequest__Output } from '../../wire/generated/digger/v1/WatchRequest.ts';
import type { Authenticator } from '../auth/authenticator.ts';
import { watchForRevocation } from '../auth/revocation.ts';
import { type CallEnvironment, chargeCaller, failCall } from '../calls/call-environment.ts';
import { identityOf } from '../calls/gated-call.ts';
import { type Precondition, type UnaryHandler, type UnaryMethod, unaryHandler } from '../calls/unary-call.ts';
import type { UnaryCalls } from '../calls/unary-calls.ts';
import { draining, notSynced } from '../errors/outcomes.ts';
import { CALL_COSTS } from '../limits/caller-rates.ts';
import { DIGGER_SERVICES, type DiggerService, loadBytesService, RefusedRequest } from '../services.ts';
import { batchResolveAddresses } from './batch-resolve-addresses.ts';
import type { CallContext, CountContainer, CountLookup } from './call-context.ts';
import { getAddressTimeline } from './get-address-timeline.ts';
import { type EntityLookup, getNamespace, getNode, getPod, getService, getWorkload } from './get-entity.ts';
import { type HandOverCall, handOver, type HistoryGiver } from './hand-over.ts';
import { getStatus, type StatusSource, unsyncedTasks } from './get-status.ts';
import type { NameWaiters } from './name-waiters.ts';
import type { PodAttributes } from './answers/otel-attributes.ts';
import type { PlainAnswers } from './answers/plain-answers.ts';
import { addReflection } from './standard/reflection.ts';
import type { NetworkNames } from './answers/resolution.ts';
import {
  batchResolveContainers,
  type ContainerLookup,
  type ContainerReader,
  resolveContainer,
} from './resolve-container.ts';
import { type AddressLookup, resolveAddress } from './resolve-address.ts';
import type { WorkloadKind } from './answers/workload-kinds.ts';

/** What the server serves. */
export interface RpcSources {
  readonly catalog: CatalogReader;
  readonly addresses: AddressReader;
  /** Unset: no answers are kept ready. */
  readonly plain?: PlainReader;
  readonly names: NameWaiters;
  readonly containers: ContainerReader;
  /** Kinds whose objects GetWorkload finds, as they are known by now. */
  readonly workloadKinds: () => readonly WorkloadKind[];
  readonly networks: NetworkNames;
  readonly status: StatusSource;
  readonly feed: FeedService;
  /** Unset: no history is handed over. */
  readonly history?: HistoryGiver;
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

/** How the callers of open subscriptions are checked again; unset: callers are not authenticated. */
export interface Recheck {
  readonly authenticate: Authenticator;
  readonly intervalMs: number;
}

export interface MethodOptions {
  readonly environment: CallEnvironment;
  readonly countLookup: CountLookup;
  readonly countContainer: CountContainer;
  readonly podAttributes: PodAttributes;
  readonly plain: PlainAnswers | undefined;
  readonly recheck: Recheck | undefined;
}

/** What serves methods. */
export interface MethodHosts {
  readonly server: Server;
  readonly unary: UnaryCalls;
}

export function addMethods(hosts: MethodHosts, sources: RpcSources, options: MethodOptions): void {
  const { server } = hosts;
  addLookupService(hosts, sources, options);
  addChangeFeedService(server, sources, options);
  addStatusService(hosts, sources, options);
  addHistoryService(server, sources, options);
  addReflection(server, [...DIGGER_SERVICES, 'grpc.health.v1.Health']);
}

function addUnary({ server, unary }: MethodHosts, name: DiggerService, handlers: UnaryHandlers): void {
  const service = loadBytesService(name);
  unary.addService(service, handlers);
  server.addService(service, handlers);
}

type UnaryHandlers = Readonly<Record<string, UnaryHandler<never>>>;

/** Lookups answer when the picture is complete: an empty picture would say of every address that nothing holds it. */
function pictureComplete({ drain }: CallEnvironment, source: StatusSource): Precondition {
  return () => {
    if (drain.hasBegun) return draining();
    const pending = unsyncedTasks(source);
    return pending.length === 0 ? undefined : notSynced(pending);
  };
}

function addLookupService(
  hosts: MethodHosts,
  sources: RpcSources,
  { environment, countLookup, countContainer, podAttributes, plain }: MethodOptions,
): void {
  const { addresses, catalog, containers, names, networks, status, workloadKinds } = sources;
  const lookup: Lookup = {
    addresses,
    catalog,
    plain,
    names,
    containers,
    workloadKinds,
    networks,
    namespaces: status.namespaces,
    cluster: () => status.cluster(),
    published: status.published,
    knowsNamespaces: () => status.knowsNamespaces(),
    podAttributes,
    stalenessMs: () => status.stalenessMs(),
    countLookup,
    countContainer,
  };
  const precondition = pictureComplete(environment, status);
  const handler = <Request>(method: (request: Request, lookup: Lookup, call: CallContext) => Answer) =>
    unaryHandler<Request>(environment, precondition, (request, call) => method(request, lookup, call));
  addUnary(hosts, 'digger.v1.LookupService', {
    resolveAddress: handler(resolveAddress),
    batchResolveAddresses: handler(batchResolveAddresses),
    getAddressTimeline: handler(getAddressTimeline),
    getPod: handler(getPod),
    getService: handler(getService),
    getNode: handler(getNode),
    getWorkload: handler(getWorkload),
    getNamespace: handler(getNamespace),
    resolveContainer: handler(resolveContainer),
    batchResolveContainers: handler(batchResolveContainers),
  });
}

function addChangeFeedService(
  server: Server,
  { feed, status }: RpcSources,
  { environment, recheck }: MethodOptions,
): void {
  const precondition = pictureComplete(environment, status);
  const watch = (call: ServerWritableStream<WatchRequest__Output | RefusedRequest, Frame | Uint8Array>): void => {
    try {
      const error = precondition();
      if (error !== undefined) throw error;
      if (call.request instanceof RefusedRequest) throw call.request.error;
      const identity = identityOf(call);
      chargeCaller(environment, identity.caller, CALL_COSTS.subscription);
      const revoked = recheck && watchForRevocation(recheck.authenticate, identity, call, recheck.intervalMs);
      feed.watch(call as WatchCall, identity.caller, revoked);
    } catch (thrown) {
      call.emit('error', failCall(environment, thrown, call.getPath()));
    }
  };
  server.addService(loadBytesService('digger.v1.ChangeFeedService'), { watch });
}

function addStatusService(hosts: MethodHosts, { status }: RpcSources, { environment }: MethodOptions): void {
  const method: UnaryMethod<GetStatusRequest__Output> = (request, call) => getStatus(request, status, call);
  addUnary(hosts, 'digger.v1.StatusService', {
    getStatus: unaryHandler(environment, () => undefined, method),
  });
}

function addHistoryService(server: Server, { history, status }: RpcSources, { environment }: MethodOptions): void {
  if (history === undefined) return;
  const precondition = pictureComplete(environment, status);
  const handle = async (call: ServerWritableStream<HandOverRequest__Output | RefusedRequest, Uint8Array>) => {
    try {
      const error = precondition();
      if (error !== undefined) throw error;
      if (call.request instanceof RefusedRequest) throw call.request.error;
      chargeCaller(environment, identityOf(call).caller, CALL_COSTS.subscription);
      await handOver(call as HandOverCall, history, environment.drain);
    } catch (thrown) {
      call.emit('error', failCall(environment, thrown, call.getPath()));
    }
  };
  server.addService(loadBytesService('digger.v1.HistoryService'), {
    handOver: (call: Parameters<typeof handle>[0]) => void handle(call),
  });
}

type Lookup = AddressLookup & EntityLookup & ContainerLookup;
type Answer = ReturnType<UnaryMethod<never>>;
