// Puts something in front of grpc-js: every HTTP/2 stream of a server passes it first, also those that grpc-js answers
// without an interceptor (a method that does not exist, a content type that is not gRPC).
//
// grpc-js has no place for that, so this takes the listener that grpc-js has put on its HTTP/2 servers and calls it in
// its turn. When those servers are not where they were, that is a bug to be seen at the start, not a gate that is
// silently open.

import type { EventEmitter } from 'node:events';
import type { IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import type { Server } from '@grpc/grpc-js';

export interface StreamGuard {
  onSession(session: ServerHttp2Session): void;
  /** `rawHeaders`: names and values in turn, as they came. `pass` hands the stream to grpc-js, with these headers. */
  onStream(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    flags: number,
    rawHeaders: readonly string[],
    pass: (headers: IncomingHttpHeaders) => void,
  ): void;
}

/** For all connections that were not opened yet; to be called once the server has its connection injector. */
export function guardStreams(server: Server, guard: StreamGuard): void {
  const { http2Servers } = server as unknown as { readonly http2Servers?: ReadonlyMap<EventEmitter, unknown> };
  const found = http2Servers instanceof Map ? [...http2Servers.keys()] : [];
  if (found.length === 0) throw new Error('bug: grpc-js does not keep its HTTP/2 servers where it did');
  for (const http2 of found) {
    const [handle, ...more] = http2.listeners('stream') as StreamListener[];
    if (handle === undefined || more.length > 0) throw new Error('bug: grpc-js does not listen to streams as it did');
    http2.removeAllListeners('stream');
    http2.on('session', (session: ServerHttp2Session) => guard.onSession(session));
    const listener: RawStreamListener = (stream, headers, flags, rawHeaders) => {
      guard.onStream(stream, headers, flags, rawHeaders, (passed) => handle(stream, passed, flags));
    };
    http2.on('stream', listener);
  }
}

type StreamListener = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, flags: number) => void;
/** As node calls it; its types leave out what came last. */
type RawStreamListener = (
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  flags: number,
  rawHeaders: readonly string[],
) => void;
