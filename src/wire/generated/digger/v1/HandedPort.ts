// Original file: proto/digger/v1/history.proto

import type { Protocol as _digger_v1_Protocol, Protocol__Output as _digger_v1_Protocol__Output } from '../../digger/v1/Protocol.ts';

export interface HandedPort {
  'port'?: (number);
  'protocol'?: (_digger_v1_Protocol);
}

export interface HandedPort__Output {
  'port': (number);
  'protocol': (_digger_v1_Protocol__Output);
}
