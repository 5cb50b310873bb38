// Original file: proto/digger/v1/history.proto

import type { HandOverSetting as _digger_v1_HandOverSetting, HandOverSetting__Output as _digger_v1_HandOverSetting__Output } from '../../digger/v1/HandOverSetting.ts';
import type { HandOverPosition as _digger_v1_HandOverPosition, HandOverPosition__Output as _digger_v1_HandOverPosition__Output } from '../../digger/v1/HandOverPosition.ts';

export interface HandOverRequest {
  'epoch'?: (Buffer | Uint8Array | string);
  'clusterUid'?: (string);
  'settings'?: (_digger_v1_HandOverSetting)[];
  'positions'?: (_digger_v1_HandOverPosition)[];
}

export interface HandOverRequest__Output {
  'epoch': (Buffer);
  'clusterUid': (string);
  'settings': (_digger_v1_HandOverSetting__Output)[];
  'positions': (_digger_v1_HandOverPosition__Output)[];
}
