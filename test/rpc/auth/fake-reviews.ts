// A cluster's reviews as a test wants them: tokens, rights, outages and delays, and a record of what was asked.

import type { AccessReviews, AccessVerdict, ReviewedUser, TokenVerdict } from '../../../src/rpc/auth/access-reviews.ts';

export class FakeReviews implements AccessReviews {
  /** Token → its owner's name. */
  readonly tokens = new Map<string, string>();
  /** `user verb path`. */
  readonly rights = new Set<string>();
  /** `token` and `access`, in the order in which they were asked for. */
  readonly asked: ('token' | 'access')[] = [];
  /** Set: every review fails with it. */
  outage: Error | undefined;
  /** Set: reviews wait for it. */
  gate: Promise<void> | undefined;
  /** Set: reviews of a token wait for what it says of it. */
  gateOf: ((token: string) => Promise<void> | undefined) | undefined;

  async reviewToken(token: string, audience: string, signal: AbortSignal): Promise<TokenVerdict> {
    this.asked.push('token');
    await this.gateOf?.(token);
    await this.#delay(signal);
    const username = this.tokens.get(`${audience} ${token}`);
    if (username === undefined) return { allowed: false };
    return { allowed: true, user: { username, uid: `uid-of-${username}`, groups: ['g'], extra: {} } };
  }

  async reviewAccess(user: ReviewedUser, verb: string, path: string, signal: AbortSignal): Promise<AccessVerdict> {
    this.asked.push('access');
    await this.#delay(signal);
    return { allowed: this.rights.has(`${user.username} ${verb} ${path}`) };
  }

  count(what: 'token' | 'access'): number {
    return this.asked.filter((each) => each === what).length;
  }

  async #delay(signal: AbortSignal): Promise<void> {
    await this.gate;
    signal.throwIfAborted();
    if (this.outage !== undefined) throw this.outage;
  }
}
