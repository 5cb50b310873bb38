// Original file: proto/digger/v1/history.proto

import type { Long } from '@grpc/proto-loader';

export interface HandedEnd {
  'earliestMs'?: (number | string | Long);
  'latestMs'?: (number | string | Long);
  'knownAtMs'?: (number | string | Long);
}

export interface HandedEnd__Output {
  'earliestMs': (number);
  'latestMs': (number);
  'knownAtMs': (number);
}
