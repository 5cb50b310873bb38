// The ways to answer a request badly, one by one. Each is over with the request that it hits, whatever the client makes
// of it.

import type { ServerResponse } from 'node:http';
import type { Http2ServerResponse } from 'node:http2';
import { gzipSync } from 'node:zlib';
import type { Encoding } from '../../../src/simulator/server/encoding.ts';
import { statusForCode } from '../../../src/simulator/server/error-status.ts';
import type { StoredObject } from '../../../src/simulator/server/stored-objects.ts';
import type { Random } from '../../random.ts';
import { SERVED } from './cluster-model.ts';

/** Instead of the answer. */
export const MISBEHAVIOURS = [
  'html that never ends',
  'html',
  'silence',
  'headers and silence',
  'status 429',
  'status 500',
  'status 503',
  'status 410',
  'status 401',
  'no such encoding',
  'damaged gzip',
  'reset',
  'refused stream',
  'wrong content-length',
  'half an answer',
  'slow bytes',
  'error event',
  'endless continue',
  'no items',
  'items are an object',
  'items without a name',
  'wrong kind',
  'undecodable event',
  'endless frame',
] as const;
export type Misbehaviour = (typeof MISBEHAVIOURS)[number];

/** Both versions of HTTP have the same interface, and one has streams that can be reset alone. */
export type Response = ServerResponse & { readonly stream?: Http2ServerResponse['stream'] };

const LIST_ONLY: ReadonlySet<Misbehaviour> = new Set<Misbehaviour>([
  ...(['endless continue', 'no items', 'items are an object', 'items without a name', 'wrong kind'] as const),
]);
const WATCH_ONLY: ReadonlySet<Misbehaviour> = new Set<Misbehaviour>([
  ...(['error event', 'undecodable event', 'endless frame'] as const),
]);

export interface Misbehaving {
  readonly plural: string;
  readonly encoding: Encoding;
  readonly response: Response;
  readonly isWatch: boolean;
  readonly objects: readonly StoredObject[];
  /** Of the list; of a watch, the version that it goes on from. */
  readonly resourceVersion: string;
  readonly random: Random;
  /** Those that get no answer, or no more of it. */
  readonly unanswered: Set<Response>;
}

/** Whether it makes sense for such a request. */
export function canHit(misbehaviour: Misbehaviour, isWatch: boolean): boolean {
  return isWatch ? !LIST_ONLY.has(misbehaviour) : !WATCH_ONLY.has(misbehaviour);
}

export function misbehave(misbehaviour: Misbehaviour, context: Misbehaving): void {
  const { plural, encoding, response, isWatch, objects, resourceVersion, random, unanswered } = context;
  const contentType = isWatch ? encoding.watchContentType : encoding.contentType;
  const list = () => encoding.list(objects, { resourceVersion });
  const begin = (headers: Readonly<Record<string, string>> = {}) =>
    void response.writeHead(200, { 'content-type': contentType, ...headers });
  const json = (fields: object) => {
    const { kind, apiVersion } = SERVED[plural] ?? { kind: '', apiVersion: '' };
    const body = { kind: `${kind}List`, apiVersion, metadata: { resourceVersion }, ...fields };
    send(response, 'application/json', Buffer.from(JSON.stringify(body)));
  };
  switch (misbehaviour) {
    case 'html that never ends':
      response.writeHead(200, { 'content-type': 'text/html' });
      response.write('<html>please log in');
      return;
    case 'html':
      send(response, 'text/html', Buffer.from('<html>please log in</html>'));
      return;
    case 'silence':
      unanswered.add(response);
      return;
    case 'headers and silence':
      begin();
      response.flushHeaders();
      unanswered.add(response);
      return;
    case 'status 429':
      refuse(response, 429, 1);
      return;
    case 'status 500':
    case 'status 503':
    case 'status 410':
    case 'status 401':
      refuse(response, Number(misbehaviour.split(' ')[1]));
      return;
    case 'no such encoding':
      begin({ 'content-encoding': 'br' });
      response.write(list());
      return;
    case 'damaged gzip': {
      begin({ 'content-encoding': 'gzip' });
      const packed = gzipSync(list());
      response.end(packed.subarray(0, packed.length - random.between(1, packed.length - 1)));
      return;
    }
    case 'reset':
      if (response.stream !== undefined) response.stream.close(random.pick([2, 8, 11]));
      else response.socket?.resetAndDestroy();
      return;
    case 'refused stream':
      if (response.stream !== undefined) response.stream.close(7);
      else response.destroy();
      return;
    case 'wrong content-length': {
      const body = isWatch ? encoding.frame({ type: 'BOOKMARK', resourceVersion }) : list();
      begin({ 'content-length': String(body.length + 7) });
      // Over HTTP/1.1 the connection has to end, or the rest is only late.
      response.write(body, () => (response.stream === undefined ? response.socket?.end() : response.end()));
      return;
    }
    case 'half an answer': {
      const body = isWatch ? encoding.frame({ type: 'BOOKMARK', resourceVersion }) : list();
      begin();
      response.end(body.subarray(0, random.between(1, body.length - 1)));
      return;
    }
    case 'slow bytes':
      begin();
      void trickle(response, isWatch ? encoding.frame({ type: 'BOOKMARK', resourceVersion }) : list());
      return;
    case 'error event':
      begin();
      response.end(encoding.frame({ type: 'ERROR', status: statusForCode(random.pick([410, 429, 500, 504])) }));
      return;
    case 'endless continue':
      send(response, contentType, encoding.list(objects, { resourceVersion, continue: 'again' }));
      return;
    case 'no items':
      json({});
      return;
    case 'items are an object':
      json({ items: {} });
      return;
    case 'items without a name':
      json({ items: [{ metadata: { resourceVersion } }] });
      return;
    case 'wrong kind':
      json({ kind: 'EventList', items: [] });
      return;
    case 'undecodable event':
      begin();
      response.write(encoding.corruptFrame());
      return;
    case 'endless frame':
      begin();
      void flood(response);
      return;
    default:
      misbehaviour satisfies never;
  }
}

export function send(response: Response, contentType: string, body: Buffer): void {
  response.writeHead(200, { 'content-type': contentType });
  response.end(body);
}

export function refuse(response: Response, code: number, retryAfterSeconds?: number): void {
  if (response.headersSent) return void response.end();
  const retry = retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) };
  response.writeHead(code, { 'content-type': 'application/json', ...retry });
  response.end(JSON.stringify(statusForCode(code, retryAfterSeconds)));
}

async function trickle(response: Response, bytes: Buffer): Promise<void> {
  for (const byte of bytes.subarray(0, 200)) {
    if (!response.writable) return;
    response.write(Buffer.of(byte));
    await new Promise((resolve) => setImmediate(resolve));
  }
  response.end(bytes.subarray(200));
}

/** A frame of four gigabytes; the client has to end it. Up to a bound, should it not. */
async function flood(response: Response): Promise<void> {
  const piece = Buffer.alloc(64 * 1024, 0xff);
  for (let sent = 0; sent < 2_000 && response.writable; sent += 1) {
    // Called with an error when the client has gone.
    await new Promise<void>((resolve) => void response.write(piece, () => resolve()));
  }
}
