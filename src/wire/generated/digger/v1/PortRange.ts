// Original file: proto/digger/v1/timeline.proto

import type { Protocol as _digger_v1_Protocol, Protocol__Output as _digger_v1_Protocol__Output } from '../../digger/v1/Protocol.ts';

export interface PortRange {
  'first'?: (number);
  'last'?: (number);
  'protocol'?: (_digger_v1_Protocol);
}

export interface PortRange__Output {
  'first': (number);
  'last': (number);
  'protocol': (_digger_v1_Protocol__Output);
}
