// Original file: proto/digger/v1/lookup.proto

import type { AddressQuery as _digger_v1_AddressQuery, AddressQuery__Output as _digger_v1_AddressQuery__Output } from '../../digger/v1/AddressQuery.ts';
import type { Duration as _google_protobuf_Duration, Duration__Output as _google_protobuf_Duration__Output } from '../../google/protobuf/Duration.ts';
import type { View as _digger_v1_View, View__Output as _digger_v1_View__Output } from '../../digger/v1/View.ts';
import type { OtelAttributes as _digger_v1_OtelAttributes, OtelAttributes__Output as _digger_v1_OtelAttributes__Output } from '../../digger/v1/OtelAttributes.ts';

export interface BatchResolveAddressesRequest {
  'queries'?: (_digger_v1_AddressQuery)[];
  'wait'?: (_google_protobuf_Duration | null);
  'view'?: (_digger_v1_View);
  'otelAttributes'?: (_digger_v1_OtelAttributes | null);
}

export interface BatchResolveAddressesRequest__Output {
  'queries': (_digger_v1_AddressQuery__Output)[];
  'wait': (_google_protobuf_Duration__Output | null);
  'view': (_digger_v1_View__Output);
  'otelAttributes': (_digger_v1_OtelAttributes__Output | null);
}
