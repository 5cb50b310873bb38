// The deadline that a caller sets (`grpc-timeout`, PROTOCOL-HTTP2.md), read as grpc-js reads it: so a call has the
// same one whichever way it goes. More is taken than the specification writes (a number anywhere in the text, spaces
// before its unit), and parts of a millisecond do not count.

import type { IncomingHttpHeaders } from 'node:http2';

/** In ms; unset: none. `problem`: what to tell a caller whose text says no time. */
export function readTimeout(headers: IncomingHttpHeaders): number | { readonly problem: string } | undefined {
  const text = headers[TIMEOUT];
  // gRPC header values are printable ASCII; grpc-js ignores a header with any other value.
  if (typeof text !== 'string' || !PRINTABLE.test(text)) return undefined;
  const [, digits, unit] = TIME.exec(text) ?? [];
  const unitMs = unit === undefined ? undefined : UNITS_MS[unit];
  if (unitMs === undefined) return { problem: `Invalid ${TIMEOUT} value "${text}"` };
  return (Number(digits) * unitMs) | 0;
}

const TIMEOUT = 'grpc-timeout';
const PRINTABLE = /^[ -~]*$/;
const TIME = /(\d{1,8})\s*([HMSmun])/;
const UNITS_MS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 1e-3, n: 1e-6 };
