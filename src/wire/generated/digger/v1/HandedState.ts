// Original file: proto/digger/v1/history.proto

import type { EntityKind as _digger_v1_EntityKind, EntityKind__Output as _digger_v1_EntityKind__Output } from '../../digger/v1/EntityKind.ts';
import type { ObjectReference as _digger_v1_ObjectReference, ObjectReference__Output as _digger_v1_ObjectReference__Output } from '../../digger/v1/ObjectReference.ts';
import type { Long } from '@grpc/proto-loader';

export interface HandedState {
  'kind'?: (_digger_v1_EntityKind);
  'namespace'?: (string);
  'name'?: (string);
  'creationMs'?: (number | string | Long);
  'nodeName'?: (string);
  'hostNetwork'?: (boolean);
  'terminal'?: (boolean);
  'deletionMs'?: (number | string | Long);
  'ownerChain'?: (_digger_v1_ObjectReference)[];
  'workloads'?: (_digger_v1_ObjectReference)[];
  'own'?: (Buffer | Uint8Array | string);
  'joined'?: (Buffer | Uint8Array | string);
  'place'?: (Buffer | Uint8Array | string);
  'values'?: (Buffer | Uint8Array | string);
  'rest'?: (Buffer | Uint8Array | string);
  'hidden'?: (boolean);
  '_creationMs'?: "creationMs";
  '_deletionMs'?: "deletionMs";
}

export interface HandedState__Output {
  'kind': (_digger_v1_EntityKind__Output);
  'namespace': (string);
  'name': (string);
  'creationMs'?: (number);
  'nodeName': (string);
  'hostNetwork': (boolean);
  'terminal': (boolean);
  'deletionMs'?: (number);
  'ownerChain': (_digger_v1_ObjectReference__Output)[];
  'workloads': (_digger_v1_ObjectReference__Output)[];
  'own': (Buffer);
  'joined': (Buffer);
  'place': (Buffer);
  'values': (Buffer);
  'rest': (Buffer);
  'hidden': (boolean);
  '_creationMs'?: "creationMs";
  '_deletionMs'?: "deletionMs";
}
