// The lowest layer of a call: of one that grpc-js carries it is what its API hands out nowhere, and what ending a
// stream, looking at the bytes of a request and sending a frame as it is all need. With grpc-js-streams.ts the one
// place that reaches into grpc-js.

import type { ServerHttp2Stream } from 'node:http2';

/** BaseServerInterceptingCall, as far as it is known here. */
export interface BaseCall {
  readonly stream: ServerHttp2Stream;
  /** A layer of our own (`unary-stream.ts`) has a place for it. */
  observer?: RequestObserver | undefined;
}

/** Looks at the bytes of requests. */
export interface RequestObserver {
  /** Bytes have come on a stream; whether grpc-js is to see them. */
  onData(stream: ServerHttp2Stream, chunk: Buffer): boolean;
  /** The request on a stream is complete. */
  onEnd(stream: ServerHttp2Stream): void;
}

/** Of a call as interceptors or as handlers get it; `undefined` when grpc-js is not what it was. */
export function baseCallOf(call: object): BaseCall | undefined {
  const surface = call as Layer;
  // Handlers hold the layer below as `call`, interceptors as `nextCall`.
  let layer = surface.nextCall === undefined && surface.call !== undefined ? surface.call : surface;
  while (layer.nextCall !== undefined) layer = layer.nextCall;
  return typeof layer.stream?.close === 'function' ? (layer as BaseCall) : undefined;
}

/**
 * Shows every request of this call to its observer before grpc-js sees it. Two methods of the class of such calls are
 * replaced, once, which is not part of its API: when they are not there, that is a bug to be seen at the first call,
 * not a bound that is silently gone. Listeners of our own beside its would make two more closures for every call.
 */
export function observeRequest(base: BaseCall, observer: RequestObserver): void {
  if ('observer' in base) {
    base.observer = observer;
    return;
  }
  const call = base as ObservedCall;
  call[OBSERVER] = observer;
  const prototype = Object.getPrototypeOf(call) as ObservedCall;
  if (prototype === observedPrototype) return;
  const { handleDataFrame, handleEndEvent } = prototype;
  if (typeof handleDataFrame !== 'function' || typeof handleEndEvent !== 'function') {
    throw new Error('bug: grpc-js has changed what base-call.ts builds on');
  }
  observedPrototype = prototype;
  prototype.handleDataFrame = function (chunk) {
    if (this[OBSERVER]?.onData(this.stream, chunk) !== false) handleDataFrame.call(this, chunk);
  };
  prototype.handleEndEvent = function () {
    this[OBSERVER]?.onEnd(this.stream);
    handleEndEvent.call(this);
  };
}

interface Layer extends Partial<BaseCall> {
  readonly call?: Layer;
  readonly nextCall?: Layer;
}

const OBSERVER = Symbol('observer');

interface ObservedCall extends BaseCall {
  handleDataFrame(this: ObservedCall, chunk: Buffer): void;
  handleEndEvent(this: ObservedCall): void;
  [OBSERVER]?: RequestObserver;
}

let observedPrototype: ObservedCall | undefined;
