// Original file: proto/digger/v1/history.proto

import type { HandedGap as _digger_v1_HandedGap, HandedGap__Output as _digger_v1_HandedGap__Output } from '../../digger/v1/HandedGap.ts';
import type { HandedNode as _digger_v1_HandedNode, HandedNode__Output as _digger_v1_HandedNode__Output } from '../../digger/v1/HandedNode.ts';
import type { HandedRange as _digger_v1_HandedRange, HandedRange__Output as _digger_v1_HandedRange__Output } from '../../digger/v1/HandedRange.ts';
import type { Long } from '@grpc/proto-loader';

export interface HandedFacts {
  'epoch'?: (Buffer | Uint8Array | string);
  'clusterUid'?: (string);
  'serverTimeMs'?: (number | string | Long);
  'beganMs'?: (number | string | Long);
  'blind'?: (_digger_v1_HandedGap)[];
  'blindSinceMs'?: (number | string | Long);
  'unknownUntilMs'?: (number | string | Long);
  'incompleteUntilMs'?: (number | string | Long);
  'leavingNodes'?: (_digger_v1_HandedNode)[];
  'formerRanges'?: (_digger_v1_HandedRange)[];
  '_blindSinceMs'?: "blindSinceMs";
  '_unknownUntilMs'?: "unknownUntilMs";
  '_incompleteUntilMs'?: "incompleteUntilMs";
}

export interface HandedFacts__Output {
  'epoch': (Buffer);
  'clusterUid': (string);
  'serverTimeMs': (number);
  'beganMs': (number);
  'blind': (_digger_v1_HandedGap__Output)[];
  'blindSinceMs'?: (number);
  'unknownUntilMs'?: (number);
  'incompleteUntilMs'?: (number);
  'leavingNodes': (_digger_v1_HandedNode__Output)[];
  'formerRanges': (_digger_v1_HandedRange__Output)[];
  '_blindSinceMs'?: "blindSinceMs";
  '_unknownUntilMs'?: "unknownUntilMs";
  '_incompleteUntilMs'?: "incompleteUntilMs";
}
