// Original file: proto/digger/v1/status.proto

import type { Long } from '@grpc/proto-loader';

export interface LoadBalancerNames {
  'names'?: (number | string | Long);
  'addresses'?: (number | string | Long);
  'failing'?: (number | string | Long);
  'leftOut'?: (number | string | Long);
  'message'?: (string);
}

export interface LoadBalancerNames__Output {
  'names': (number);
  'addresses': (number);
  'failing': (number);
  'leftOut': (number);
  'message': (string);
}
