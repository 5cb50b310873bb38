// Original file: proto/digger/v1/lookup.proto

import type { Resolution as _digger_v1_Resolution, Resolution__Output as _digger_v1_Resolution__Output } from '../../digger/v1/Resolution.ts';
import type { Namespace as _digger_v1_Namespace, Namespace__Output as _digger_v1_Namespace__Output } from '../../digger/v1/Namespace.ts';

export interface ResolveAddressResponse {
  'resolution'?: (_digger_v1_Resolution | null);
  'namespaces'?: (_digger_v1_Namespace)[];
}

export interface ResolveAddressResponse__Output {
  'resolution': (_digger_v1_Resolution__Output | null);
  'namespaces': (_digger_v1_Namespace__Output)[];
}
