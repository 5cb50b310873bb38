// Ends one stream at once, also one that is stalled by flow control, and leaves its connection alone.
//
// grpc-js offers nothing for that: a status waits behind the messages that nobody takes, for ever. HTTP/2 does
// (RST_STREAM is not subject to flow control), so this reaches through the call for its stream. Where the stream is kept
// is not part of grpc-js's API: when it is not found, the caller learns of it and has to end the whole connection.

import { constants, type ServerHttp2Stream } from 'node:http2';

/**
 * Resets the stream of a server call with ENHANCE_YOUR_CALM, which gRPC clients report as RESOURCE_EXHAUSTED
 * (PROTOCOL-HTTP2.md, "Errors"). The call then emits `cancelled`. False: the stream was not found, nothing was done.
 */
export function resetStream(call: object): boolean {
  // The surface call holds the call below as `call`.
  const stream = findStream(field(call, 'call'));
  stream?.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
  return stream !== undefined;
}

/** The stream below an intercepted call: interceptors hold the next call as `nextCall`; the last, `stream`. */
export function findStream(call: object | undefined): ServerHttp2Stream | undefined {
  let layer = call;
  for (let depth = 0; depth < MAX_INTERCEPTORS && layer !== undefined; depth++) {
    const stream = field(layer, 'stream');
    if (stream !== undefined && 'close' in stream && typeof stream.close === 'function') {
      return stream as ServerHttp2Stream;
    }
    layer = field(layer, 'nextCall');
  }
  return undefined;
}

// Far more than a server has.
const MAX_INTERCEPTORS = 16;

function field(of: object, name: string): object | undefined {
  const value: unknown = Reflect.get(of, name);
  return typeof value === 'object' && value !== null ? value : undefined;
}
