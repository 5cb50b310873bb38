// Looks at the headers of a call before grpc-js makes anything of them: how long they are once they are unpacked (HPACK
// makes 60 kB of 110 bytes), whether the caller names itself twice, and a timeout that a timer cannot hold.

import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';

/** Largest headers of a call. A bearer token has 1 to 2 kB. */
export const MAX_HEADER_BYTES = 8_192;

/**
 * What HTTP/2 itself lets through, and tells clients: above it the stream is reset without a word. Larger than ours, so
 * that callers are told what is wrong; a peer that does not confirm our settings gets node's 64 KiB.
 */
export const ADVERTISED_HEADER_BYTES = 16_384;

/** What headers count beside their text (RFC 9113, section 6.5.2). */
const HEADER_OVERHEAD_BYTES = 32;

export interface HeaderFacts {
  readonly bytes: number;
  /** More than one `authorization`, of which node hands on the first. */
  readonly hasTwoAuthorizations: boolean;
}

/** As node calls it; its types leave out what comes last, names and values in turn. */
export type RawStreamListener = (
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  flags: number,
  rawHeaders: readonly string[],
) => void;

/** `rawHeaders`: names and values in turn. */
export function inspectHeaders(rawHeaders: readonly string[]): HeaderFacts {
  let bytes = rawHeaders.length * (HEADER_OVERHEAD_BYTES / 2);
  let authorizations = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? '';
    bytes += name.length + (rawHeaders[index + 1]?.length ?? 0);
    if (name.length === AUTHORIZATION.length && name === AUTHORIZATION) authorizations += 1;
  }
  return { bytes, hasTwoAuthorizations: authorizations > 1 };
}

/** What grpc-js needs of headers that are refused for their size. */
export function essentialHeaders(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  return Object.fromEntries(ESSENTIAL.flatMap((name) => (name in headers ? [[name, headers[name]]] : [])));
}

/**
 * Shortens a `grpc-timeout` that a timer of node cannot hold, which grpc-js takes for one that has passed: 25 days are
 * as good as 24.
 */
export function boundTimeout(headers: IncomingHttpHeaders): void {
  const timeout = headers[TIMEOUT];
  if (typeof timeout !== 'string') return;
  const longest = LONGEST[timeout.slice(-1)];
  if (longest !== undefined && Number(timeout.slice(0, -1)) > longest)
    headers[TIMEOUT] = `${longest}${timeout.slice(-1)}`;
}

const AUTHORIZATION = 'authorization';
const TIMEOUT = 'grpc-timeout';
const ESSENTIAL = [':method', ':scheme', ':path', ':authority', 'content-type', 'te'] as const;

/** 24 days in the units of PROTOCOL-HTTP2.md whose eight digits reach beyond it. */
const LONGEST: Readonly<Record<string, number>> = { H: 576, M: 34_560, S: 2_073_600 };
