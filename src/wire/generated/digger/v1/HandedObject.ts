// Original file: proto/digger/v1/history.proto

import type { HandedState as _digger_v1_HandedState, HandedState__Output as _digger_v1_HandedState__Output } from '../../digger/v1/HandedState.ts';
import type { HandedClaim as _digger_v1_HandedClaim, HandedClaim__Output as _digger_v1_HandedClaim__Output } from '../../digger/v1/HandedClaim.ts';

export interface HandedObject {
  'uid'?: (string);
  'state'?: (_digger_v1_HandedState | null);
  'claims'?: (_digger_v1_HandedClaim)[];
}

export interface HandedObject__Output {
  'uid': (string);
  'state': (_digger_v1_HandedState__Output | null);
  'claims': (_digger_v1_HandedClaim__Output)[];
}
