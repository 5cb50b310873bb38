// Original file: proto/digger/v1/lookup.proto

import type { View as _digger_v1_View, View__Output as _digger_v1_View__Output } from '../../digger/v1/View.ts';
import type { Duration as _google_protobuf_Duration, Duration__Output as _google_protobuf_Duration__Output } from '../../google/protobuf/Duration.ts';
import type { OtelAttributes as _digger_v1_OtelAttributes, OtelAttributes__Output as _digger_v1_OtelAttributes__Output } from '../../digger/v1/OtelAttributes.ts';

export interface GetPodRequest {
  'namespace'?: (string);
  'name'?: (string);
  'uid'?: (string);
  'view'?: (_digger_v1_View);
  'wait'?: (_google_protobuf_Duration | null);
  'otelAttributes'?: (_digger_v1_OtelAttributes | null);
}

export interface GetPodRequest__Output {
  'namespace': (string);
  'name': (string);
  'uid': (string);
  'view': (_digger_v1_View__Output);
  'wait': (_google_protobuf_Duration__Output | null);
  'otelAttributes': (_digger_v1_OtelAttributes__Output | null);
}
