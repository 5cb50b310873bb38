// Lets callers in by bearer token: the cluster says whose it is (TokenReview, audience `digger`), and its RBAC whether
// they may call the method (SubjectAccessReview: verb `post` on the method's path as a non-resource URL).
//
// Closed when in doubt: without an answer of the API server a call is UNAVAILABLE with RetryInfo. A crowd of tokens
// that the cluster never issued costs a few reviews at a time, and takes nothing from callers who are known. Tokens are
// not kept: caches know them by their SHA-256, and neither logs nor errors hold one.

import { hash } from 'node:crypto';
import { status } from '@grpc/grpc-js';
import type { Registry } from '@prometheus-io/client';

import { networkOfPeer } from '../../model/ip/network.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { CallError } from '../errors/call-error.ts';
import { permissionDenied, unauthenticated } from '../errors/outcomes.ts';
import type { Authenticator, CallIdentity } from './authenticator.ts';
import type { AccessReviews, AccessVerdict, ReviewedUser, TokenVerdict } from './access-reviews.ts';
import { createAuthMetrics, exportReviews } from './auth-metrics.ts';
import { type Asker, type Decision, DecisionCache } from './decision-cache.ts';
import { type Lane, type LaneLimits, UndecidedError } from './review-lanes.ts';

/** What a caller's token has to be issued for. */
export const TOKEN_AUDIENCE = 'digger';

/** gRPC calls are POST requests to the method's path, which is how RBAC sees requests to non-resource URLs. */
export const ACCESS_VERB = 'post';

export interface BearerTokenOptions {
  readonly reviews: AccessReviews;
  readonly registry: Registry;
  readonly logger: Logger;
  /** A monotonic clock. */
  readonly nowMs: () => number;
  /** How long a review is believed. A token that was revoked works for at most this long. */
  readonly cacheTtlMs: number;
  /** Default: 5 s. */
  readonly reviewTimeoutMs?: number;
}

export function bearerTokenAuthenticator(options: BearerTokenOptions): Authenticator {
  const { reviews, registry, logger, nowMs, cacheTtlMs } = options;
  const metrics = createAuthMetrics(registry);
  const cacheOptions = {
    allowedTtlMs: cacheTtlMs,
    deniedTtlMs: Math.min(cacheTtlMs, MAX_DENIED_TTL_MS),
    maxEntries: MAX_CACHED_REVIEWS,
    lanes: LANES,
    nowMs,
  };
  // A tenant may have thousands of tokens issued that allow nothing: a token is known once it allowed something.
  const tokens = new DecisionCache<TokenVerdict>({ ...cacheOptions, allowedIsProven: false });
  const accesses = new DecisionCache<AccessVerdict>({ ...cacheOptions, allowedIsProven: true });
  exportReviews(registry, { token: tokens, access: accesses });

  let failing = false;
  const review = async <V extends Decision>(
    what: 'token' | 'access',
    ask: (signal: AbortSignal) => Promise<V>,
  ): Promise<V> => {
    let verdict: V;
    try {
      verdict = await ask(AbortSignal.timeout(options.reviewTimeoutMs ?? REVIEW_TIMEOUT_MS));
    } catch (error) {
      metrics.reviews.inc({ review: what, result: 'failed' });
      const reason = error instanceof Error ? error.message : String(error);
      if (!failing)
        logger.warn({ review: what, reason }, 'cannot review callers; callers that are not known yet are refused');
      failing = true;
      throw new UndecidedError('failed', reason);
    }
    if (failing) logger.info({ review: what }, 'callers are reviewed again');
    failing = false;
    metrics.reviews.inc({ review: what, result: verdict.allowed ? 'allowed' : 'denied' });
    return verdict;
  };

  const authorize = (asker: CallAsker, key: string, user: ReviewedUser): Verdict | Promise<Verdict> => {
    const { method } = asker.call;
    const decided = accesses.decide(`${key} ${method}`, asker, async () => {
      const verdict = await review('access', (signal) => reviews.reviewAccess(user, ACCESS_VERB, method, signal));
      // Once for each review: what is remembered says nothing new.
      if (!verdict.allowed) logger.info({ user: user.username, method }, 'a caller may not call this method');
      return verdict;
    });
    const tell = ({ allowed }: AccessVerdict): Verdict => {
      if (!allowed) return permissionDenied(`${user.username} may not ${ACCESS_VERB} ${method}`, method);
      tokens.prove(key);
      return undefined;
    };
    return decided instanceof Promise ? decided.then(tell) : tell(decided);
  };

  const decide = (call: CallIdentity): Verdict | Promise<Verdict> => {
    const token = bearerToken(call);
    if (token === undefined) return unauthenticated('this service wants a bearer token in "authorization" metadata');
    const key = hash('sha256', token, 'base64');
    const asker = new CallAsker(call);
    const verdict = tokens.decide(key, asker, () =>
      review('token', (signal) => reviews.reviewToken(token, TOKEN_AUDIENCE, signal)),
    );
    const go = (decided: TokenVerdict): Verdict | Promise<Verdict> => {
      if (!decided.allowed) return unauthenticated(INVALID_TOKEN);
      call.name = `user:${decided.user.username}`;
      return authorize(asker, key, decided.user);
    };
    return verdict instanceof Promise ? verdict.then(go) : go(verdict);
  };

  const count = (verdict: Verdict): Verdict => {
    metrics.decisions.inc({ result: resultOf(verdict) });
    return verdict;
  };
  return (call) => {
    const verdict = decide(call);
    if (!(verdict instanceof Promise)) return count(verdict);
    return verdict.catch(toUnavailable).then(count);
  };
}

type Verdict = CallError | undefined;

/**
 * The API server's own delegates believe a denial for 10 s too; a caller that was just granted access waits that long.
 */
const MAX_DENIED_TTL_MS = 10_000;

/** Of each memory and review, about 1 kB each: callers times methods, with room for tokens that were renewed. */
const MAX_CACHED_REVIEWS = 4_096;

/**
 * Of each kind of review. 32 at a few milliseconds each are several thousand callers a second, more than a cluster has.
 *
 * Known callers wait for one another only, as long as a review may take: there are at most as many as are remembered.
 * Newcomers share 32 others: eight for one peer, so that four hostile ones have to come together to fill them, and then
 * peers take turns. A newcomer waits for 2 s at most: below the deadline of most clients, who then hear why.
 */
const LANES: Readonly<Record<Lane, LaneLimits>> = {
  known: { underWay: 32, underWayOfPeer: 32, waiting: MAX_CACHED_REVIEWS, waitMs: 5_000 },
  new: { underWay: 32, underWayOfPeer: 8, waiting: 128, waitMs: 2_000 },
};

/** A healthy API server takes milliseconds; a caller should learn of an outage before its own deadline. */
const REVIEW_TIMEOUT_MS = 5_000;

const RETRY_MS = 1_000;

const INVALID_TOKEN = `the bearer token is not valid, or not issued for the audience "${TOKEN_AUDIENCE}"`;

function bearerToken({ metadata }: CallIdentity): string | undefined {
  const values = metadata.get('authorization');
  // Two of them may mean two things to two readers.
  if (values.length !== 1) return undefined;
  const [, token] = /^bearer +([\w.~+/-]+=*) *$/i.exec(String(values[0])) ?? [];
  return token;
}

/** Made for every call, hence a class; the peer is looked at only where a review is needed. */
class CallAsker implements Asker {
  readonly call: CallIdentity;

  constructor(call: CallIdentity) {
    this.call = call;
  }

  get admitted(): boolean {
    return this.call.admitted === true;
  }

  peer(): string {
    return networkOfPeer(this.call.getPeer());
  }
}

function toUnavailable(error: unknown): CallError {
  if (!(error instanceof UndecidedError)) throw error;
  const [reason, message] =
    error.why === 'busy'
      ? (['TOO_MANY_REVIEWS', `too many callers are being authenticated: ${error.message}`] as const)
      : (['AUTHENTICATION_UNAVAILABLE', 'callers cannot be authenticated at the moment'] as const);
  return new CallError(status.UNAVAILABLE, reason, message, { retryDelayMs: RETRY_MS });
}

function resultOf(verdict: Verdict): string {
  switch (verdict?.code) {
    case undefined:
      return 'allowed';
    case status.PERMISSION_DENIED:
      return 'denied';
    case status.UNAVAILABLE:
      return 'unavailable';
    default:
      return 'unauthenticated';
  }
}
