// Original file: proto/digger/v1/timeline.proto

import type { Protocol as _digger_v1_Protocol, Protocol__Output as _digger_v1_Protocol__Output } from '../../digger/v1/Protocol.ts';

export interface TimelinePlace {
  'address'?: (string);
  'node'?: (string);
  'port'?: (number);
  'protocol'?: (_digger_v1_Protocol);
  'manyPorts'?: (boolean);
  'range'?: (string);
  'podNetwork'?: (string);
}

export interface TimelinePlace__Output {
  'address': (string);
  'node': (string);
  'port': (number);
  'protocol': (_digger_v1_Protocol__Output);
  'manyPorts': (boolean);
  'range': (string);
  'podNetwork': (string);
}
