// A subscriber below gRPC libraries, which read ahead for their callers: it reads what it is told to, as fast as it is
// told to, and sees what really ends its stream.
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2';
import { connect as connectTcp } from 'node:net';
import { callHeaders, prefixed } from '../observers/raw-call.ts';

export interface RawSubscriberOptions {
  /** The connection to use; unset: one of its own. */
  readonly session?: ClientHttp2Session;
  /** Address to come from: another one is another caller. */
  readonly from?: string;
  /** An encoded `WatchRequest`; unset: everything, from a snapshot. */
  readonly request?: Buffer;
}

/** How a stream ended. */
export type RawEnd =
  /** With a status of gRPC. */
  | { readonly grpcStatus: number; readonly details: Buffer }
  /** By a reset: an error code of HTTP/2. */
  | { readonly reset: number }
  /** With its connection. */
  | 'disconnected';

export class RawSubscriber implements Disposable {
  readonly session: ClientHttp2Session;
  readonly stream: ClientHttp2Stream;
  /** Unset while it is open. */
  end: RawEnd | undefined;
  /** Read so far. */
  bytes = 0;
  readonly #ownsSession: boolean;

  constructor(address: string, options: RawSubscriberOptions = {}) {
    this.#ownsSession = options.session === undefined;
    this.session = options.session ?? openSession(address, options.from);
    const { request = Buffer.alloc(0) } = options;
    this.stream = this.session.request(callHeaders('/digger.v1.ChangeFeedService/Watch'));
    const note = (headers: Readonly<Record<string, unknown>>): void => {
      if (headers['grpc-status'] === undefined) return;
      const details = Buffer.from(String(headers['grpc-status-details-bin'] ?? ''), 'base64');
      this.end ??= { grpcStatus: Number(headers['grpc-status']), details };
    };
    // A call that fails at once has its status in its headers.
    this.stream.on('response', note);
    this.stream.on('trailers', note);
    this.stream.on('error', () => undefined);
    this.stream.on('close', () => {
      const { rstCode } = this.stream;
      this.end ??=
        this.session.destroyed && rstCode !== constants.NGHTTP2_ENHANCE_YOUR_CALM
          ? 'disconnected'
          : { reset: rstCode ?? 0 };
    });
    this.stream.end(prefixed(request));
  }

  /** From now on it takes everything. */
  read(): void {
    this.stream.on('data', (chunk: Buffer) => {
      this.bytes += chunk.length;
    });
  }

  cancel(): void {
    this.stream.close(constants.NGHTTP2_CANCEL);
  }

  [Symbol.dispose](): void {
    this.stream.close(constants.NGHTTP2_CANCEL);
    if (this.#ownsSession) this.session.destroy();
  }
}

/** A connection for such subscribers. */
export function openSession(address: string, from?: string): ClientHttp2Session {
  const [host = '', port = ''] = address.split(':');
  const session = connect(`http://${address}`, {
    createConnection: () =>
      connectTcp({ host, port: Number(port), ...(from === undefined ? {} : { localAddress: from }) }),
  });
  // To be cut off is what many of these are for.
  session.on('error', () => undefined);
  return session;
}
