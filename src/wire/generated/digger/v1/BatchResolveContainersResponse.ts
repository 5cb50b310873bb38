// Original file: proto/digger/v1/lookup.proto

import type { BatchResolveContainersResult as _digger_v1_BatchResolveContainersResult, BatchResolveContainersResult__Output as _digger_v1_BatchResolveContainersResult__Output } from '../../digger/v1/BatchResolveContainersResult.ts';
import type { Namespace as _digger_v1_Namespace, Namespace__Output as _digger_v1_Namespace__Output } from '../../digger/v1/Namespace.ts';

export interface BatchResolveContainersResponse {
  'results'?: (_digger_v1_BatchResolveContainersResult)[];
  'namespaces'?: (_digger_v1_Namespace)[];
}

export interface BatchResolveContainersResponse__Output {
  'results': (_digger_v1_BatchResolveContainersResult__Output)[];
  'namespaces': (_digger_v1_Namespace__Output)[];
}
