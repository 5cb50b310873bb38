// Original file: proto/digger/v1/history.proto

import type { Long } from '@grpc/proto-loader';

export interface HandedNode {
  'name'?: (string);
  'uid'?: (string);
  'leavingSeenMs'?: (number | string | Long);
}

export interface HandedNode__Output {
  'name': (string);
  'uid': (string);
  'leavingSeenMs': (number);
}
