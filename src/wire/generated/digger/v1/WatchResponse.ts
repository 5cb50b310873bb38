// Original file: proto/digger/v1/feed.proto

import type { Reset as _digger_v1_Reset, Reset__Output as _digger_v1_Reset__Output } from '../../digger/v1/Reset.ts';
import type { Changes as _digger_v1_Changes, Changes__Output as _digger_v1_Changes__Output } from '../../digger/v1/Changes.ts';
import type { Synced as _digger_v1_Synced, Synced__Output as _digger_v1_Synced__Output } from '../../digger/v1/Synced.ts';
import type { Progress as _digger_v1_Progress, Progress__Output as _digger_v1_Progress__Output } from '../../digger/v1/Progress.ts';
import type { Cluster as _digger_v1_Cluster, Cluster__Output as _digger_v1_Cluster__Output } from '../../digger/v1/Cluster.ts';

export interface WatchResponse {
  'reset'?: (_digger_v1_Reset | null);
  'changes'?: (_digger_v1_Changes | null);
  'synced'?: (_digger_v1_Synced | null);
  'progress'?: (_digger_v1_Progress | null);
  'resumeToken'?: (Buffer | Uint8Array | string);
  'cluster'?: (_digger_v1_Cluster | null);
  'frame'?: "reset"|"changes"|"synced"|"progress";
}

export interface WatchResponse__Output {
  'reset'?: (_digger_v1_Reset__Output | null);
  'changes'?: (_digger_v1_Changes__Output | null);
  'synced'?: (_digger_v1_Synced__Output | null);
  'progress'?: (_digger_v1_Progress__Output | null);
  'resumeToken': (Buffer);
  'cluster': (_digger_v1_Cluster__Output | null);
  'frame'?: "reset"|"changes"|"synced"|"progress";
}
