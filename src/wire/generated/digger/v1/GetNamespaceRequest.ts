// Original file: proto/digger/v1/lookup.proto

import type { View as _digger_v1_View, View__Output as _digger_v1_View__Output } from '../../digger/v1/View.ts';
import type { Duration as _google_protobuf_Duration, Duration__Output as _google_protobuf_Duration__Output } from '../../google/protobuf/Duration.ts';

export interface GetNamespaceRequest {
  'name'?: (string);
  'uid'?: (string);
  'view'?: (_digger_v1_View);
  'wait'?: (_google_protobuf_Duration | null);
}

export interface GetNamespaceRequest__Output {
  'name': (string);
  'uid': (string);
  'view': (_digger_v1_View__Output);
  'wait': (_google_protobuf_Duration__Output | null);
}
