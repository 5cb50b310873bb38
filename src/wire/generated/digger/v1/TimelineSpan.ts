// Original file: proto/digger/v1/timeline.proto

import type { Long } from '@grpc/proto-loader';

export interface TimelineSpan {
  'fromMs'?: (number | string | Long);
  'toMs'?: (number | string | Long);
  'holders'?: (number)[];
  'atEdge'?: (number)[];
  'uncertain'?: (number)[];
  'nearMs'?: (number | string | Long);
  'presumed'?: (boolean);
  'unknownNode'?: (boolean);
  'more'?: (boolean);
  '_toMs'?: "toMs";
  '_nearMs'?: "nearMs";
}

export interface TimelineSpan__Output {
  'fromMs': (number);
  'toMs'?: (number);
  'holders': (number)[];
  'atEdge': (number)[];
  'uncertain': (number)[];
  'nearMs'?: (number);
  'presumed': (boolean);
  'unknownNode': (boolean);
  'more': (boolean);
  '_toMs'?: "toMs";
  '_nearMs'?: "nearMs";
}
