// Original file: proto/digger/v1/feed.proto

import type { Change as _digger_v1_Change, Change__Output as _digger_v1_Change__Output } from '../../digger/v1/Change.ts';

export interface Changes {
  'changes'?: (_digger_v1_Change)[];
}

export interface Changes__Output {
  'changes': (_digger_v1_Change__Output)[];
}
