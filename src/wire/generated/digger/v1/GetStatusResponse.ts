// Original file: proto/digger/v1/status.proto

import type { ResourceStatus as _digger_v1_ResourceStatus, ResourceStatus__Output as _digger_v1_ResourceStatus__Output } from '../../digger/v1/ResourceStatus.ts';
import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../google/protobuf/Timestamp.ts';
import type { Duration as _google_protobuf_Duration, Duration__Output as _google_protobuf_Duration__Output } from '../../google/protobuf/Duration.ts';
import type { Cluster as _digger_v1_Cluster, Cluster__Output as _digger_v1_Cluster__Output } from '../../digger/v1/Cluster.ts';
import type { NamedRangesFile as _digger_v1_NamedRangesFile, NamedRangesFile__Output as _digger_v1_NamedRangesFile__Output } from '../../digger/v1/NamedRangesFile.ts';
import type { InheritedHistory as _digger_v1_InheritedHistory, InheritedHistory__Output as _digger_v1_InheritedHistory__Output } from '../../digger/v1/InheritedHistory.ts';
import type { LoadBalancerNames as _digger_v1_LoadBalancerNames, LoadBalancerNames__Output as _digger_v1_LoadBalancerNames__Output } from '../../digger/v1/LoadBalancerNames.ts';
import type { Long } from '@grpc/proto-loader';

export interface GetStatusResponse {
  'version'?: (string);
  'epoch'?: (string);
  'ready'?: (boolean);
  'pending'?: (string)[];
  'resources'?: (_digger_v1_ResourceStatus)[];
  'subscribers'?: (number | string | Long);
  'sequence'?: (number | string | Long);
  'startTime'?: (_google_protobuf_Timestamp | null);
  'historySince'?: (_google_protobuf_Timestamp | null);
  'staleness'?: (_google_protobuf_Duration | null);
  'namespaces'?: (string)[];
  'credentialsMessage'?: (string);
  'cluster'?: (_digger_v1_Cluster | null);
  'namedRanges'?: (_digger_v1_NamedRangesFile)[];
  'clusterMessage'?: (string);
  'hidesNamespaces'?: (boolean);
  'inheritedHistory'?: (_digger_v1_InheritedHistory | null);
  'loadBalancerNames'?: (_digger_v1_LoadBalancerNames | null);
}

export interface GetStatusResponse__Output {
  'version': (string);
  'epoch': (string);
  'ready': (boolean);
  'pending': (string)[];
  'resources': (_digger_v1_ResourceStatus__Output)[];
  'subscribers': (number);
  'sequence': (number);
  'startTime': (_google_protobuf_Timestamp__Output | null);
  'historySince': (_google_protobuf_Timestamp__Output | null);
  'staleness': (_google_protobuf_Duration__Output | null);
  'namespaces': (string)[];
  'credentialsMessage': (string);
  'cluster': (_digger_v1_Cluster__Output | null);
  'namedRanges': (_digger_v1_NamedRangesFile__Output)[];
  'clusterMessage': (string);
  'hidesNamespaces': (boolean);
  'inheritedHistory': (_digger_v1_InheritedHistory__Output | null);
  'loadBalancerNames': (_digger_v1_LoadBalancerNames__Output | null);
}
