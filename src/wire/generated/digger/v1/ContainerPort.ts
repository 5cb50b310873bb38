// Original file: proto/digger/v1/entities.proto

import type { Protocol as _digger_v1_Protocol, Protocol__Output as _digger_v1_Protocol__Output } from '../../digger/v1/Protocol.ts';

export interface ContainerPort {
  'name'?: (string);
  'containerPort'?: (number);
  'hostPort'?: (number);
  'hostIp'?: (string);
  'protocol'?: (_digger_v1_Protocol);
}

export interface ContainerPort__Output {
  'name': (string);
  'containerPort': (number);
  'hostPort': (number);
  'hostIp': (string);
  'protocol': (_digger_v1_Protocol__Output);
}
