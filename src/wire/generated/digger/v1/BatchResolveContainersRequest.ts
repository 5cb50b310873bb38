// Original file: proto/digger/v1/lookup.proto

import type { ContainerQuery as _digger_v1_ContainerQuery, ContainerQuery__Output as _digger_v1_ContainerQuery__Output } from '../../digger/v1/ContainerQuery.ts';
import type { View as _digger_v1_View, View__Output as _digger_v1_View__Output } from '../../digger/v1/View.ts';
import type { OtelAttributes as _digger_v1_OtelAttributes, OtelAttributes__Output as _digger_v1_OtelAttributes__Output } from '../../digger/v1/OtelAttributes.ts';

export interface BatchResolveContainersRequest {
  'queries'?: (_digger_v1_ContainerQuery)[];
  'view'?: (_digger_v1_View);
  'otelAttributes'?: (_digger_v1_OtelAttributes | null);
}

export interface BatchResolveContainersRequest__Output {
  'queries': (_digger_v1_ContainerQuery__Output)[];
  'view': (_digger_v1_View__Output);
  'otelAttributes': (_digger_v1_OtelAttributes__Output | null);
}
