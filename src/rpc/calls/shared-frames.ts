// Sends the feed's frames from the one piece of memory that they are in, to however many subscribers.
//
// grpc-js copies every message behind the five bytes of its prefix, for each call anew. With 32 kB that thousands get,
// most of the CPU time went there: not into copying but into collecting, because memory outside the heap brings about
// the collections that walk all of the heap (docs/benchmarks.md). A frame has its prefix already, so it can go to the
// HTTP/2 stream as it is.
//
// Whatever of this does not work one day is slower and otherwise the same: then a frame goes the way of other messages.

import type { ServerHttp2Stream } from 'node:http2';
import { Metadata, type ServerInterceptingCall, type ServerInterceptor } from '@grpc/grpc-js';

import { Frame } from '../../wire/frame.ts';
import { CarriedStream } from '../threads/carried-stream.ts';
import { baseCallOf } from './base-call.ts';
import { ForwardingCall, type LowerCall } from './forwarding-call.ts';

/** For calls of the method with this path. */
export function sharedFrames(path: string): ServerInterceptor {
  return (method, nextCall) => {
    const call = method.path === path ? new SharedFramesCall(nextCall) : nextCall;
    // grpc-js asks for its class where it needs no more than the interface.
    return call as unknown as ServerInterceptingCall;
  };
}

class SharedFramesCall extends ForwardingCall {
  readonly #stream: ServerHttp2Stream | undefined;
  #hasSentMetadata = false;

  constructor(nextCall: LowerCall) {
    super(nextCall);
    this.#stream = baseCallOf(nextCall)?.stream;
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
      const taken = (error?: Error | null): void => {
        if (error === undefined || error === null) callback();
      };
      if (stream instanceof CarriedStream) stream.writeFrame(message.prefixed, taken);
      else stream.write(message.prefixed, taken);
    }
  }
}
