// Original file: proto/digger/v1/timeline.proto

import type { TimelinePlace as _digger_v1_TimelinePlace, TimelinePlace__Output as _digger_v1_TimelinePlace__Output } from '../../digger/v1/TimelinePlace.ts';
import type { TimelineHolder as _digger_v1_TimelineHolder, TimelineHolder__Output as _digger_v1_TimelineHolder__Output } from '../../digger/v1/TimelineHolder.ts';
import type { TimelineSpan as _digger_v1_TimelineSpan, TimelineSpan__Output as _digger_v1_TimelineSpan__Output } from '../../digger/v1/TimelineSpan.ts';
import type { NodeSpan as _digger_v1_NodeSpan, NodeSpan__Output as _digger_v1_NodeSpan__Output } from '../../digger/v1/NodeSpan.ts';
import type { Long } from '@grpc/proto-loader';

export interface AddressTimeline {
  'place'?: (_digger_v1_TimelinePlace | null);
  'holders'?: (_digger_v1_TimelineHolder)[];
  'spans'?: (_digger_v1_TimelineSpan)[];
  'nodes'?: (_digger_v1_NodeSpan)[];
  'inCluster'?: (boolean);
  'cutAtMs'?: (number | string | Long);
  'known'?: (boolean);
  '_cutAtMs'?: "cutAtMs";
}

export interface AddressTimeline__Output {
  'place': (_digger_v1_TimelinePlace__Output | null);
  'holders': (_digger_v1_TimelineHolder__Output)[];
  'spans': (_digger_v1_TimelineSpan__Output)[];
  'nodes': (_digger_v1_NodeSpan__Output)[];
  'inCluster': (boolean);
  'cutAtMs'?: (number);
  'known': (boolean);
  '_cutAtMs'?: "cutAtMs";
}
