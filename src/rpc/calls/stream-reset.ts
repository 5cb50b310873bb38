// Ends one stream at once, also one that is stalled by flow control, and lets go of its connection.
//
// grpc-js offers nothing for that: a status waits behind unread messages, for ever. HTTP/2 does
// (RST_STREAM is not subject to flow control), so this takes the stream of a call (`base-call.ts`).
//
// A connection that is left without calls costs memory and a place among --max-connections, and a peer that let a
// stream stall is the last to close it. So it is told to go (GOAWAY): other calls on it finish, new ones make a
// connection of their own, and it ends after its last call. That fails where the peer does not even read its socket:
// nothing of the above is sent then, and only destroying the socket helps. Where many frames wait to be sent already,
// that is so.

import { constants, type Http2Session, type ServerHttp2Stream } from 'node:http2';

/**
 * Resets a stream with ENHANCE_YOUR_CALM, which gRPC clients report as RESOURCE_EXHAUSTED
 * (PROTOCOL-HTTP2.md, "Errors"); the call then emits `cancelled`. Its connection ends with the last call on it.
 * `destroy` ends the connection with everything on it: called when what was sent does not get through within `graceMs`.
 */
export function resetStream(stream: ServerHttp2Stream, graceMs: number, destroy: () => void): void {
  const { session } = stream;
  // It has ended by itself.
  if (session === undefined) return;
  if (!takesFrames(session)) {
    destroy();
    return;
  }
  stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
  const known = retiring.get(session);
  if (known !== undefined) {
    known.add(stream);
    return;
  }
  session.close();
  retire(session, stream, graceMs, destroy);
}

/**
 * Whether the other side of a connection reads what is sent to it. Frames that flow control holds back do not count.
 */
export function takesFrames(session: Http2Session): boolean {
  return (session.state.outboundQueueSize ?? 0) <= MAX_WAITING_FRAMES;
}

/** More than a peer that reads ever has: its frames leave in the turn in which they are made. */
const MAX_WAITING_FRAMES = 100;

/** Connections that were told to go, with the streams on them that were reset since the last look. */
const retiring = new WeakMap<Http2Session, Set<ServerHttp2Stream>>();

/** Looks after the connection, however many of its streams are reset, until it has ended. */
function retire(session: Http2Session, first: ServerHttp2Stream, graceMs: number, destroy: () => void): void {
  const added = new Set<ServerHttp2Stream>();
  retiring.set(session, added);
  let reset: readonly ServerHttp2Stream[] = [first];
  let timer: NodeJS.Timeout;
  const look = (): void => {
    // Its resets are not sent, or its last call has ended and the other side does not let go.
    if (session.destroyed || reset.some((stream) => !stream.destroyed)) {
      destroy();
      return;
    }
    // Other calls are still on it.
    reset = [...added];
    added.clear();
    timer = setTimeout(look, graceMs).unref();
  };
  timer = setTimeout(look, graceMs).unref();
  session.once('close', () => clearTimeout(timer));
}
