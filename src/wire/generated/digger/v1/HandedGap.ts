// Original file: proto/digger/v1/history.proto

import type { Long } from '@grpc/proto-loader';

export interface HandedGap {
  'sinceMs'?: (number | string | Long);
  'untilMs'?: (number | string | Long);
}

export interface HandedGap__Output {
  'sinceMs': (number);
  'untilMs': (number);
}
