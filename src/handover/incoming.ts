// One history on its way: the stream of one sibling, from the request to the last part.
//
// The first part says who tells and how far back; the rest is asked for only when this sibling was chosen, because a
// stream that is not read is not sent. Bounded: by bytes, by time, and by what this process can match with its own.

import {
  type ChannelCredentials,
  Client,
  type ClientReadableStream,
  type Metadata,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import type { HandedClaim, HandedFacts, HandedHistory } from '../addresses/heritage/handed-history.ts';
import type { FormerOwner } from '../model/kubernetes/records.ts';
import { messageType } from '../wire/schema.ts';
import type { Teller } from './facts-message.ts';
import { HandOverError } from './hand-over-error.ts';
import { readFirstPart, readPart } from './parts.ts';
import type { Setting } from './settings.ts';
import type { ToldPosition } from './positions.ts';

/** Who asks. */
export interface HandOverQuestion {
  readonly epoch: Uint8Array;
  readonly clusterUid: string;
  readonly settings: readonly Setting[];
  readonly positions: readonly ToldPosition[];
}

export interface SiblingConnection {
  /** `10.0.3.7:50051`. */
  readonly target: string;
  readonly credentials: ChannelCredentials;
  readonly metadata: Metadata;
  /** In its certificate; unset: the target's. */
  readonly serverName: string | undefined;
}

export interface HandOverBounds {
  /** Of all parts. */
  readonly maxBytes: number;
  /** Until the first part, ms. */
  readonly answerMs: number;
  /** Until the last part. */
  readonly deadline: AbortSignal;
}

/** All that a sibling tells. */
export interface TakenHistory extends HandedHistory {
  readonly owners: readonly FormerOwner[];
}

const PATH = '/digger.v1.HistoryService/HandOver';
const REQUEST = messageType('digger.v1.HandOverRequest');
const STATUS = messageType('google.rpc.Status');
const ERROR_INFO = messageType('google.rpc.ErrorInfo');
/** A part has about 256 KiB, one object up to 4 MiB. */
const MAX_PART_BYTES = 16 * 1024 * 1024;

export class IncomingHistory implements Disposable {
  readonly target: string;
  readonly facts: HandedFacts;
  readonly teller: Teller;
  readonly #client: Client;
  readonly #stream: ClientReadableStream<Buffer>;
  readonly #parts: AsyncIterator<Buffer>;
  readonly #bounds: HandOverBounds;
  #bytes: number;

  private constructor(
    { target }: SiblingConnection,
    {
      client,
      stream,
      parts,
      bounds,
    }: {
      readonly client: Client;
      readonly stream: ClientReadableStream<Buffer>;
      readonly parts: AsyncIterator<Buffer>;
      readonly bounds: HandOverBounds;
    },
    first: Buffer,
  ) {
    this.target = target;
    this.#client = client;
    this.#stream = stream;
    this.#parts = parts;
    this.#bounds = bounds;
    this.#bytes = first.byteLength;
    ({ facts: this.facts, teller: this.teller } = checked(() => readFirstPart(first)));
  }

  /** Asks; resolves with the first part. Rejects with a HandOverError. */
  static async open(
    connection: SiblingConnection,
    question: HandOverQuestion,
    bounds: HandOverBounds,
  ): Promise<IncomingHistory> {
    const { target, credentials, metadata, serverName } = connection;
    const client = new Client(target, credentials, {
      'grpc.max_receive_message_length': MAX_PART_BYTES,
      'grpc.enable_retries': 0,
      'grpc.use_local_subchannel_pool': 1,
      // A token is for the sibling and for no proxy.
      'grpc.enable_http_proxy': 0,
      ...(serverName === undefined
        ? {}
        : { 'grpc.ssl_target_name_override': serverName, 'grpc.default_authority': serverName }),
    });
    const stream = client.makeServerStreamRequest(PATH, encodeRequest, passBytes, question, metadata);
    const giveUp = (): void => stream.cancel();
    const timer = setTimeout(giveUp, bounds.answerMs);
    bounds.deadline.addEventListener('abort', giveUp);
    stream.once('close', () => {
      clearTimeout(timer);
      bounds.deadline.removeEventListener('abort', giveUp);
    });
    try {
      const parts = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
      const first = await parts.next();
      clearTimeout(timer);
      if (first.done === true) throw new HandOverError('it ended without an answer', true);
      return new IncomingHistory(connection, { client, stream, parts, bounds }, first.value);
    } catch (error) {
      stream.cancel();
      client.close();
      throw toHandOverError(error);
    }
  }

  /**
   * The whole history. `isWorthIt`: whether the beginning of an open claim of this object can be of use. `limitMs`: for
   * all of it. Rejects with a HandOverError.
   */
  async read(isWorthIt: (uid: string) => boolean, limitMs: number): Promise<TakenHistory> {
    const claims: HandedClaim[] = [];
    const owners: FormerOwner[] = [];
    const { maxBytes } = this.#bounds;
    const timer = setTimeout(() => this.#stream.cancel(), limitMs);
    try {
      for (;;) {
        const next = await this.#parts.next();
        if (next.done === true) throw new HandOverError('its history broke off', false);
        this.#bytes += next.value.byteLength;
        if (this.#bytes > maxBytes) {
          throw new HandOverError(`its history has more than ${maxBytes} bytes, see --max-history-memory`, true);
        }
        const part = checked(() => readPart(next.value, isWorthIt));
        for (const claim of part.claims) claims.push(claim);
        for (const owner of part.owners) owners.push(owner);
        if (part.isLast) return { facts: this.facts, claims, owners };
      }
    } catch (error) {
      throw toHandOverError(error);
    } finally {
      clearTimeout(timer);
    }
  }

  [Symbol.dispose](): void {
    this.#stream.cancel();
    this.#client.close();
  }
}

/** What cannot be read is of another version, or of something else. */
function checked<T>(action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw new HandOverError(`its history cannot be read: ${textOf(error)}`, true);
  }
}

/** Nothing of what a call may end with is a bug of this process. */
function toHandOverError(error: unknown): HandOverError {
  if (error instanceof HandOverError) return error;
  if (!isServiceError(error)) return new HandOverError(textOf(error), false);
  const { code, details } = error;
  const reason = reasonOf(error);
  if (code === status.CANCELLED) return new HandOverError('it did not answer in time', false);
  if (code === status.UNIMPLEMENTED) return new HandOverError('it is older and hands nothing over', true);
  return new HandOverError(`${reason ?? status[code]}: ${details}`, FINAL.has(reason ?? status[code] ?? ''));
}

/**
 * A replica that has not listed yet, or is about to ask others, began later than this one: it has nothing that this one
 * has not. The others will not be otherwise soon.
 */
const FINAL: ReadonlySet<string> = new Set([
  'NOT_SYNCED',
  'NO_HISTORY',
  'SAME_REPLICA',
  'OTHER_CLUSTER',
  'OTHER_CONFIGURATION',
  // Of versions that handed nothing over where namespaces are hidden.
  'TIMELINES_HIDDEN',
  'UNAUTHENTICATED',
  'PERMISSION_DENIED',
  'INVALID_ARGUMENT',
]);

/** `ErrorInfo.reason` of the service. */
function reasonOf({ metadata }: ServiceError): string | undefined {
  const [bytes] = metadata?.get('grpc-status-details-bin') ?? [];
  if (!(bytes instanceof Uint8Array)) return undefined;
  try {
    const { details } = STATUS.toObject(STATUS.decode(bytes), { arrays: true }) as {
      details: readonly { type_url?: string; typeUrl?: string; value: Uint8Array }[];
    };
    const info = details.find((each) => (each.typeUrl ?? each.type_url)?.endsWith('/google.rpc.ErrorInfo'));
    return info && (ERROR_INFO.toObject(ERROR_INFO.decode(info.value)) as { reason?: string }).reason;
  } catch {
    // Not ours: its code says enough.
    return undefined;
  }
}

function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && 'code' in error && typeof error.code === 'number' && 'details' in error;
}

function encodeRequest(question: HandOverQuestion): Buffer {
  const { epoch, clusterUid, settings, positions } = question;
  return Buffer.from(REQUEST.encode({ epoch, clusterUid, settings, positions }).finish());
}

function passBytes(bytes: Buffer): Buffer {
  return bytes;
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
