// Original file: proto/digger/v1/lookup.proto

import type { Protocol as _digger_v1_Protocol, Protocol__Output as _digger_v1_Protocol__Output } from '../../digger/v1/Protocol.ts';
import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../google/protobuf/Timestamp.ts';
import type { Duration as _google_protobuf_Duration, Duration__Output as _google_protobuf_Duration__Output } from '../../google/protobuf/Duration.ts';
import type { View as _digger_v1_View, View__Output as _digger_v1_View__Output } from '../../digger/v1/View.ts';
import type { OtelAttributes as _digger_v1_OtelAttributes, OtelAttributes__Output as _digger_v1_OtelAttributes__Output } from '../../digger/v1/OtelAttributes.ts';

export interface ResolveAddressRequest {
  'address'?: (string);
  'port'?: (number);
  'protocol'?: (_digger_v1_Protocol);
  'at'?: (_google_protobuf_Timestamp | null);
  'wait'?: (_google_protobuf_Duration | null);
  'view'?: (_digger_v1_View);
  'until'?: (_google_protobuf_Timestamp | null);
  'otelAttributes'?: (_digger_v1_OtelAttributes | null);
  'podNetwork'?: (string);
  '_port'?: "port";
}

export interface ResolveAddressRequest__Output {
  'address': (string);
  'port'?: (number);
  'protocol': (_digger_v1_Protocol__Output);
  'at': (_google_protobuf_Timestamp__Output | null);
  'wait': (_google_protobuf_Duration__Output | null);
  'view': (_digger_v1_View__Output);
  'until': (_google_protobuf_Timestamp__Output | null);
  'otelAttributes': (_digger_v1_OtelAttributes__Output | null);
  'podNetwork': (string);
  '_port'?: "port";
}
