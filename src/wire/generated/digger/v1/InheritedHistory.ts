// Original file: proto/digger/v1/status.proto

import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../google/protobuf/Timestamp.ts';
import type { Long } from '@grpc/proto-loader';

export interface InheritedHistory {
  'from'?: (string);
  'takenTime'?: (_google_protobuf_Timestamp | null);
  'ownSince'?: (_google_protobuf_Timestamp | null);
  'claims'?: (number | string | Long);
  'message'?: (string);
}

export interface InheritedHistory__Output {
  'from': (string);
  'takenTime': (_google_protobuf_Timestamp__Output | null);
  'ownSince': (_google_protobuf_Timestamp__Output | null);
  'claims': (number);
  'message': (string);
}
