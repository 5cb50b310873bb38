// Whole answers onto the wire: headers as kube-apiserver sends them, body in one piece.

import type { ServerResponse } from 'node:http';
import type { Encoding } from './encoding.ts';
import type { Status } from './error-status.ts';

/** With `Retry-After` where the status or the caller names a delay. */
export function sendStatus(
  response: ServerResponse,
  status: Status,
  encoding: Encoding,
  retryAfterSeconds?: number,
): void {
  const seconds = retryAfterSeconds ?? status.details?.retryAfterSeconds;
  if (seconds !== undefined) {
    response.setHeader('retry-after', String(seconds));
  }
  send(response, status.code, encoding.contentType, encoding.status(status));
}

export function send(response: ServerResponse, code: number, contentType: string, body: Buffer, gzip = false): void {
  response.writeHead(code, {
    'content-type': contentType,
    'cache-control': 'no-cache, private',
    'content-length': body.length,
    ...(gzip ? { 'content-encoding': 'gzip', vary: 'Accept-Encoding' } : {}),
  });
  response.end(body);
}
