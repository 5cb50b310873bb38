// Original file: proto/digger/v1/status.proto

import type { WatchState as _digger_v1_WatchState, WatchState__Output as _digger_v1_WatchState__Output } from '../../digger/v1/WatchState.ts';
import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../google/protobuf/Timestamp.ts';
import type { Long } from '@grpc/proto-loader';

export interface ResourceStatus {
  'resource'?: (string);
  'synced'?: (boolean);
  'required'?: (boolean);
  'state'?: (_digger_v1_WatchState);
  'objects'?: (number | string | Long);
  'lastChange'?: (_google_protobuf_Timestamp | null);
  'lastContact'?: (_google_protobuf_Timestamp | null);
  'lists'?: (number | string | Long);
  'watchRestarts'?: (number | string | Long);
  'message'?: (string);
}

export interface ResourceStatus__Output {
  'resource': (string);
  'synced': (boolean);
  'required': (boolean);
  'state': (_digger_v1_WatchState__Output);
  'objects': (number);
  'lastChange': (_google_protobuf_Timestamp__Output | null);
  'lastContact': (_google_protobuf_Timestamp__Output | null);
  'lists': (number);
  'watchRestarts': (number);
  'message': (string);
}
