// Original file: proto/digger/v1/entities.proto

import type { Protocol as _digger_v1_Protocol, Protocol__Output as _digger_v1_Protocol__Output } from '../../digger/v1/Protocol.ts';

export interface ServicePort {
  'name'?: (string);
  'protocol'?: (_digger_v1_Protocol);
  'port'?: (number);
  'targetPort'?: (string);
  'nodePort'?: (number);
  'appProtocol'?: (string);
}

export interface ServicePort__Output {
  'name': (string);
  'protocol': (_digger_v1_Protocol__Output);
  'port': (number);
  'targetPort': (string);
  'nodePort': (number);
  'appProtocol': (string);
}
