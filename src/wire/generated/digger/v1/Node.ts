// Original file: proto/digger/v1/entities.proto

import type { NodeAddress as _digger_v1_NodeAddress, NodeAddress__Output as _digger_v1_NodeAddress__Output } from '../../digger/v1/NodeAddress.ts';
import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../google/protobuf/Timestamp.ts';

export interface Node {
  'name'?: (string);
  'uid'?: (string);
  'addresses'?: (_digger_v1_NodeAddress)[];
  'zone'?: (string);
  'region'?: (string);
  'podRanges'?: (string)[];
  'deletionTime'?: (_google_protobuf_Timestamp | null);
  'labels'?: ({[key: string]: string});
  'omitted'?: (string)[];
}

export interface Node__Output {
  'name': (string);
  'uid': (string);
  'addresses': (_digger_v1_NodeAddress__Output)[];
  'zone': (string);
  'region': (string);
  'podRanges': (string)[];
  'deletionTime': (_google_protobuf_Timestamp__Output | null);
  'labels': ({[key: string]: string});
  'omitted': (string)[];
}
