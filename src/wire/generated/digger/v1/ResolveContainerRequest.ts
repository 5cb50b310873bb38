// Original file: proto/digger/v1/lookup.proto

import type { Duration as _google_protobuf_Duration, Duration__Output as _google_protobuf_Duration__Output } from '../../google/protobuf/Duration.ts';
import type { View as _digger_v1_View, View__Output as _digger_v1_View__Output } from '../../digger/v1/View.ts';
import type { OtelAttributes as _digger_v1_OtelAttributes, OtelAttributes__Output as _digger_v1_OtelAttributes__Output } from '../../digger/v1/OtelAttributes.ts';

export interface ResolveContainerRequest {
  'containerId'?: (string);
  'podUid'?: (string);
  'wait'?: (_google_protobuf_Duration | null);
  'view'?: (_digger_v1_View);
  'otelAttributes'?: (_digger_v1_OtelAttributes | null);
  'subject'?: "containerId"|"podUid";
}

export interface ResolveContainerRequest__Output {
  'containerId'?: (string);
  'podUid'?: (string);
  'wait': (_google_protobuf_Duration__Output | null);
  'view': (_digger_v1_View__Output);
  'otelAttributes': (_digger_v1_OtelAttributes__Output | null);
  'subject'?: "containerId"|"podUid";
}
