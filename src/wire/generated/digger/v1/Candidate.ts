// Original file: proto/digger/v1/lookup.proto

import type { Pod as _digger_v1_Pod, Pod__Output as _digger_v1_Pod__Output } from '../../digger/v1/Pod.ts';
import type { Service as _digger_v1_Service, Service__Output as _digger_v1_Service__Output } from '../../digger/v1/Service.ts';
import type { Node as _digger_v1_Node, Node__Output as _digger_v1_Node__Output } from '../../digger/v1/Node.ts';
import type { ExternalEndpoint as _digger_v1_ExternalEndpoint, ExternalEndpoint__Output as _digger_v1_ExternalEndpoint__Output } from '../../digger/v1/ExternalEndpoint.ts';
import type { ObjectReference as _digger_v1_ObjectReference, ObjectReference__Output as _digger_v1_ObjectReference__Output } from '../../digger/v1/ObjectReference.ts';
import type { AddressRole as _digger_v1_AddressRole, AddressRole__Output as _digger_v1_AddressRole__Output } from '../../digger/v1/AddressRole.ts';
import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../google/protobuf/Timestamp.ts';

export interface Candidate {
  'pod'?: (_digger_v1_Pod | null);
  'service'?: (_digger_v1_Service | null);
  'node'?: (_digger_v1_Node | null);
  'externalEndpoint'?: (_digger_v1_ExternalEndpoint | null);
  'workload'?: (_digger_v1_ObjectReference | null);
  'role'?: (_digger_v1_AddressRole);
  'validFrom'?: (_google_protobuf_Timestamp | null);
  'validTo'?: (_google_protobuf_Timestamp | null);
  'uncertain'?: (boolean);
  'hidden'?: (boolean);
  'target'?: "pod"|"service"|"node"|"externalEndpoint";
}

export interface Candidate__Output {
  'pod'?: (_digger_v1_Pod__Output | null);
  'service'?: (_digger_v1_Service__Output | null);
  'node'?: (_digger_v1_Node__Output | null);
  'externalEndpoint'?: (_digger_v1_ExternalEndpoint__Output | null);
  'workload': (_digger_v1_ObjectReference__Output | null);
  'role': (_digger_v1_AddressRole__Output);
  'validFrom': (_google_protobuf_Timestamp__Output | null);
  'validTo': (_google_protobuf_Timestamp__Output | null);
  'uncertain': (boolean);
  'hidden': (boolean);
  'target'?: "pod"|"service"|"node"|"externalEndpoint";
}
