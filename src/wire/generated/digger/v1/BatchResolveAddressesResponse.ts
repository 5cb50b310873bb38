// Original file: proto/digger/v1/lookup.proto

import type { BatchResolveAddressesResult as _digger_v1_BatchResolveAddressesResult, BatchResolveAddressesResult__Output as _digger_v1_BatchResolveAddressesResult__Output } from '../../digger/v1/BatchResolveAddressesResult.ts';

export interface BatchResolveAddressesResponse {
  'results'?: (_digger_v1_BatchResolveAddressesResult)[];
}

export interface BatchResolveAddressesResponse__Output {
  'results': (_digger_v1_BatchResolveAddressesResult__Output)[];
}
