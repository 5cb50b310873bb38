// Original file: proto/digger/v1/history.proto

import type { Long } from '@grpc/proto-loader';

export interface HandedRange {
  'ofServices'?: (boolean);
  'range'?: (string);
  'lastHeldMs'?: (number | string | Long);
}

export interface HandedRange__Output {
  'ofServices': (boolean);
  'range': (string);
  'lastHeldMs': (number);
}
