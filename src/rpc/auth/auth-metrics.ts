// Authentication in numbers: how calls were decided, what the review APIs said, and how much is remembered.

import { Counter, Gauge, type Registry } from '@prometheus-io/client';

export interface AuthMetrics {
  /** Calls: `allowed`, `unauthenticated`, `denied`, `unavailable`. */
  readonly decisions: Counter<'result'>;
  /** Requests to the API server: `token` or `access`; `allowed`, `denied`, `failed`. */
  readonly reviews: Counter<'review' | 'result'>;
}

export function createAuthMetrics(registry: Registry): AuthMetrics {
  const registers = [registry];
  return {
    decisions: new Counter({
      name: 'digger_auth_decisions_total',
      help: 'Calls that authentication decided on, by result.',
      labelNames: ['result'],
      registers,
    }),
    reviews: new Counter({
      name: 'digger_auth_reviews_total',
      help: 'TokenReviews and SubjectAccessReviews that were asked for, by result.',
      labelNames: ['review', 'result'],
      registers,
    }),
  };
}

/** Remembered reviews, by what they are about. */
export function exportCachedReviews(
  registry: Registry,
  sizes: Readonly<Record<'token' | 'access', () => number>>,
): void {
  const cached: Gauge<'review'> = new Gauge({
    name: 'digger_auth_cached_reviews',
    help: 'Reviews that are remembered.',
    labelNames: ['review'],
    registers: [registry],
    collect: () => {
      cached.set({ review: 'token' }, sizes.token());
      cached.set({ review: 'access' }, sizes.access());
    },
  });
}
