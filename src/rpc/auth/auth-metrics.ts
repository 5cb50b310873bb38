// Authentication in numbers: how calls were decided, what the review APIs said, how much is remembered, and how much
// room reviews take.

import { Counter, Gauge, type Registry } from '@prometheus-io/client';

import type { Decision, DecisionCache } from './decision-cache.ts';

export interface AuthMetrics {
  /** Calls: `allowed`, `unauthenticated`, `denied`, `unavailable`. */
  readonly decisions: Counter<'result'>;
  /** Requests to the API server: `token` or `access`; `allowed`, `denied`, `failed`. */
  readonly reviews: Counter<'review' | 'result'>;
}

/** What the authenticator of client certificates counts too. */
export function createDecisionCounter(registry: Registry): AuthMetrics['decisions'] {
  const decisions = new Counter({
    name: 'digger_auth_decisions_total',
    help: 'Calls that authentication decided on, by result.',
    labelNames: ['result'],
    registers: [registry],
  });
  // All of them from the start: an alert on the first one needs a value before it.
  for (const result of RESULTS) decisions.inc({ result }, 0);
  return decisions;
}

const RESULTS = ['allowed', 'unauthenticated', 'denied', 'unavailable'] as const;
const REVIEWS = ['token', 'access'] as const;
const LANES = ['known', 'new'] as const;

export function createAuthMetrics(registry: Registry): AuthMetrics {
  const reviews = new Counter({
    name: 'digger_auth_reviews_total',
    help: 'TokenReviews and SubjectAccessReviews that were asked for, by result.',
    labelNames: ['review', 'result'],
    registers: [registry],
  });
  for (const review of REVIEWS) {
    for (const result of ['allowed', 'denied', 'failed']) reviews.inc({ review, result }, 0);
  }
  return { decisions: createDecisionCounter(registry), reviews };
}

type Caches = Readonly<Record<(typeof REVIEWS)[number], Pick<DecisionCache<Decision>, 'size' | 'lane'>>>;

/** What is remembered, and how much room reviews take. */
export function exportReviews(registry: Registry, caches: Caches): void {
  const registers = [registry];
  const cached: Gauge<'review'> = new Gauge({
    name: 'digger_auth_cached_reviews',
    help: 'Reviews of tokens and rights that are cached.',
    labelNames: ['review'],
    registers,
    collect: () => REVIEWS.forEach((review) => cached.set({ review }, caches[review].size)),
  });
  const eachLane = (set: (labels: { review: string; callers: string }, lane: LaneFigures) => void): void => {
    for (const review of REVIEWS) {
      for (const callers of LANES) set({ review, callers }, caches[review].lane(callers));
    }
  };
  const underWay: Gauge<'review' | 'callers'> = new Gauge({
    name: 'digger_auth_reviews_under_way',
    help: 'Reviews that the API server has not answered yet, of known and of new callers.',
    labelNames: ['review', 'callers'],
    registers,
    collect: () => eachLane((labels, lane) => underWay.set(labels, lane.underWay)),
  });
  const waiting: Gauge<'review' | 'callers'> = new Gauge({
    name: 'digger_auth_reviews_waiting',
    help: 'Reviews that wait for others to end, of known and of new callers.',
    labelNames: ['review', 'callers'],
    registers,
    collect: () => eachLane((labels, lane) => waiting.set(labels, lane.waiting)),
  });
  const refused: Counter<'review' | 'callers'> = new Counter({
    name: 'digger_auth_reviews_refused_total',
    help: 'Reviews that were refused because too many were under way or waiting, of known and of new callers.',
    labelNames: ['review', 'callers'],
    registers,
    collect() {
      refused.reset();
      eachLane((labels, lane) => refused.inc(labels, lane.refused));
    },
  });
}

type LaneFigures = ReturnType<Caches['token']['lane']>;
