// Original file: proto/digger/v1/lookup.proto

import type { Pod as _digger_v1_Pod, Pod__Output as _digger_v1_Pod__Output } from '../../digger/v1/Pod.ts';
import type { Duration as _google_protobuf_Duration, Duration__Output as _google_protobuf_Duration__Output } from '../../google/protobuf/Duration.ts';
import type { Namespace as _digger_v1_Namespace, Namespace__Output as _digger_v1_Namespace__Output } from '../../digger/v1/Namespace.ts';
import type { Attribute as _digger_v1_Attribute, Attribute__Output as _digger_v1_Attribute__Output } from '../../digger/v1/Attribute.ts';

export interface GetPodResponse {
  'pod'?: (_digger_v1_Pod | null);
  'staleness'?: (_google_protobuf_Duration | null);
  'namespace'?: (_digger_v1_Namespace | null);
  'otelAttributes'?: (_digger_v1_Attribute)[];
}

export interface GetPodResponse__Output {
  'pod': (_digger_v1_Pod__Output | null);
  'staleness': (_google_protobuf_Duration__Output | null);
  'namespace': (_digger_v1_Namespace__Output | null);
  'otelAttributes': (_digger_v1_Attribute__Output)[];
}
