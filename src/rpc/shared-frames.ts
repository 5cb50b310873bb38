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
import { Metadata, type ServerInterceptingCall, type ServerInterceptor } from '@grpc/grpc-js';

import { Frame } from '../wire/frame.ts';
import { ForwardingCall } from './forwarding-call.ts';

/** For calls of the method with this path; it has to come before interceptors that look at metadata. */
export function sharedFrames(path: string): ServerInterceptor {
  noteStreamsOf(path);
  return (method, nextCall) => {
    const call = method.path === path ? new SharedFramesCall(nextCall) : nextCall;
    // grpc-js asks for its class where it needs no more than the interface.
    return call as ServerInterceptingCall;
  };
}

class SharedFramesCall extends ForwardingCall {
  #stream: ServerHttp2Stream | undefined;
  #hasSentMetadata = false;

  override onReceiveMetadata(metadata: Metadata): void {
    this.#stream = takeStream(metadata);
    super.onReceiveMetadata(metadata);
  }

  override sendMetadata(metadata: Metadata): void {
    this.#hasSentMetadata = true;
    super.sendMetadata(metadata);
  }

  override sendMessage(message: unknown, callback: () => void): void {
    const stream = this.#stream;
    if (!(message instanceof Frame)) {
      super.sendMessage(message, callback);
    } else if (stream === undefined || stream.destroyed || stream.closed) {
      // For a stream that is gone grpc-js does what has to be done.
      super.sendMessage(message.message, callback);
    } else if (!stream.writableEnded) {
      // Otherwise a deadline has passed, and its status is the last word.
      if (!this.#hasSentMetadata) this.sendMetadata(new Metadata());
      // After an error the stream ends, which is how grpc-js learns of it.
      stream.write(message.prefixed, (error) => {
        if (error === undefined || error === null) callback();
      });
    }
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
