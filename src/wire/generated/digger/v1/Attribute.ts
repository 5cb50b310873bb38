// Original file: proto/digger/v1/lookup.proto

import type { AttributeValue as _digger_v1_AttributeValue, AttributeValue__Output as _digger_v1_AttributeValue__Output } from '../../digger/v1/AttributeValue.ts';

export interface Attribute {
  'key'?: (string);
  'value'?: (_digger_v1_AttributeValue | null);
}

export interface Attribute__Output {
  'key': (string);
  'value': (_digger_v1_AttributeValue__Output | null);
}
