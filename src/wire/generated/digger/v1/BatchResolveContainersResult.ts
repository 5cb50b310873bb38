// Original file: proto/digger/v1/lookup.proto

import type { ContainerResolution as _digger_v1_ContainerResolution, ContainerResolution__Output as _digger_v1_ContainerResolution__Output } from '../../digger/v1/ContainerResolution.ts';
import type { Status as _google_rpc_Status, Status__Output as _google_rpc_Status__Output } from '../../google/rpc/Status.ts';

export interface BatchResolveContainersResult {
  'resolution'?: (_digger_v1_ContainerResolution | null);
  'error'?: (_google_rpc_Status | null);
  'result'?: "resolution"|"error";
}

export interface BatchResolveContainersResult__Output {
  'resolution'?: (_digger_v1_ContainerResolution__Output | null);
  'error'?: (_google_rpc_Status__Output | null);
  'result'?: "resolution"|"error";
}
