// Original file: proto/digger/v1/lookup.proto

import type { Node as _digger_v1_Node, Node__Output as _digger_v1_Node__Output } from '../../digger/v1/Node.ts';
import type { Duration as _google_protobuf_Duration, Duration__Output as _google_protobuf_Duration__Output } from '../../google/protobuf/Duration.ts';

export interface GetNodeResponse {
  'node'?: (_digger_v1_Node | null);
  'staleness'?: (_google_protobuf_Duration | null);
}

export interface GetNodeResponse__Output {
  'node': (_digger_v1_Node__Output | null);
  'staleness': (_google_protobuf_Duration__Output | null);
}
