// Original file: proto/digger/v1/feed.proto

import type { EntityKind as _digger_v1_EntityKind, EntityKind__Output as _digger_v1_EntityKind__Output } from '../../digger/v1/EntityKind.ts';

export interface Forgotten {
  'kind'?: (_digger_v1_EntityKind);
  'uid'?: (string);
}

export interface Forgotten__Output {
  'kind': (_digger_v1_EntityKind__Output);
  'uid': (string);
}
