// Original file: proto/digger/v1/feed.proto

import type { Entity as _digger_v1_Entity, Entity__Output as _digger_v1_Entity__Output } from '../../digger/v1/Entity.ts';
import type { Removal as _digger_v1_Removal, Removal__Output as _digger_v1_Removal__Output } from '../../digger/v1/Removal.ts';

export interface Change {
  'upsert'?: (_digger_v1_Entity | null);
  'removal'?: (_digger_v1_Removal | null);
  'change'?: "upsert"|"removal";
}

export interface Change__Output {
  'upsert'?: (_digger_v1_Entity__Output | null);
  'removal'?: (_digger_v1_Removal__Output | null);
  'change'?: "upsert"|"removal";
}
