// One call at the gate: holds its headers back from the handler until the caller is known and there is room, ends it
// when it is refused, and tells the ledger of every answer until it is taken.

import { constants, type ServerHttp2Stream } from 'node:http2';
import { Metadata } from '@grpc/grpc-js';

import type { Authenticator, CallIdentity } from '../auth/authenticator.ts';
import type { CallError } from '../errors/call-error.ts';
import { connectionAged, unauthenticated } from '../errors/outcomes.ts';
import { compressionUnsupported, tooManyCalls } from '../errors/over-limits.ts';
import type { Full, Ledger } from '../limits/ledger.ts';
import { type CallEnvironment, failCall } from './call-environment.ts';
import type { CallRecord } from './call-record.ts';
import { type CallStatus, ForwardingCall, type LowerCall } from './forwarding-call.ts';
import type { MethodRules } from './method-rules.ts';

/** What a call at the gate needs of it. */
export interface CallKeeper {
  readonly environment: Pick<CallEnvironment, 'logger' | 'countRefusal'>;
  /** Unset: any caller may call any method. */
  readonly authenticate: Authenticator | undefined;
  readonly ledger: Ledger;
  /** As the ledger's limits, to be told to callers. */
  readonly maxBytes: Readonly<Record<Full, number>>;
  /** Whether there is room for one more stream that watches health; counts it. */
  takeHealthWatch(record: CallRecord): CallError | undefined;
}

/** Status, message and details of an answer, until they are taken. */
export const STATUS_COST_BYTES = 1_024;

/** The caller of a server call, as handlers get it: authenticated, or the address that it comes from. */
export function identityOf(call: object): CallIdentity & { readonly caller: string } {
  const { call: gated } = call as { readonly call?: unknown };
  if (!(gated instanceof GatedCall)) throw new Error('bug: a call that did not pass the gate');
  return gated;
}

/** Calls `listener` when the connection of a call is told to go, unless the call has ended. */
export function onRetire(call: object, listener: () => void): void {
  const { call: gated } = call as { readonly call?: unknown };
  if (gated instanceof GatedCall) gated.onRetire(listener);
}

/** One call at the gate. */
export class GatedCall extends ForwardingCall implements CallIdentity {
  readonly method: string;
  name: string | undefined;
  metadata: Metadata = NO_METADATA;
  readonly #gate: CallKeeper;
  readonly #record: CallRecord;
  readonly #rules: MethodRules;
  #hasSentMetadata = false;
  #hasSentStatus = false;
  /** Messages that were sent and are not taken. */
  #untaken = 0;
  /** Refused, or over: its handler is not to hear of anything new. */
  #isShut = false;

  constructor(nextCall: LowerCall, gate: CallKeeper, record: CallRecord, rules: MethodRules, method: string) {
    super(nextCall);
    this.#gate = gate;
    this.#record = record;
    this.#rules = rules;
    this.method = method;
    record.call = this;
  }

  get caller(): string {
    return this.name ?? this.#record.connection.caller;
  }

  onRetire(listener: () => void): void {
    const { connection, stream } = this.#record;
    connection.retireListeners.add(listener);
    stream.once('close', () => connection.retireListeners.delete(listener));
  }

  /** Ends the call with an error that its handler never hears of. */
  refuse(error: unknown): void {
    if (this.#isShut) return;
    this.#isShut = true;
    const failure = failCall(this.#gate.environment, error, this.method);
    failure.metadata.set(ACCEPT_ENCODING, IDENTITY);
    this.sendStatus(failure);
  }

  override onReceiveMetadata(metadata: Metadata): void {
    this.metadata = metadata;
    const { authenticate } = this.#gate;
    const { refusal, hasTwoAuthorizations } = this.#record;
    if (refusal !== undefined && !this.#rules.isProbe) {
      this.refuse(refusal);
      return;
    }
    if (this.#rules.isOpen || authenticate === undefined) {
      this.#admit();
      return;
    }
    if (hasTwoAuthorizations) {
      this.refuse(unauthenticated('the call has more than one "authorization" header, at most one is allowed'));
      return;
    }
    try {
      const verdict = authenticate(this);
      if (verdict instanceof Promise) {
        // Nothing reads the stream meanwhile, and what is not read does not close when the caller has gone.
        this.#record.stream.once('aborted', resume);
        verdict.then(
          (error) => this.#decided(error),
          (error: unknown) => this.#decided(error),
        );
      } else {
        this.#decided(verdict);
      }
    } catch (error) {
      this.#decided(error);
    }
  }

  override onCancel(): void {
    this.#isShut = true;
    const { stream } = this.#record;
    // A deadline ends a call below this layer: its status has to be taken like any other.
    if (!stream.closed && this.#record.phase !== 'leaving') this.#gate.ledger.answer(this.#record, 0);
    // After the status, which is on its way: a request that is not complete need not go on (RFC 9113, section 8.1).
    if (!this.#record.isRequestComplete && !stream.closed) stream.close(constants.NGHTTP2_NO_ERROR);
    super.onCancel();
  }

  override onReceiveMessage(message: unknown): void {
    if (!this.#isShut) super.onReceiveMessage(message);
  }

  override onReceiveHalfClose(): void {
    if (!this.#isShut) super.onReceiveHalfClose();
  }

  override sendMetadata(metadata: Metadata): void {
    this.#hasSentMetadata = true;
    metadata.set(ACCEPT_ENCODING, IDENTITY);
    super.sendMetadata(metadata);
  }

  override sendMessage(message: unknown, callback: () => void): void {
    if (!this.#hasSentMetadata) {
      this.#hasSentMetadata = true;
      super.sendMetadata(ACCEPTS_IDENTITY);
    }
    const { ledger } = this.#gate;
    const record = this.#record;
    switch (this.#rules.answers) {
      case 'once':
        ledger.answer(record, message instanceof Uint8Array ? message.length : STATUS_COST_BYTES);
        super.sendMessage(message, callback);
        return;
      case 'shared':
        super.sendMessage(message, callback);
        return;
      case 'each': {
        const before = record.stream.writableLength;
        let bytes = 0;
        this.#untaken += 1;
        super.sendMessage(message, () => {
          this.#untaken -= 1;
          ledger.grow(record, -bytes);
          if (this.#untaken === 0 && !this.#hasSentStatus) ledger.goOn(record, record.isRequestComplete);
          callback();
        });
        bytes = Math.max(0, record.stream.writableLength - before);
        ledger.answer(record, bytes);
      }
    }
  }

  override sendStatus(given: CallStatus): void {
    this.#hasSentStatus = true;
    this.#gate.ledger.answer(this.#record, STATUS_COST_BYTES);
    super.sendStatus(given);
  }

  #decided(refusal: unknown): void {
    // It has ended while it was looked at: nothing of it is to begin.
    if (this.#isShut) return;
    if (refusal === undefined) this.#admit();
    else this.refuse(refusal);
  }

  #admit(): void {
    const { ledger, maxBytes } = this.#gate;
    const record = this.#record;
    const { metadata } = this;
    const refusal =
      this.#unsupportedEncoding() ?? (this.#rules.watchesHealth ? this.#gate.takeHealthWatch(record) : undefined);
    if (refusal !== undefined) {
      this.refuse(refusal);
      return;
    }
    if (this.name !== undefined) {
      const full = ledger.assign(record, this.name);
      if (full !== undefined) {
        this.refuse(tooManyCalls(full, maxBytes[full]));
        return;
      }
    }
    // Streams of the standard services know nothing of connections; subscriptions end in their own way.
    if (this.#rules.answers === 'each') this.onRetire(() => this.refuse(connectionAged()));
    super.onReceiveMetadata(metadata);
  }

  /** grpc-js takes the header away from the metadata, and keeps what it says. */
  #unsupportedEncoding(): CallError | undefined {
    const { requestEncoding } = this.#record;
    return requestEncoding === undefined || requestEncoding === IDENTITY
      ? undefined
      : compressionUnsupported(requestEncoding);
  }
}

function resume(this: ServerHttp2Stream): void {
  this.resume();
}

const ACCEPT_ENCODING = 'grpc-accept-encoding';
const IDENTITY = 'identity';
const NO_METADATA = new Metadata();

/** Metadata of answers, which are many: what grpc-js would say of encodings is not true here. */
class ConstantMetadata extends Metadata {
  override toHttp2Headers(): Record<string, string[]> {
    return CONSTANT_HEADERS;
  }
}
const CONSTANT_HEADERS = Object.freeze({ [ACCEPT_ENCODING]: [IDENTITY] }) as Record<string, string[]>;
const ACCEPTS_IDENTITY = new ConstantMetadata();
