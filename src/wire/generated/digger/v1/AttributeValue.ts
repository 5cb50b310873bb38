// Original file: proto/digger/v1/lookup.proto

import type { AttributeValues as _digger_v1_AttributeValues, AttributeValues__Output as _digger_v1_AttributeValues__Output } from '../../digger/v1/AttributeValues.ts';

export interface AttributeValue {
  'stringValue'?: (string);
  'arrayValue'?: (_digger_v1_AttributeValues | null);
  'value'?: "stringValue"|"arrayValue";
}

export interface AttributeValue__Output {
  'stringValue'?: (string);
  'arrayValue'?: (_digger_v1_AttributeValues__Output | null);
  'value'?: "stringValue"|"arrayValue";
}
