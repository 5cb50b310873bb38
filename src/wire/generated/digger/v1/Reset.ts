// Original file: proto/digger/v1/feed.proto

import type { ResetReason as _digger_v1_ResetReason, ResetReason__Output as _digger_v1_ResetReason__Output } from '../../digger/v1/ResetReason.ts';

export interface Reset {
  'reason'?: (_digger_v1_ResetReason);
  'message'?: (string);
}

export interface Reset__Output {
  'reason': (_digger_v1_ResetReason__Output);
  'message': (string);
}
