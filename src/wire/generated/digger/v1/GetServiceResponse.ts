// Original file: proto/digger/v1/lookup.proto

import type { Service as _digger_v1_Service, Service__Output as _digger_v1_Service__Output } from '../../digger/v1/Service.ts';
import type { Duration as _google_protobuf_Duration, Duration__Output as _google_protobuf_Duration__Output } from '../../google/protobuf/Duration.ts';
import type { Namespace as _digger_v1_Namespace, Namespace__Output as _digger_v1_Namespace__Output } from '../../digger/v1/Namespace.ts';

export interface GetServiceResponse {
  'service'?: (_digger_v1_Service | null);
  'staleness'?: (_google_protobuf_Duration | null);
  'namespace'?: (_digger_v1_Namespace | null);
}

export interface GetServiceResponse__Output {
  'service': (_digger_v1_Service__Output | null);
  'staleness': (_google_protobuf_Duration__Output | null);
  'namespace': (_digger_v1_Namespace__Output | null);
}
