// Ends one stream at once, also one that is stalled by flow control, and lets go of its connection.
//
// grpc-js offers nothing for that: a status waits behind unread messages, without end. HTTP/2 does (RST_STREAM
// is not subject to flow control), so this takes the stream of a call (`base-call.ts`).
//
// A connection that is left without calls costs memory and a place among --max-connections, and a peer that let a
// stream stall is the last to close it. So it is told to go (GOAWAY): other calls on it finish, new ones make a
// connection of their own, and it ends after its last call. That fails where the peer does not even read its socket,
// or does not close its side: nothing of the above arrives then, and only destroying the socket helps. Where many
// frames wait to be sent already, that is so.

import { constants, type Http2Session, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';

import { connectionOf } from './call-record.ts';

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
  const timer = setTimeout(destroy, graceMs).unref();
  stream.once('close', () => clearTimeout(timer));
  retireSession(session, graceMs, destroy);
}

/**
 * Tells the other side of a connection to go. It ends with the last call on it; `destroy` is called when it is still
 * there one to two times `graceMs` after that.
 */
export function retireSession(session: Http2Session, graceMs: number, destroy: () => void): void {
  if (retiring.has(session)) return;
  retiring.add(session);
  session.close();
  let wasEmpty = false;
  const timer = setInterval(() => {
    const connection = connectionOf(session as ServerHttp2Session);
    const isEmpty = session.destroyed || connection === undefined || connection.openCalls === 0;
    if (isEmpty && wasEmpty) destroy();
    wasEmpty = isEmpty;
  }, graceMs).unref();
  session.once('close', () => clearInterval(timer));
}

/**
 * Whether the other side of a connection reads what is sent to it. Frames that flow control holds back do not count.
 */
export function takesFrames(session: Http2Session): boolean {
  const elsewhere = session as Partial<SessionElsewhere>;
  if (elsewhere.endUnlessTaking !== undefined) {
    elsewhere.endUnlessTaking();
    return true;
  }
  return (session.state.outboundQueueSize ?? 0) <= MAX_WAITING_FRAMES;
}

/** A session whose socket is in another thread: what would be done here is done there. */
interface SessionElsewhere {
  /** Ends the connection when its other side does not read what is sent to it. */
  endUnlessTaking(): void;
}

/** More than a peer that reads ever has: its frames leave in the turn in which they are made. */
const MAX_WAITING_FRAMES = 100;

/** Connections that were told to go. */
const retiring = new WeakSet<Http2Session>();
