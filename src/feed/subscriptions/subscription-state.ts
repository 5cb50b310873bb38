// What one subscriber is owed next.
//
//   waiting → reset → catching-up → complete → live → leaving → ended
//           ↘ touched ↗
// `waiting` for this process to see what the consumer has seen; `reset`: a Reset is owed; `touched`: entities that it
// may hold as they never were here; `catching-up` with the log; `complete`: the newest frame had everything when it was
// made, so that Synced is owed, whatever happened meanwhile; `live`; `leaving`: nothing more from the log.

import type { ResetReason } from '../../wire/frame.ts';
import type { TouchedReader } from '../log/touched-keys.ts';
import type { SubscriptionStart } from './subscription-start.ts';

export type State =
  | { readonly is: 'waiting'; readonly start: Extract<SubscriptionStart, { from: 'elsewhere' }> }
  | { readonly is: 'reset'; readonly reason: ResetReason }
  | { readonly is: 'touched'; readonly touched: TouchedReader }
  | { readonly is: 'catching-up' }
  | { readonly is: 'complete' }
  | { readonly is: 'live'; readonly owesProgress: boolean }
  /** `snapshot`: everything that was asked for is sent. */
  | { readonly is: 'leaving'; readonly because: 'snapshot' }
  /** A Reset that is owed stays owed: without it the last token would vouch for what the consumer had before. */
  | {
      readonly is: 'leaving';
      readonly because: 'draining';
      readonly reset: ResetReason | undefined;
      readonly told: boolean;
    }
  | { readonly is: 'ended' };

export type StateOf<Is extends State['is']> = Extract<State, { readonly is: Is }>;
