// Original file: proto/digger/v1/feed.proto

import type { Entity as _digger_v1_Entity, Entity__Output as _digger_v1_Entity__Output } from '../../digger/v1/Entity.ts';
import type { Removal as _digger_v1_Removal, Removal__Output as _digger_v1_Removal__Output } from '../../digger/v1/Removal.ts';
import type { AddressTimeline as _digger_v1_AddressTimeline, AddressTimeline__Output as _digger_v1_AddressTimeline__Output } from '../../digger/v1/AddressTimeline.ts';
import type { AddressFacts as _digger_v1_AddressFacts, AddressFacts__Output as _digger_v1_AddressFacts__Output } from '../../digger/v1/AddressFacts.ts';
import type { Forgotten as _digger_v1_Forgotten, Forgotten__Output as _digger_v1_Forgotten__Output } from '../../digger/v1/Forgotten.ts';

export interface Change {
  'upsert'?: (_digger_v1_Entity | null);
  'removal'?: (_digger_v1_Removal | null);
  'timeline'?: (_digger_v1_AddressTimeline | null);
  'facts'?: (_digger_v1_AddressFacts | null);
  'former'?: (_digger_v1_Entity | null);
  'forgotten'?: (_digger_v1_Forgotten | null);
  'change'?: "upsert"|"removal"|"timeline"|"facts"|"former"|"forgotten";
}

export interface Change__Output {
  'upsert'?: (_digger_v1_Entity__Output | null);
  'removal'?: (_digger_v1_Removal__Output | null);
  'timeline'?: (_digger_v1_AddressTimeline__Output | null);
  'facts'?: (_digger_v1_AddressFacts__Output | null);
  'former'?: (_digger_v1_Entity__Output | null);
  'forgotten'?: (_digger_v1_Forgotten__Output | null);
  'change'?: "upsert"|"removal"|"timeline"|"facts"|"former"|"forgotten";
}
