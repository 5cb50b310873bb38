// Original file: proto/digger/v1/feed.proto

import type { WatchFilter as _digger_v1_WatchFilter, WatchFilter__Output as _digger_v1_WatchFilter__Output } from '../../digger/v1/WatchFilter.ts';
import type { View as _digger_v1_View, View__Output as _digger_v1_View__Output } from '../../digger/v1/View.ts';
import type { Duration as _google_protobuf_Duration, Duration__Output as _google_protobuf_Duration__Output } from '../../google/protobuf/Duration.ts';
import type { ValueSelection as _digger_v1_ValueSelection, ValueSelection__Output as _digger_v1_ValueSelection__Output } from '../../digger/v1/ValueSelection.ts';

export interface WatchRequest {
  'filter'?: (_digger_v1_WatchFilter | null);
  'view'?: (_digger_v1_View);
  'resumeToken'?: (Buffer | Uint8Array | string);
  'snapshotOnly'?: (boolean);
  'heartbeatInterval'?: (_google_protobuf_Duration | null);
  'timelines'?: (boolean);
  'values'?: (_digger_v1_ValueSelection | null);
  'podNetworks'?: (boolean);
  'hiddenHolders'?: (boolean);
}

export interface WatchRequest__Output {
  'filter': (_digger_v1_WatchFilter__Output | null);
  'view': (_digger_v1_View__Output);
  'resumeToken': (Buffer);
  'snapshotOnly': (boolean);
  'heartbeatInterval': (_google_protobuf_Duration__Output | null);
  'timelines': (boolean);
  'values': (_digger_v1_ValueSelection__Output | null);
  'podNetworks': (boolean);
  'hiddenHolders': (boolean);
}
