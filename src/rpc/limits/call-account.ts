// What one call takes, from its headers to its end: bytes of the request that are kept, what the request counts when it is
// complete, and who wants to hear of the end.
//
// grpc-js has no place for this, so three of its methods are replaced on each call, which is not part of its API: when
// they are not there, that is a bug to be seen at the first call, not a bound that is silently gone. Listeners of our own
// beside its would do the same, and every call would make three more closures.

import type { ServerHttp2Stream } from 'node:http2';
import type { ServerInterceptingCallInterface } from '@grpc/grpc-js';
import { type BaseCall, baseCallOf } from '../calls/base-call.ts';

/**
 * What a call costs before any of its bytes: stream, call and headers, on both sides of the VM. 10,000 calls on ten
 * connections that sent headers and nothing else took 4.6 kB of heap and 12.5 kB of resident memory each.
 */
export const CALL_COST_BYTES = 16_384;

/** Requests up to this are not counted once they are complete: a lookup has a hundred bytes. */
export const SMALL_REQUEST_BYTES = 4_096;

/** Who is told what happens to a call. */
export interface AccountKeeper {
  /** Bytes have come; whether grpc-js is to see them. */
  onData(account: CallAccount, chunk: Buffer): boolean;
  /** The request is complete. */
  onComplete(account: CallAccount): void;
  /** The call is over. */
  onEnd(account: CallAccount): void;
}

/** Begins the account of a call, as an interceptor gets it. */
export function openAccount(
  keeper: AccountKeeper,
  call: ServerInterceptingCallInterface,
  path: string,
  isStream: boolean,
  startedTurn: number,
): CallAccount {
  return new CallAccount(keeper, findBaseCall(call), call, path, isStream, startedTurn);
}

/** The account of a server call; `call` as handlers get it. */
export function accountOf(call: object): CallAccount {
  const account = findBaseCall(call)[ACCOUNT];
  if (account === undefined) throw new Error('bug: a call without an account');
  return account;
}

/** What one call takes: its request, messages behind one another, each after a flag and its length; then its answer. */
export class CallAccount {
  readonly stream: ServerHttp2Stream;
  /** As the layers above see it. */
  readonly call: ServerInterceptingCallInterface;
  readonly path: string;
  readonly isStream: boolean;
  readonly startedTurn: number;
  /** Bytes of memory that the request takes while it arrives, about. */
  cost = CALL_COST_BYTES;
  /** What it takes of the account of large requests. */
  weight = 0;
  /** Bytes that came; of a stream, those of messages that are not complete. */
  bytes = 0;
  /** As the longest of its messages says of itself. */
  longestBytes = 0;
  /** To be called at the end of the call. */
  onEnd: (() => void) | undefined = undefined;
  #isCompressed = false;
  /** Bytes of the message that are still to come. */
  #missing = 0;
  /** How much of flag and length has come, and the length as far as that goes. */
  #headBytes = 0;
  #length = 0;
  #slab: ArrayBufferLike | undefined = undefined;

  constructor(
    keeper: AccountKeeper,
    base: CountedCall,
    call: ServerInterceptingCallInterface,
    path: string,
    isStream: boolean,
    startedTurn: number,
  ) {
    this.stream = base.stream;
    this.call = call;
    this.path = path;
    this.isStream = isStream;
    this.startedTurn = startedTurn;
    base[ACCOUNT] = this;
    base[KEEPER] = keeper;
    base.handleDataFrame = handleDataFrame;
    base.handleEndEvent = handleEndEvent;
    base.notifyOnCancel = notifyOnCancel;
  }

  /** What the request counts when it is complete, until its call ends; what is compressed, as much as it may become. */
  weigh(maxMessageBytes: number): number {
    const weight = this.#isCompressed ? Math.min(this.bytes * MAX_INFLATION, maxMessageBytes) : this.bytes;
    return weight > SMALL_REQUEST_BYTES ? weight : 0;
  }

  take(chunk: Buffer): void {
    this.bytes += chunk.length;
    this.#follow(chunk);
    if (this.#missing === 0 && this.#headBytes === 0) {
      // A complete message is a copy, and what a stream brought before is done with.
      if (this.isStream) this.bytes = 0;
      this.cost = CALL_COST_BYTES + this.bytes;
      this.#slab = undefined;
      return;
    }
    // A piece keeps all that was read from the socket with it, and be it one byte of it.
    this.cost += chunk.buffer === this.#slab ? PIECE_COST_BYTES : chunk.buffer.byteLength + PIECE_COST_BYTES;
    this.#slab = chunk.buffer;
  }

  #follow(chunk: Buffer): void {
    for (let at = 0; at < chunk.length; ) {
      if (this.#missing > 0) {
        const taken = Math.min(this.#missing, chunk.length - at);
        this.#missing -= taken;
        at += taken;
        continue;
      }
      const byte = chunk[at] ?? 0;
      if (this.#headBytes > 0) this.#length = this.#length * 256 + byte;
      else if (byte !== 0) this.#isCompressed = true;
      at += 1;
      this.#headBytes += 1;
      if (this.#headBytes < HEAD_BYTES) continue;
      this.longestBytes = Math.max(this.longestBytes, this.#length);
      this.#missing = this.#length;
      this.#headBytes = 0;
      this.#length = 0;
    }
  }
}

/** A flag and four bytes of length (PROTOCOL-HTTP2.md, "Length-Prefixed-Message"). */
const HEAD_BYTES = 5;

/** What a byte of deflate can stand for at most (zlib's manual, "Maximum Compression Factor"). */
const MAX_INFLATION = 1_032;

/** A Buffer object, and its place in two lists. */
const PIECE_COST_BYTES = 128;

const ACCOUNT = Symbol('account');
const KEEPER = Symbol('keeper');

/** What is replaced of the lowest layer. */
interface CountedCall extends BaseCall {
  handleDataFrame(this: CountedCall, chunk: Buffer): void;
  /** The request is complete. */
  handleEndEvent(this: CountedCall): void;
  /** At every end of a call: its status was sent, or its stream has closed. */
  notifyOnCancel(this: CountedCall): void;
  [ACCOUNT]?: CallAccount;
  [KEEPER]?: AccountKeeper;
}

/** What grpc-js does itself; the same for all calls. */
let original: Pick<CountedCall, 'handleDataFrame' | 'handleEndEvent' | 'notifyOnCancel'> | undefined;

/** Throws when grpc-js is not what it was. */
function findBaseCall(call: object): CountedCall {
  const base = baseCallOf(call) as CountedCall | undefined;
  if (base !== undefined && original !== undefined) return base;
  const { handleDataFrame, handleEndEvent, notifyOnCancel } = base ?? ({} as Partial<CountedCall>);
  if (base === undefined || !handleDataFrame || !handleEndEvent || !notifyOnCancel) {
    throw new Error('bug: grpc-js has changed what call-account.ts builds on');
  }
  original = { handleDataFrame, handleEndEvent, notifyOnCancel };
  return base;
}

function handleDataFrame(this: CountedCall, chunk: Buffer): void {
  const account = this[ACCOUNT];
  if (account === undefined || this[KEEPER]?.onData(account, chunk) !== false) {
    original?.handleDataFrame.call(this, chunk);
  }
}

function handleEndEvent(this: CountedCall): void {
  const account = this[ACCOUNT];
  if (account !== undefined) this[KEEPER]?.onComplete(account);
  original?.handleEndEvent.call(this);
}

function notifyOnCancel(this: CountedCall): void {
  original?.notifyOnCancel.call(this);
  const account = this[ACCOUNT];
  if (account === undefined) return;
  this[KEEPER]?.onEnd(account);
  account.onEnd?.();
}
