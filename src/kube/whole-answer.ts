// A small answer of the API server, read whole: what is not a list or a watch of a reflector.

import { parseStatusBody } from './decoding/api-status.ts';
import { AnswerLimit } from './answer-limit.ts';
import type { Clock } from './clock.ts';
import { ApiError, StalledError } from './reflector/failure.ts';
import type { Transport } from './transport/transport.ts';
import { WireError } from './wire-error.ts';

/** What is asked for, and how it is named in errors. */
export interface WholeRequest {
  readonly path: string;
  readonly accept: string;
  /** Ends it before its time. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
  /** For the answer and its body, counted from when credentials are there. */
  readonly limitMs: number;
  readonly maxBytes: number;
  /** `discover /apis`, `list the namespace kube-system`. */
  readonly doing: string;
}

/**
 * The body of an answer with status 200. Throws an ApiError for another status, a WireError when it is longer than
 * `maxBytes`, a StalledError when it takes too long, and what the transport throws.
 */
export async function readWholeAnswer(transport: Transport, request: WholeRequest): Promise<Buffer> {
  using limit = new AnswerLimit(request.clock, request.signal, request.limitMs);
  try {
    return await read(transport, request, limit);
  } catch (error) {
    throw limit.isOver ? new StalledError(`${request.doing}: no answer within ${request.limitMs} ms`) : error;
  }
}

async function read(transport: Transport, request: WholeRequest, limit: AnswerLimit): Promise<Buffer> {
  const { path, accept, maxBytes, doing } = request;
  const { signal } = limit;
  const response = await transport.request({ path, accept, signal, onBegin: () => limit.begin() });
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of response.body) {
      chunks.push(chunk);
      length += chunk.length;
      if (length > maxBytes) throw new WireError(`${doing}: the answer takes more than ${maxBytes} bytes`);
    }
  } finally {
    response.discard();
  }
  const body = Buffer.concat(chunks);
  if (response.status !== 200) {
    throw new ApiError({ ...parseStatusBody(body, response.status, response.redirect), code: response.status }, doing);
  }
  return body;
}
