// What the feed tells about itself.

import type { ResetReason } from '../wire/frame.ts';
import { Counter, Gauge, type Registry } from '@prometheus-io/client';

/** Read when metrics are collected. */
export interface FeedGauges {
  readonly subscribers: number;
  /** Of the caller that has most. */
  readonly mostOfACaller: number;
  /** Distinct filters, and what they take. */
  readonly filterClasses: number;
  readonly filterBytes: number;
  readonly entries: number;
  readonly removals: number;
  readonly sharedFrameBytes: number;
  /** Entities of which it is remembered that their last change was not seen, for each choice of values in use. */
  readonly unseenEntities: number;
  /** Of the subscriber that is furthest behind. */
  readonly maxLag: number;
  /** Steps of sources, see `tokens/source-history.ts`. */
  readonly sourceSteps: number;
  /** Of a token for a consumer that has everything. */
  readonly tokenBytes: number;
  readonly touched: number;
}

export class FeedMetrics {
  readonly resets: Counter<'reason'>;
  readonly frames: Counter;
  readonly changes: Counter;
  readonly bytes: Counter;
  readonly ended: Counter<'reason'>;
  readonly stalled: Counter;
  readonly refused: Counter<'limit'>;
  readonly resumedElsewhere: Counter;

  constructor(registry: Registry, read: () => FeedGauges) {
    const registers = [registry];
    const gauge = (name: string, help: string, value: (gauges: FeedGauges) => number) =>
      new Gauge({
        name,
        help,
        registers,
        collect() {
          this.set(value(read()));
        },
      });
    gauge('digger_feed_subscribers', 'Open feed subscriptions.', (now) => now.subscribers);
    gauge(
      'digger_feed_subscribers_of_busiest_caller',
      'Open feed subscriptions of the caller that has most.',
      (now) => now.mostOfACaller,
    );
    gauge('digger_feed_filters', 'Distinct filters of open feed subscriptions.', (now) => now.filterClasses);
    gauge('digger_feed_filter_bytes', 'Memory that the distinct filters take, about.', (now) => now.filterBytes);
    gauge(
      'digger_feed_lag_changes',
      'Sequences between the head of the change log and the subscriber that is furthest behind.',
      (now) => now.maxLag,
    );
    gauge('digger_feed_log_entries', 'Entities and kept removals in the change log.', (now) => now.entries);
    gauge(
      'digger_feed_log_removals',
      'Removals kept in the change log for subscribers that are behind.',
      (now) => now.removals,
    );
    gauge(
      'digger_feed_source_steps',
      'Versions of watched resources that are kept to continue subscriptions of other replicas.',
      (now) => now.sourceSteps,
    );
    gauge(
      'digger_feed_resume_token_bytes',
      'Length of a resume token now; below 100 while other replicas could not continue from it.',
      (now) => now.tokenBytes,
    );
    gauge(
      'digger_feed_touched_entities',
      'Entities kept as touched without a change, for subscriptions of other replicas.',
      (now) => now.touched,
    );
    gauge(
      'digger_feed_shared_frame_bytes',
      'Bytes of frames remembered for subscribers at the same place.',
      (now) => now.sharedFrameBytes,
    );
    gauge(
      'digger_feed_unseen_entities',
      'Entities whose last change does not show to subscribers with a choice of labels and annotations, for each choice.',
      (now) => now.unseenEntities,
    );
    this.resets = new Counter({
      name: 'digger_feed_resets_total',
      help: 'Times a subscriber was told to forget everything, by reason.',
      labelNames: ['reason'],
      registers,
    });
    this.frames = new Counter({ name: 'digger_feed_frames_total', help: 'Frames handed to subscribers.', registers });
    this.changes = new Counter({
      name: 'digger_feed_changes_total',
      help: 'Upserts and removals handed to subscribers.',
      registers,
    });
    this.bytes = new Counter({
      name: 'digger_feed_bytes_total',
      help: 'Bytes of frames handed to subscribers.',
      registers,
    });
    this.ended = new Counter({
      name: 'digger_feed_subscriptions_ended_total',
      help: 'Subscriptions that ended: complete (snapshot only), draining, stalled, closed (by the other side).',
      labelNames: ['reason'],
      registers,
    });
    this.stalled = new Counter({
      name: 'digger_feed_subscribers_stalled_total',
      help: 'Subscribers that were ended because they read nothing for too long.',
      registers,
    });
    this.resumedElsewhere = new Counter({
      name: 'digger_feed_resumed_elsewhere_total',
      help: 'Subscriptions that were continued here with the token of another process.',
      registers,
    });
    this.refused = new Counter({
      name: 'digger_feed_subscriptions_refused_total',
      help: 'Subscriptions that were refused because there were too many, in all (replica) or of one caller (caller), or their filters too large (filters).',
      labelNames: ['limit'],
      registers,
    });
    // From the start: an alert on the first one needs a value before it.
    for (const reason of RESET_REASONS) this.resets.inc({ reason }, 0);
    for (const limit of ['replica', 'caller', 'filters']) this.refused.inc({ limit }, 0);
  }
}

const RESET_REASONS: readonly ResetReason[] = [
  'NO_TOKEN',
  'TOKEN_EXPIRED',
  'OTHER_EPOCH',
  'PROJECTION_CHANGED',
  'TOO_SLOW',
  'HISTORY_REWRITTEN',
];
