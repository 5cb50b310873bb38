// Original file: proto/digger/v1/entities.proto

import type { ObjectReference as _digger_v1_ObjectReference, ObjectReference__Output as _digger_v1_ObjectReference__Output } from '../../digger/v1/ObjectReference.ts';

export interface Workload {
  'apiVersion'?: (string);
  'kind'?: (string);
  'namespace'?: (string);
  'name'?: (string);
  'uid'?: (string);
  'ownerChain'?: (_digger_v1_ObjectReference)[];
  'incomplete'?: (boolean);
  'labels'?: ({[key: string]: string});
  'annotations'?: ({[key: string]: string});
  'omitted'?: (string)[];
}

export interface Workload__Output {
  'apiVersion': (string);
  'kind': (string);
  'namespace': (string);
  'name': (string);
  'uid': (string);
  'ownerChain': (_digger_v1_ObjectReference__Output)[];
  'incomplete': (boolean);
  'labels': ({[key: string]: string});
  'annotations': ({[key: string]: string});
  'omitted': (string)[];
}
