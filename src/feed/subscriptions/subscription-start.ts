// Where a subscription begins, as `resumption.ts` finds it from its token.

import type { ResetReason } from '../../wire/frame.ts';
import type { TouchedReader } from '../log/touched-keys.ts';
import type { ReadingPosition } from '../reading/position.ts';

/** Where a subscription begins. */
export type SubscriptionStart =
  /** From a token that this process can continue from. */
  | {
      readonly from: 'token';
      readonly position: ReadingPosition;
      /** To be told first: entities that may be held as they never were here. */
      readonly touched: TouchedReader | undefined;
    }
  | { readonly from: 'snapshot'; readonly reason: ResetReason }
  /** Not known until this process has seen what the consumer has. `untilMs`: when waiting for that ends. */
  | { readonly from: 'elsewhere'; readonly ask: () => SubscriptionStart; readonly untilMs: number };
