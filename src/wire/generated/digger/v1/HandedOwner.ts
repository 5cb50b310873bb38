// Original file: proto/digger/v1/history.proto

import type { HandedController as _digger_v1_HandedController, HandedController__Output as _digger_v1_HandedController__Output } from '../../digger/v1/HandedController.ts';
import type { Long } from '@grpc/proto-loader';

export interface HandedOwner {
  'apiVersion'?: (string);
  'kind'?: (string);
  'namespace'?: (string);
  'name'?: (string);
  'uid'?: (string);
  'controller'?: (_digger_v1_HandedController | null);
  'goneMs'?: (number | string | Long);
  '_goneMs'?: "goneMs";
}

export interface HandedOwner__Output {
  'apiVersion': (string);
  'kind': (string);
  'namespace': (string);
  'name': (string);
  'uid': (string);
  'controller': (_digger_v1_HandedController__Output | null);
  'goneMs'?: (number);
  '_goneMs'?: "goneMs";
}
