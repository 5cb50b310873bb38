// Original file: proto/digger/v1/timeline.proto

import type { EntityKind as _digger_v1_EntityKind, EntityKind__Output as _digger_v1_EntityKind__Output } from '../../digger/v1/EntityKind.ts';
import type { AddressRole as _digger_v1_AddressRole, AddressRole__Output as _digger_v1_AddressRole__Output } from '../../digger/v1/AddressRole.ts';
import type { ObjectReference as _digger_v1_ObjectReference, ObjectReference__Output as _digger_v1_ObjectReference__Output } from '../../digger/v1/ObjectReference.ts';
import type { PortRange as _digger_v1_PortRange, PortRange__Output as _digger_v1_PortRange__Output } from '../../digger/v1/PortRange.ts';
import type { Long } from '@grpc/proto-loader';

export interface TimelineHolder {
  'kind'?: (_digger_v1_EntityKind);
  'namespace'?: (string);
  'name'?: (string);
  'uid'?: (string);
  'role'?: (_digger_v1_AddressRole);
  'validFromMs'?: (number | string | Long);
  'validToMs'?: (number | string | Long);
  'doubtedFromMs'?: (number | string | Long);
  'workload'?: (_digger_v1_ObjectReference | null);
  'startedMs'?: (number | string | Long);
  'seenMs'?: (number | string | Long);
  'createdMs'?: (number | string | Long);
  'ports'?: (_digger_v1_PortRange)[];
  'portsInexact'?: (boolean);
  'hidden'?: (boolean);
  '_validToMs'?: "validToMs";
  '_doubtedFromMs'?: "doubtedFromMs";
}

export interface TimelineHolder__Output {
  'kind': (_digger_v1_EntityKind__Output);
  'namespace': (string);
  'name': (string);
  'uid': (string);
  'role': (_digger_v1_AddressRole__Output);
  'validFromMs': (number);
  'validToMs'?: (number);
  'doubtedFromMs'?: (number);
  'workload': (_digger_v1_ObjectReference__Output | null);
  'startedMs': (number);
  'seenMs': (number);
  'createdMs': (number);
  'ports': (_digger_v1_PortRange__Output)[];
  'portsInexact': (boolean);
  'hidden': (boolean);
  '_validToMs'?: "validToMs";
  '_doubtedFromMs'?: "doubtedFromMs";
}
