// Original file: proto/digger/v1/entities.proto

import type { PodPhase as _digger_v1_PodPhase, PodPhase__Output as _digger_v1_PodPhase__Output } from '../../digger/v1/PodPhase.ts';
import type { ObjectReference as _digger_v1_ObjectReference, ObjectReference__Output as _digger_v1_ObjectReference__Output } from '../../digger/v1/ObjectReference.ts';
import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../google/protobuf/Timestamp.ts';
import type { Container as _digger_v1_Container, Container__Output as _digger_v1_Container__Output } from '../../digger/v1/Container.ts';
import type { PodNetwork as _digger_v1_PodNetwork, PodNetwork__Output as _digger_v1_PodNetwork__Output } from '../../digger/v1/PodNetwork.ts';

export interface Pod {
  'uid'?: (string);
  'namespace'?: (string);
  'name'?: (string);
  'addresses'?: (string)[];
  'hostNetwork'?: (boolean);
  'nodeName'?: (string);
  'hostAddresses'?: (string)[];
  'phase'?: (_digger_v1_PodPhase);
  'workload'?: (_digger_v1_ObjectReference | null);
  'ownerChain'?: (_digger_v1_ObjectReference)[];
  'services'?: (_digger_v1_ObjectReference)[];
  'startTime'?: (_google_protobuf_Timestamp | null);
  'deletionTime'?: (_google_protobuf_Timestamp | null);
  'serviceCount'?: (number);
  'endpointAddresses'?: (string)[];
  'zone'?: (string);
  'region'?: (string);
  'serviceAccount'?: (string);
  'ready'?: (boolean);
  'labels'?: ({[key: string]: string});
  'annotations'?: ({[key: string]: string});
  'containers'?: (_digger_v1_Container)[];
  'omitted'?: (string)[];
  'imageDigests'?: ({[key: string]: string});
  'otherContainers'?: (_digger_v1_Container)[];
  'networks'?: (_digger_v1_PodNetwork)[];
}

export interface Pod__Output {
  'uid': (string);
  'namespace': (string);
  'name': (string);
  'addresses': (string)[];
  'hostNetwork': (boolean);
  'nodeName': (string);
  'hostAddresses': (string)[];
  'phase': (_digger_v1_PodPhase__Output);
  'workload': (_digger_v1_ObjectReference__Output | null);
  'ownerChain': (_digger_v1_ObjectReference__Output)[];
  'services': (_digger_v1_ObjectReference__Output)[];
  'startTime': (_google_protobuf_Timestamp__Output | null);
  'deletionTime': (_google_protobuf_Timestamp__Output | null);
  'serviceCount': (number);
  'endpointAddresses': (string)[];
  'zone': (string);
  'region': (string);
  'serviceAccount': (string);
  'ready': (boolean);
  'labels': ({[key: string]: string});
  'annotations': ({[key: string]: string});
  'containers': (_digger_v1_Container__Output)[];
  'omitted': (string)[];
  'imageDigests': ({[key: string]: string});
  'otherContainers': (_digger_v1_Container__Output)[];
  'networks': (_digger_v1_PodNetwork__Output)[];
}
