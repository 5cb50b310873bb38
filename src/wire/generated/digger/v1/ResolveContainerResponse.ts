// Original file: proto/digger/v1/lookup.proto

import type { ContainerResolution as _digger_v1_ContainerResolution, ContainerResolution__Output as _digger_v1_ContainerResolution__Output } from '../../digger/v1/ContainerResolution.ts';
import type { Namespace as _digger_v1_Namespace, Namespace__Output as _digger_v1_Namespace__Output } from '../../digger/v1/Namespace.ts';

export interface ResolveContainerResponse {
  'resolution'?: (_digger_v1_ContainerResolution | null);
  'namespaces'?: (_digger_v1_Namespace)[];
}

export interface ResolveContainerResponse__Output {
  'resolution': (_digger_v1_ContainerResolution__Output | null);
  'namespaces': (_digger_v1_Namespace__Output)[];
}
