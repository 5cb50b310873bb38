// Original file: proto/digger/v1/status.proto

import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../google/protobuf/Timestamp.ts';
import type { Duration as _google_protobuf_Duration, Duration__Output as _google_protobuf_Duration__Output } from '../../google/protobuf/Duration.ts';

export interface ResourceFreshness {
  'resource'?: (string);
  'lastContact'?: (_google_protobuf_Timestamp | null);
  'staleness'?: (_google_protobuf_Duration | null);
}

export interface ResourceFreshness__Output {
  'resource': (string);
  'lastContact': (_google_protobuf_Timestamp__Output | null);
  'staleness': (_google_protobuf_Duration__Output | null);
}
