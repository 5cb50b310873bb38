// Original file: proto/digger/v1/lookup.proto

import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../google/protobuf/Timestamp.ts';
import type { Outcome as _digger_v1_Outcome, Outcome__Output as _digger_v1_Outcome__Output } from '../../digger/v1/Outcome.ts';
import type { Candidate as _digger_v1_Candidate, Candidate__Output as _digger_v1_Candidate__Output } from '../../digger/v1/Candidate.ts';

export interface AddressInterval {
  'from'?: (_google_protobuf_Timestamp | null);
  'to'?: (_google_protobuf_Timestamp | null);
  'outcome'?: (_digger_v1_Outcome);
  'holders'?: (_digger_v1_Candidate)[];
  'uncertain'?: (boolean);
}

export interface AddressInterval__Output {
  'from': (_google_protobuf_Timestamp__Output | null);
  'to': (_google_protobuf_Timestamp__Output | null);
  'outcome': (_digger_v1_Outcome__Output);
  'holders': (_digger_v1_Candidate__Output)[];
  'uncertain': (boolean);
}
