// Original file: proto/digger/v1/lookup.proto

import type { Pod as _digger_v1_Pod, Pod__Output as _digger_v1_Pod__Output } from '../../digger/v1/Pod.ts';
import type { Container as _digger_v1_Container, Container__Output as _digger_v1_Container__Output } from '../../digger/v1/Container.ts';
import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../google/protobuf/Timestamp.ts';
import type { Workload as _digger_v1_Workload, Workload__Output as _digger_v1_Workload__Output } from '../../digger/v1/Workload.ts';
import type { Duration as _google_protobuf_Duration, Duration__Output as _google_protobuf_Duration__Output } from '../../google/protobuf/Duration.ts';
import type { Cluster as _digger_v1_Cluster, Cluster__Output as _digger_v1_Cluster__Output } from '../../digger/v1/Cluster.ts';
import type { Attribute as _digger_v1_Attribute, Attribute__Output as _digger_v1_Attribute__Output } from '../../digger/v1/Attribute.ts';

export interface ContainerResolution {
  'pod'?: (_digger_v1_Pod | null);
  'container'?: (_digger_v1_Container | null);
  'containerId'?: (string);
  'ended'?: (boolean);
  'removalTime'?: (_google_protobuf_Timestamp | null);
  'workload'?: (_digger_v1_Workload | null);
  'staleness'?: (_google_protobuf_Duration | null);
  'cluster'?: (_digger_v1_Cluster | null);
  'otelAttributes'?: (_digger_v1_Attribute)[];
}

export interface ContainerResolution__Output {
  'pod': (_digger_v1_Pod__Output | null);
  'container': (_digger_v1_Container__Output | null);
  'containerId': (string);
  'ended': (boolean);
  'removalTime': (_google_protobuf_Timestamp__Output | null);
  'workload': (_digger_v1_Workload__Output | null);
  'staleness': (_google_protobuf_Duration__Output | null);
  'cluster': (_digger_v1_Cluster__Output | null);
  'otelAttributes': (_digger_v1_Attribute__Output)[];
}
