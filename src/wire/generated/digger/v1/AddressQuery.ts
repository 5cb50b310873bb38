// Original file: proto/digger/v1/lookup.proto

import type { Protocol as _digger_v1_Protocol, Protocol__Output as _digger_v1_Protocol__Output } from '../../digger/v1/Protocol.ts';
import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../google/protobuf/Timestamp.ts';

export interface AddressQuery {
  'address'?: (string);
  'port'?: (number);
  'protocol'?: (_digger_v1_Protocol);
  'at'?: (_google_protobuf_Timestamp | null);
  'until'?: (_google_protobuf_Timestamp | null);
  'podNetwork'?: (string);
  '_port'?: "port";
}

export interface AddressQuery__Output {
  'address': (string);
  'port'?: (number);
  'protocol': (_digger_v1_Protocol__Output);
  'at': (_google_protobuf_Timestamp__Output | null);
  'until': (_google_protobuf_Timestamp__Output | null);
  'podNetwork': (string);
  '_port'?: "port";
}
