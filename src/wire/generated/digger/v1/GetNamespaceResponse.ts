// Original file: proto/digger/v1/lookup.proto

import type { Namespace as _digger_v1_Namespace, Namespace__Output as _digger_v1_Namespace__Output } from '../../digger/v1/Namespace.ts';
import type { Duration as _google_protobuf_Duration, Duration__Output as _google_protobuf_Duration__Output } from '../../google/protobuf/Duration.ts';

export interface GetNamespaceResponse {
  'namespace'?: (_digger_v1_Namespace | null);
  'staleness'?: (_google_protobuf_Duration | null);
}

export interface GetNamespaceResponse__Output {
  'namespace': (_digger_v1_Namespace__Output | null);
  'staleness': (_google_protobuf_Duration__Output | null);
}
