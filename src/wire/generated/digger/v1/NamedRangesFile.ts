// Original file: proto/digger/v1/status.proto

import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../google/protobuf/Timestamp.ts';
import type { Long } from '@grpc/proto-loader';

export interface NamedRangesFile {
  'path'?: (string);
  'ranges'?: (number | string | Long);
  'modifiedTime'?: (_google_protobuf_Timestamp | null);
  'loadTime'?: (_google_protobuf_Timestamp | null);
  'message'?: (string);
}

export interface NamedRangesFile__Output {
  'path': (string);
  'ranges': (number);
  'modifiedTime': (_google_protobuf_Timestamp__Output | null);
  'loadTime': (_google_protobuf_Timestamp__Output | null);
  'message': (string);
}
