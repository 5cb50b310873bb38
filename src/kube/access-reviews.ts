// Asks the API server who a token belongs to and what a user may do: TokenReview and SubjectAccessReview, as aggregated
// API servers do. Needs the right to create both, nothing else.
//
// A token that was not issued for the audience is not accepted: an API server that knows no audiences shows it by
// leaving them out of its answer, and is not believed. Messages hold no token: of an error only what RBAC says is
// quoted.

import { parseStatusBody } from './decoding/api-status.ts';
import type { Transport } from './transport/transport.ts';

/** The API server answered with something else than a review. */
export class ReviewError extends Error {
  override readonly name = 'ReviewError';
}

export interface TokenOwner {
  readonly username: string;
  readonly uid: string;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

export class AccessReviewClient {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Rejects with a ReviewError, a TransportError, a CredentialsError or the signal's reason. */
  async reviewToken(
    token: string,
    audience: string,
    signal: AbortSignal,
  ): Promise<{ readonly allowed: true; readonly user: TokenOwner } | { readonly allowed: false }> {
    const status = await this.#review(
      'authentication.k8s.io/v1',
      'TokenReview',
      { token, audiences: [audience] },
      signal,
    );
    const { username, uid, groups, extra } = fieldsOf(status['user']);
    if (status['authenticated'] !== true || typeof username !== 'string' || username === '') return { allowed: false };
    if (!texts(status['audiences']).includes(audience)) return { allowed: false };
    const user = {
      username,
      uid: typeof uid === 'string' ? uid : '',
      groups: texts(groups),
      extra: Object.fromEntries(Object.entries(fieldsOf(extra)).map(([key, values]) => [key, texts(values)])),
    };
    return { allowed: true, user };
  }

  /** `path`: a non-resource URL. Rejects like `reviewToken`. */
  async reviewAccess(
    user: TokenOwner,
    verb: string,
    path: string,
    signal: AbortSignal,
  ): Promise<{ readonly allowed: boolean }> {
    const { username, uid, groups, extra } = user;
    const spec = { user: username, uid, groups, extra, nonResourceAttributes: { path, verb } };
    const status = await this.#review('authorization.k8s.io/v1', 'SubjectAccessReview', spec, signal);
    return { allowed: status['allowed'] === true && status['denied'] !== true };
  }

  /** The status of a review, which nothing is known of but that it is an object. */
  async #review(apiVersion: string, kind: string, spec: object, signal: AbortSignal): Promise<Fields> {
    const json = Buffer.from(JSON.stringify({ apiVersion, kind, spec }));
    const path = `/apis/${apiVersion}/${kind.toLowerCase()}s`;
    for (let attempt = 1; ; attempt += 1) {
      const response = await this.#transport.request({ path, accept: 'application/json', json, signal });
      const body = await readAll(response.body);
      if (response.status === 200 || response.status === 201) return parseReview(body, kind);
      if (response.status === 401) {
        // Our own token, which may have been renewed since it was read: the transport reads it again.
        if (attempt === 1) continue;
      }
      const { reason, message } = parseStatusBody(body, response.status, response.redirect);
      const quoted = response.status === 403 ? `: ${message}` : '';
      throw new ReviewError(`create ${kind}: ${response.status} ${reason}${quoted}`.trimEnd());
    }
  }
}

type Fields = Readonly<Record<string, unknown>>;

/** A review is a few kilobytes; users with thousands of groups exist. */
const MAX_BODY_BYTES = 1024 * 1024;

async function readAll(body: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.byteLength;
    if (length > MAX_BODY_BYTES) throw new ReviewError(`the answer is longer than ${MAX_BODY_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function parseReview(body: Buffer, kind: string): Fields {
  let review: Fields;
  try {
    review = fieldsOf(JSON.parse(body.toString('utf8')));
  } catch {
    // What the parser says quotes the body, in which the token stands.
    throw new ReviewError(`create ${kind}: the answer is not JSON`);
  }
  if (review['kind'] !== kind) throw new ReviewError(`create ${kind}: the answer is no ${kind}`);
  return fieldsOf(review['status']);
}

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];
}
