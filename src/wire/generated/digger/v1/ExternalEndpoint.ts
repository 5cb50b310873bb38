// Original file: proto/digger/v1/entities.proto

import type { ObjectReference as _digger_v1_ObjectReference, ObjectReference__Output as _digger_v1_ObjectReference__Output } from '../../digger/v1/ObjectReference.ts';

export interface ExternalEndpoint {
  'address'?: (string);
  'service'?: (_digger_v1_ObjectReference | null);
}

export interface ExternalEndpoint__Output {
  'address': (string);
  'service': (_digger_v1_ObjectReference__Output | null);
}
