// Original file: proto/digger/v1/feed.proto

import type { EntityKind as _digger_v1_EntityKind, EntityKind__Output as _digger_v1_EntityKind__Output } from '../../digger/v1/EntityKind.ts';

export interface Removal {
  'kind'?: (_digger_v1_EntityKind);
  'namespace'?: (string);
  'name'?: (string);
  'uid'?: (string);
  'workloadApiVersion'?: (string);
  'workloadKind'?: (string);
}

export interface Removal__Output {
  'kind': (_digger_v1_EntityKind__Output);
  'namespace': (string);
  'name': (string);
  'uid': (string);
  'workloadApiVersion': (string);
  'workloadKind': (string);
}
