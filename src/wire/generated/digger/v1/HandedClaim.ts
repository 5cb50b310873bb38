// Original file: proto/digger/v1/history.proto

import type { HandedRole as _digger_v1_HandedRole, HandedRole__Output as _digger_v1_HandedRole__Output } from '../../digger/v1/HandedRole.ts';
import type { Protocol as _digger_v1_Protocol, Protocol__Output as _digger_v1_Protocol__Output } from '../../digger/v1/Protocol.ts';
import type { HandedPort as _digger_v1_HandedPort, HandedPort__Output as _digger_v1_HandedPort__Output } from '../../digger/v1/HandedPort.ts';
import type { HandedSuccession as _digger_v1_HandedSuccession, HandedSuccession__Output as _digger_v1_HandedSuccession__Output } from '../../digger/v1/HandedSuccession.ts';
import type { HandedEnd as _digger_v1_HandedEnd, HandedEnd__Output as _digger_v1_HandedEnd__Output } from '../../digger/v1/HandedEnd.ts';
import type { Long } from '@grpc/proto-loader';

export interface HandedClaim {
  'role'?: (_digger_v1_HandedRole);
  'address'?: (string);
  'node'?: (string);
  'port'?: (number);
  'protocol'?: (_digger_v1_Protocol);
  'ofServices'?: (boolean);
  'ports'?: (_digger_v1_HandedPort)[];
  'startEarliestMs'?: (number | string | Long);
  'startSpanMs'?: (number | string | Long);
  'isStartObserved'?: (boolean);
  'firstSeenMs'?: (number | string | Long);
  'seenAfterGap'?: (boolean);
  'listed'?: (boolean);
  'leavingSeenMs'?: (number | string | Long);
  'lostTo'?: (_digger_v1_HandedSuccession | null);
  'end'?: (_digger_v1_HandedEnd | null);
  '_leavingSeenMs'?: "leavingSeenMs";
}

export interface HandedClaim__Output {
  'role': (_digger_v1_HandedRole__Output);
  'address': (string);
  'node': (string);
  'port': (number);
  'protocol': (_digger_v1_Protocol__Output);
  'ofServices': (boolean);
  'ports': (_digger_v1_HandedPort__Output)[];
  'startEarliestMs': (number);
  'startSpanMs': (number);
  'isStartObserved': (boolean);
  'firstSeenMs': (number);
  'seenAfterGap': (boolean);
  'listed': (boolean);
  'leavingSeenMs'?: (number);
  'lostTo': (_digger_v1_HandedSuccession__Output | null);
  'end': (_digger_v1_HandedEnd__Output | null);
  '_leavingSeenMs'?: "leavingSeenMs";
}
