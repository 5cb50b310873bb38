// Original file: proto/digger/v1/entities.proto

import type { Pod as _digger_v1_Pod, Pod__Output as _digger_v1_Pod__Output } from '../../digger/v1/Pod.ts';
import type { Service as _digger_v1_Service, Service__Output as _digger_v1_Service__Output } from '../../digger/v1/Service.ts';
import type { Node as _digger_v1_Node, Node__Output as _digger_v1_Node__Output } from '../../digger/v1/Node.ts';
import type { Workload as _digger_v1_Workload, Workload__Output as _digger_v1_Workload__Output } from '../../digger/v1/Workload.ts';
import type { Namespace as _digger_v1_Namespace, Namespace__Output as _digger_v1_Namespace__Output } from '../../digger/v1/Namespace.ts';

export interface Entity {
  'pod'?: (_digger_v1_Pod | null);
  'service'?: (_digger_v1_Service | null);
  'node'?: (_digger_v1_Node | null);
  'workload'?: (_digger_v1_Workload | null);
  'namespace'?: (_digger_v1_Namespace | null);
  'entity'?: "pod"|"service"|"node"|"workload"|"namespace";
}

export interface Entity__Output {
  'pod'?: (_digger_v1_Pod__Output | null);
  'service'?: (_digger_v1_Service__Output | null);
  'node'?: (_digger_v1_Node__Output | null);
  'workload'?: (_digger_v1_Workload__Output | null);
  'namespace'?: (_digger_v1_Namespace__Output | null);
  'entity'?: "pod"|"service"|"node"|"workload"|"namespace";
}
