// Sends the feed's frames from the one piece of memory that they are in, to however many subscribers.
//
// grpc-js copies every message behind the five bytes of its prefix, for each call anew. With 32 kB that thousands get, most
// of the CPU time went there: not into copying but into collecting, because memory outside the heap brings about the
// collections that walk all of the heap (docs/benchmarks.md). A frame has its prefix already, so it can go to the HTTP/2
// stream as it is. grpc-js does not hand the stream to an interceptor, but node tells of each that a server opens, with its
// headers, from which grpc-js makes the metadata of the call. So a number is put into the headers under which the stream is
// found again; it is taken out before anybody else sees it.
//
// Whatever of this does not work one day is slower and otherwise the same: then a frame goes the way of other messages.

import { subscribe } from 'node:diagnostics_channel';
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import {
  Metadata,
  type ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
} from '@grpc/grpc-js';

import { Frame } from '../wire/frame.ts';

/** For calls of the method with this path; it has to come before interceptors that look at metadata. */
export function sharedFrames(path: string): ServerInterceptor {
  noteStreamsOf(path);
  return (method, nextCall) => {
    const call = method.path === path ? new SharedFramesCall(nextCall) : nextCall;
    // grpc-js asks for its class where it needs no more than the interface.
    return call as ServerInterceptingCall;
  };
}

/** What grpc-js tells the layer above a call. */
type CallListener = Parameters<ServerInterceptingCallInterface['start']>[0];

/** One object for both directions, see `open-calls.ts`. */
class SharedFramesCall implements ServerInterceptingCallInterface, CallListener {
  /** Under this name resetting a stream finds its way down, as through grpc-js's own interceptors. */
  readonly nextCall: ServerInterceptingCallInterface;
  #listener: CallListener | undefined;
  #stream: ServerHttp2Stream | undefined;
  #hasSentMetadata = false;

  constructor(nextCall: ServerInterceptingCallInterface) {
    this.nextCall = nextCall;
  }

  start(listener: CallListener): void {
    this.#listener = listener;
    this.nextCall.start(this);
  }

  onReceiveMetadata(metadata: Metadata): void {
    this.#stream = takeStream(metadata);
    this.#listener?.onReceiveMetadata(metadata);
  }

  onReceiveMessage(message: unknown): void {
    this.#listener?.onReceiveMessage(message);
  }

  onReceiveHalfClose(): void {
    this.#listener?.onReceiveHalfClose();
  }

  onCancel(): void {
    this.#listener?.onCancel();
  }

  sendMetadata(metadata: Metadata): void {
    this.#hasSentMetadata = true;
    this.nextCall.sendMetadata(metadata);
  }

  sendMessage(message: unknown, callback: () => void): void {
    const stream = this.#stream;
    if (!(message instanceof Frame)) {
      this.nextCall.sendMessage(message, callback);
    } else if (stream === undefined || stream.destroyed || stream.closed) {
      // For a stream that is gone grpc-js does what has to be done.
      this.nextCall.sendMessage(message.message, callback);
    } else if (!stream.writableEnded) {
      // Otherwise a deadline has passed, and its status is the last word.
      if (!this.#hasSentMetadata) this.sendMetadata(new Metadata());
      // After an error the stream ends, which is how grpc-js learns of it.
      stream.write(message.prefixed, (error) => {
        if (error === undefined || error === null) callback();
      });
    }
  }

  sendStatus(status: Parameters<ServerInterceptingCallInterface['sendStatus']>[0]): void {
    this.nextCall.sendStatus(status);
  }

  startRead(): void {
    this.nextCall.startRead();
  }

  getPeer(): string {
    return this.nextCall.getPeer();
  }

  getDeadline(): ReturnType<ServerInterceptingCallInterface['getDeadline']> {
    return this.nextCall.getDeadline();
  }

  getHost(): string {
    return this.nextCall.getHost();
  }

  getAuthContext(): ReturnType<ServerInterceptingCallInterface['getAuthContext']> {
    return this.nextCall.getAuthContext();
  }

  getConnectionInfo(): ReturnType<ServerInterceptingCallInterface['getConnectionInfo']> {
    return this.nextCall.getConnectionInfo();
  }

  getMetricsRecorder(): ReturnType<ServerInterceptingCallInterface['getMetricsRecorder']> {
    return this.nextCall.getMetricsRecorder();
  }
}

/** As node describes it; `headers` are those that the server is given next. */
interface StreamCreated {
  readonly stream: ServerHttp2Stream;
  readonly headers: IncomingHttpHeaders;
}

/** Whatever a client sends under this name is overwritten. */
const STREAM_NUMBER = 'digger-stream-number';

/** From the arrival of their headers to the start of their call, which is the next thing to happen to them. */
const streams = new Map<string, { readonly stream: ServerHttp2Stream; readonly forget: () => void }>();
const paths = new Set<string>();
let lastNumber = 0;

function noteStreamsOf(path: string): void {
  if (paths.size === 0) subscribe('http2.server.stream.created', (message) => noteStream(message as StreamCreated));
  paths.add(path);
}

function noteStream({ stream, headers }: StreamCreated): void {
  if (!paths.has(headers[':path'] ?? '')) return;
  lastNumber += 1;
  const number = String(lastNumber);
  headers[STREAM_NUMBER] = number;
  // grpc-js refuses some before there is a call.
  const forget = (): void => void streams.delete(number);
  stream.once('close', forget);
  streams.set(number, { stream, forget });
}

function takeStream(metadata: Metadata): ServerHttp2Stream | undefined {
  const number = String(metadata.get(STREAM_NUMBER)[0] ?? '');
  metadata.remove(STREAM_NUMBER);
  const noted = streams.get(number);
  if (noted === undefined) return undefined;
  streams.delete(number);
  noted.stream.off('close', noted.forget);
  return noted.stream;
}
