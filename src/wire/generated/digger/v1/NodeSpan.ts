// Original file: proto/digger/v1/timeline.proto

import type { Long } from '@grpc/proto-loader';

export interface NodeSpan {
  'fromMs'?: (number | string | Long);
  'toMs'?: (number | string | Long);
  'names'?: (string)[];
  '_toMs'?: "toMs";
}

export interface NodeSpan__Output {
  'fromMs': (number);
  'toMs'?: (number);
  'names': (string)[];
  '_toMs'?: "toMs";
}
