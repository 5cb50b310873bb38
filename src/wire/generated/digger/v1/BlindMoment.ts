// Original file: proto/digger/v1/timeline.proto

import type { Long } from '@grpc/proto-loader';

export interface BlindMoment {
  'sinceMs'?: (number | string | Long);
  'untilMs'?: (number | string | Long);
}

export interface BlindMoment__Output {
  'sinceMs': (number);
  'untilMs': (number);
}
