// Original file: proto/digger/v1/lookup.proto

import type { Protocol as _digger_v1_Protocol, Protocol__Output as _digger_v1_Protocol__Output } from '../../digger/v1/Protocol.ts';
import type { View as _digger_v1_View, View__Output as _digger_v1_View__Output } from '../../digger/v1/View.ts';

export interface GetAddressTimelineRequest {
  'address'?: (string);
  'port'?: (number);
  'protocol'?: (_digger_v1_Protocol);
  'view'?: (_digger_v1_View);
  'podNetwork'?: (string);
  '_port'?: "port";
}

export interface GetAddressTimelineRequest__Output {
  'address': (string);
  'port'?: (number);
  'protocol': (_digger_v1_Protocol__Output);
  'view': (_digger_v1_View__Output);
  'podNetwork': (string);
  '_port'?: "port";
}
