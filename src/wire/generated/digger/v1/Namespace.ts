// Original file: proto/digger/v1/entities.proto

import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../google/protobuf/Timestamp.ts';

export interface Namespace {
  'name'?: (string);
  'uid'?: (string);
  'deletionTime'?: (_google_protobuf_Timestamp | null);
  'labels'?: ({[key: string]: string});
  'annotations'?: ({[key: string]: string});
  'omitted'?: (string)[];
}

export interface Namespace__Output {
  'name': (string);
  'uid': (string);
  'deletionTime': (_google_protobuf_Timestamp__Output | null);
  'labels': ({[key: string]: string});
  'annotations': ({[key: string]: string});
  'omitted': (string)[];
}
