// Original file: proto/digger/v1/feed.proto

import type { EntityKind as _digger_v1_EntityKind, EntityKind__Output as _digger_v1_EntityKind__Output } from '../../digger/v1/EntityKind.ts';

export interface WatchFilter {
  'kinds'?: (_digger_v1_EntityKind)[];
  'namespaces'?: (string)[];
  'nodeNames'?: (string)[];
  'labels'?: ({[key: string]: string});
  'namespaceSelector'?: (string);
  'labelSelector'?: (string);
}

export interface WatchFilter__Output {
  'kinds': (_digger_v1_EntityKind__Output)[];
  'namespaces': (string)[];
  'nodeNames': (string)[];
  'labels': ({[key: string]: string});
  'namespaceSelector': (string);
  'labelSelector': (string);
}
