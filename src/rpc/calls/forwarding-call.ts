// A call of grpc-js that hands everything on, downwards to the next call and upwards to its listener. Who looks at
// something on the way extends it.
//
// A class of our own instead of grpc-js's ServerInterceptingCall, which makes a dozen closures, a listener around ours
// and empty metadata for every call; nothing is delayed here, so none of it is needed (2 µs of the 40 that a lookup
// took).

import type { Metadata, ServerInterceptingCallInterface } from '@grpc/grpc-js';

/** What grpc-js tells the layer above a call. */
export type CallListener = Parameters<ServerInterceptingCallInterface['start']>[0];

/** A call as the layer above it needs it: less than grpc-js has, and no class of its own. */
export type LowerCall = Pick<
  ServerInterceptingCallInterface,
  'start' | 'startRead' | 'sendMetadata' | 'sendMessage' | 'sendStatus' | 'getPeer' | 'getDeadline'
>;

/** What a call ends with. */
export type CallStatus = Parameters<ServerInterceptingCallInterface['sendStatus']>[0];

export class ForwardingCall implements LowerCall, CallListener {
  /** Under this name resetting a stream finds its way down, as through grpc-js's own interceptors. */
  readonly nextCall: LowerCall;
  #listener: CallListener | undefined;

  constructor(nextCall: LowerCall) {
    this.nextCall = nextCall;
  }

  start(listener: CallListener): void {
    this.#listener = listener;
    this.nextCall.start(this);
  }

  onReceiveMetadata(metadata: Metadata): void {
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
    this.nextCall.sendMetadata(metadata);
  }

  sendMessage(message: unknown, callback: () => void): void {
    this.nextCall.sendMessage(message, callback);
  }

  sendStatus(status: CallStatus): void {
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
}
