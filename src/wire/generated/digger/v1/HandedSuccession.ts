// Original file: proto/digger/v1/history.proto

import type { Long } from '@grpc/proto-loader';

export interface HandedSuccession {
  'fromMs'?: (number | string | Long);
  'toMs'?: (number | string | Long);
  'mayHaveEndedMs'?: (number | string | Long);
}

export interface HandedSuccession__Output {
  'fromMs': (number);
  'toMs': (number);
  'mayHaveEndedMs': (number);
}
