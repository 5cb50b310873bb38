// Original file: proto/digger/v1/lookup.proto

import type { Resolution as _digger_v1_Resolution, Resolution__Output as _digger_v1_Resolution__Output } from '../../digger/v1/Resolution.ts';
import type { Status as _google_rpc_Status, Status__Output as _google_rpc_Status__Output } from '../../google/rpc/Status.ts';

export interface BatchResolveAddressesResult {
  'resolution'?: (_digger_v1_Resolution | null);
  'error'?: (_google_rpc_Status | null);
  'result'?: "resolution"|"error";
}

export interface BatchResolveAddressesResult__Output {
  'resolution'?: (_digger_v1_Resolution__Output | null);
  'error'?: (_google_rpc_Status__Output | null);
  'result'?: "resolution"|"error";
}
