// Original file: proto/digger/v1/lookup.proto

import type { Resolution as _digger_v1_Resolution, Resolution__Output as _digger_v1_Resolution__Output } from '../../digger/v1/Resolution.ts';

export interface ResolveAddressResponse {
  'resolution'?: (_digger_v1_Resolution | null);
}

export interface ResolveAddressResponse__Output {
  'resolution': (_digger_v1_Resolution__Output | null);
}
