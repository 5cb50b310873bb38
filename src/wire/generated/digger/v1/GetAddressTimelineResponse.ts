// Original file: proto/digger/v1/lookup.proto

import type { AddressInterval as _digger_v1_AddressInterval, AddressInterval__Output as _digger_v1_AddressInterval__Output } from '../../digger/v1/AddressInterval.ts';
import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../google/protobuf/Timestamp.ts';
import type { Duration as _google_protobuf_Duration, Duration__Output as _google_protobuf_Duration__Output } from '../../google/protobuf/Duration.ts';

export interface GetAddressTimelineResponse {
  'address'?: (string);
  'intervals'?: (_digger_v1_AddressInterval)[];
  'historySince'?: (_google_protobuf_Timestamp | null);
  'staleness'?: (_google_protobuf_Duration | null);
  'podNetwork'?: (string);
}

export interface GetAddressTimelineResponse__Output {
  'address': (string);
  'intervals': (_digger_v1_AddressInterval__Output)[];
  'historySince': (_google_protobuf_Timestamp__Output | null);
  'staleness': (_google_protobuf_Duration__Output | null);
  'podNetwork': (string);
}
