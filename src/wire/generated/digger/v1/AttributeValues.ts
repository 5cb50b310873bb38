// Original file: proto/digger/v1/lookup.proto

import type { AttributeValue as _digger_v1_AttributeValue, AttributeValue__Output as _digger_v1_AttributeValue__Output } from '../../digger/v1/AttributeValue.ts';

export interface AttributeValues {
  'values'?: (_digger_v1_AttributeValue)[];
}

export interface AttributeValues__Output {
  'values': (_digger_v1_AttributeValue__Output)[];
}
