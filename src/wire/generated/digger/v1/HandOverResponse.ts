// Original file: proto/digger/v1/history.proto

import type { HandedFacts as _digger_v1_HandedFacts, HandedFacts__Output as _digger_v1_HandedFacts__Output } from '../../digger/v1/HandedFacts.ts';
import type { HandedObject as _digger_v1_HandedObject, HandedObject__Output as _digger_v1_HandedObject__Output } from '../../digger/v1/HandedObject.ts';
import type { HandedOwner as _digger_v1_HandedOwner, HandedOwner__Output as _digger_v1_HandedOwner__Output } from '../../digger/v1/HandedOwner.ts';

export interface HandOverResponse {
  'facts'?: (_digger_v1_HandedFacts | null);
  'objects'?: (_digger_v1_HandedObject)[];
  'complete'?: (boolean);
  'owners'?: (_digger_v1_HandedOwner)[];
}

export interface HandOverResponse__Output {
  'facts': (_digger_v1_HandedFacts__Output | null);
  'objects': (_digger_v1_HandedObject__Output)[];
  'complete': (boolean);
  'owners': (_digger_v1_HandedOwner__Output)[];
}
