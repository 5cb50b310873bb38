// The lowest layer of a call in grpc-js: what its API hands out nowhere, and what resetting a stream, counting a request and
// sending a frame as it is all need. The one place that reaches into grpc-js.

import type { ServerHttp2Stream } from 'node:http2';

/** BaseServerInterceptingCall, as far as it is known here. */
export interface BaseCall {
  readonly stream: ServerHttp2Stream;
}

/** Of a call as interceptors or as handlers get it; `undefined` when grpc-js is not what it was. */
export function baseCallOf(call: object): BaseCall | undefined {
  const surface = call as Layer;
  // Handlers hold the layer below as `call`, interceptors as `nextCall`.
  let layer = surface.nextCall === undefined && surface.call !== undefined ? surface.call : surface;
  while (layer.nextCall !== undefined) layer = layer.nextCall;
  return typeof layer.stream?.close === 'function' ? (layer as BaseCall) : undefined;
}

interface Layer extends Partial<BaseCall> {
  readonly call?: Layer;
  readonly nextCall?: Layer;
}
