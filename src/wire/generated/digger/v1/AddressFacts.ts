// Original file: proto/digger/v1/timeline.proto

import type { BlindMoment as _digger_v1_BlindMoment, BlindMoment__Output as _digger_v1_BlindMoment__Output } from '../../digger/v1/BlindMoment.ts';
import type { Long } from '@grpc/proto-loader';

export interface AddressFacts {
  'beganMs'?: (number | string | Long);
  'historyMs'?: (number | string | Long);
  'blind'?: (_digger_v1_BlindMoment)[];
  'blindSinceMs'?: (number | string | Long);
  'unknownUntilMs'?: (number | string | Long);
  'incompleteUntilMs'?: (number | string | Long);
  'reportDelayMs'?: (number | string | Long);
  'partial'?: (boolean);
  'rangesCompleteIpv4'?: (boolean);
  'rangesCompleteIpv6'?: (boolean);
  '_blindSinceMs'?: "blindSinceMs";
  '_incompleteUntilMs'?: "incompleteUntilMs";
}

export interface AddressFacts__Output {
  'beganMs': (number);
  'historyMs': (number);
  'blind': (_digger_v1_BlindMoment__Output)[];
  'blindSinceMs'?: (number);
  'unknownUntilMs': (number);
  'incompleteUntilMs'?: (number);
  'reportDelayMs': (number);
  'partial': (boolean);
  'rangesCompleteIpv4': (boolean);
  'rangesCompleteIpv6': (boolean);
  '_blindSinceMs'?: "blindSinceMs";
  '_incompleteUntilMs'?: "incompleteUntilMs";
}
