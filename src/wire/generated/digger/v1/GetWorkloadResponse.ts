// Original file: proto/digger/v1/lookup.proto

import type { Workload as _digger_v1_Workload, Workload__Output as _digger_v1_Workload__Output } from '../../digger/v1/Workload.ts';
import type { Duration as _google_protobuf_Duration, Duration__Output as _google_protobuf_Duration__Output } from '../../google/protobuf/Duration.ts';
import type { Namespace as _digger_v1_Namespace, Namespace__Output as _digger_v1_Namespace__Output } from '../../digger/v1/Namespace.ts';

export interface GetWorkloadResponse {
  'workload'?: (_digger_v1_Workload | null);
  'staleness'?: (_google_protobuf_Duration | null);
  'namespace'?: (_digger_v1_Namespace | null);
}

export interface GetWorkloadResponse__Output {
  'workload': (_digger_v1_Workload__Output | null);
  'staleness': (_google_protobuf_Duration__Output | null);
  'namespace': (_digger_v1_Namespace__Output | null);
}
