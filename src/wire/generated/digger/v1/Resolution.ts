// Original file: proto/digger/v1/lookup.proto

import type { Outcome as _digger_v1_Outcome, Outcome__Output as _digger_v1_Outcome__Output } from '../../digger/v1/Outcome.ts';
import type { Pod as _digger_v1_Pod, Pod__Output as _digger_v1_Pod__Output } from '../../digger/v1/Pod.ts';
import type { Service as _digger_v1_Service, Service__Output as _digger_v1_Service__Output } from '../../digger/v1/Service.ts';
import type { Node as _digger_v1_Node, Node__Output as _digger_v1_Node__Output } from '../../digger/v1/Node.ts';
import type { ExternalEndpoint as _digger_v1_ExternalEndpoint, ExternalEndpoint__Output as _digger_v1_ExternalEndpoint__Output } from '../../digger/v1/ExternalEndpoint.ts';
import type { Workload as _digger_v1_Workload, Workload__Output as _digger_v1_Workload__Output } from '../../digger/v1/Workload.ts';
import type { Candidate as _digger_v1_Candidate, Candidate__Output as _digger_v1_Candidate__Output } from '../../digger/v1/Candidate.ts';
import type { AddressRole as _digger_v1_AddressRole, AddressRole__Output as _digger_v1_AddressRole__Output } from '../../digger/v1/AddressRole.ts';
import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../google/protobuf/Timestamp.ts';
import type { Duration as _google_protobuf_Duration, Duration__Output as _google_protobuf_Duration__Output } from '../../google/protobuf/Duration.ts';
import type { Network as _digger_v1_Network, Network__Output as _digger_v1_Network__Output } from '../../digger/v1/Network.ts';
import type { Cluster as _digger_v1_Cluster, Cluster__Output as _digger_v1_Cluster__Output } from '../../digger/v1/Cluster.ts';
import type { Attribute as _digger_v1_Attribute, Attribute__Output as _digger_v1_Attribute__Output } from '../../digger/v1/Attribute.ts';

export interface Resolution {
  'outcome'?: (_digger_v1_Outcome);
  'pod'?: (_digger_v1_Pod | null);
  'service'?: (_digger_v1_Service | null);
  'node'?: (_digger_v1_Node | null);
  'externalEndpoint'?: (_digger_v1_ExternalEndpoint | null);
  'workload'?: (_digger_v1_Workload | null);
  'candidates'?: (_digger_v1_Candidate)[];
  'role'?: (_digger_v1_AddressRole);
  'validFrom'?: (_google_protobuf_Timestamp | null);
  'validTo'?: (_google_protobuf_Timestamp | null);
  'historySince'?: (_google_protobuf_Timestamp | null);
  'uncertain'?: (boolean);
  'staleness'?: (_google_protobuf_Duration | null);
  'network'?: (_digger_v1_Network | null);
  'cluster'?: (_digger_v1_Cluster | null);
  'otelAttributes'?: (_digger_v1_Attribute)[];
  'podNetwork'?: (string);
  'target'?: "pod"|"service"|"node"|"externalEndpoint";
}

export interface Resolution__Output {
  'outcome': (_digger_v1_Outcome__Output);
  'pod'?: (_digger_v1_Pod__Output | null);
  'service'?: (_digger_v1_Service__Output | null);
  'node'?: (_digger_v1_Node__Output | null);
  'externalEndpoint'?: (_digger_v1_ExternalEndpoint__Output | null);
  'workload': (_digger_v1_Workload__Output | null);
  'candidates': (_digger_v1_Candidate__Output)[];
  'role': (_digger_v1_AddressRole__Output);
  'validFrom': (_google_protobuf_Timestamp__Output | null);
  'validTo': (_google_protobuf_Timestamp__Output | null);
  'historySince': (_google_protobuf_Timestamp__Output | null);
  'uncertain': (boolean);
  'staleness': (_google_protobuf_Duration__Output | null);
  'network': (_digger_v1_Network__Output | null);
  'cluster': (_digger_v1_Cluster__Output | null);
  'otelAttributes': (_digger_v1_Attribute__Output)[];
  'podNetwork': (string);
  'target'?: "pod"|"service"|"node"|"externalEndpoint";
}
