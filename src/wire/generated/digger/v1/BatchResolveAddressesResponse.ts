// Original file: proto/digger/v1/lookup.proto

import type { BatchResolveAddressesResult as _digger_v1_BatchResolveAddressesResult, BatchResolveAddressesResult__Output as _digger_v1_BatchResolveAddressesResult__Output } from '../../digger/v1/BatchResolveAddressesResult.ts';
import type { Namespace as _digger_v1_Namespace, Namespace__Output as _digger_v1_Namespace__Output } from '../../digger/v1/Namespace.ts';

export interface BatchResolveAddressesResponse {
  'results'?: (_digger_v1_BatchResolveAddressesResult)[];
  'namespaces'?: (_digger_v1_Namespace)[];
}

export interface BatchResolveAddressesResponse__Output {
  'results': (_digger_v1_BatchResolveAddressesResult__Output)[];
  'namespaces': (_digger_v1_Namespace__Output)[];
}
