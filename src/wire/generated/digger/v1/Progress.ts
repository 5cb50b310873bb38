// Original file: proto/digger/v1/feed.proto

import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../google/protobuf/Timestamp.ts';
import type { ResourceFreshness as _digger_v1_ResourceFreshness, ResourceFreshness__Output as _digger_v1_ResourceFreshness__Output } from '../../digger/v1/ResourceFreshness.ts';

export interface Progress {
  'serverTime'?: (_google_protobuf_Timestamp | null);
  'resources'?: (_digger_v1_ResourceFreshness)[];
  'closing'?: (boolean);
}

export interface Progress__Output {
  'serverTime': (_google_protobuf_Timestamp__Output | null);
  'resources': (_digger_v1_ResourceFreshness__Output)[];
  'closing': (boolean);
}
