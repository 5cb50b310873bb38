// Puts something in front of grpc-js: every HTTP/2 stream of a server passes it first, also those that grpc-js answers
// without an interceptor (a method that does not exist, a content type that is not gRPC).
//
// grpc-js has no place for that, so this takes the listener that grpc-js has put on its HTTP/2 servers and calls it in
// its turn. When those servers are not where they were, that is a bug to be seen at the start, not a gate that is
// silently open.

import type { Http2Server, IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import type { Server } from '@grpc/grpc-js';

import { ADVERTISED_HEADER_BYTES, type HeaderFacts, inspectHeaders, type RawStreamListener } from './header-checks.ts';

export interface StreamGuard {
  onSession(session: ServerHttp2Session): void;
  /** `pass` has the stream answered, with these headers. */
  onStream(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    flags: number,
    facts: HeaderFacts,
    pass: (headers: IncomingHttpHeaders) => void,
  ): void;
}

/** Takes streams in grpc-js's place. */
export interface StreamTaker {
  /** Whether it has taken the stream; else it is grpc-js's. */
  take(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): boolean;
}

/**
 * For all connections that were not opened yet; to be called once the server has its connection injector. Returns what
 * takes a stream that no HTTP/2 server of this thread has brought. `first` is asked before grpc-js is.
 */
export function guardStreams(server: Server, guard: StreamGuard, first: StreamTaker | undefined): TakeStream {
  const { http2Servers } = server as unknown as { readonly http2Servers?: ReadonlyMap<Http2Server, unknown> };
  const found = http2Servers instanceof Map ? [...http2Servers.keys()] : [];
  if (found.length === 0) throw new Error('bug: grpc-js does not keep its HTTP/2 servers where it did');
  let take: TakeStream | undefined;
  for (const http2 of found) {
    // Told with what grpc-js tells; a second frame of settings took a tenth of what a connection costs.
    http2.updateSettings({ maxHeaderListSize: ADVERTISED_HEADER_BYTES });
    const [handle, ...more] = http2.listeners('stream') as StreamListener[];
    if (handle === undefined || more.length > 0) throw new Error('bug: grpc-js does not listen to streams as it did');
    http2.removeAllListeners('stream');
    http2.on('session', (session: ServerHttp2Session) => guard.onSession(session));
    const guarded: TakeStream = (stream, headers, flags, facts) => {
      guard.onStream(stream, headers, flags, facts, (passed) => {
        if (first?.take(stream, passed) !== true) handle(stream, passed, flags);
      });
    };
    const listener: RawStreamListener = (stream, headers, flags, rawHeaders) =>
      guarded(stream, headers, flags, inspectHeaders(rawHeaders));
    http2.on('stream', listener);
    take = guarded;
  }
  if (take === undefined) throw new Error('bug: no HTTP/2 server');
  return take;
}

/** Has the guard look at a stream, and then grpc-js. */
export type TakeStream = (
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  flags: number,
  facts: HeaderFacts,
) => void;

type StreamListener = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, flags: number) => void;
