// Original file: proto/digger/v1/lookup.proto

export const Outcome = {
  OUTCOME_UNSPECIFIED: 'OUTCOME_UNSPECIFIED',
  OUTCOME_RESOLVED: 'OUTCOME_RESOLVED',
  OUTCOME_AMBIGUOUS: 'OUTCOME_AMBIGUOUS',
  OUTCOME_UNASSIGNED: 'OUTCOME_UNASSIGNED',
  OUTCOME_EXTERNAL: 'OUTCOME_EXTERNAL',
  OUTCOME_UNKNOWN: 'OUTCOME_UNKNOWN',
} as const;

export type Outcome =
  | 'OUTCOME_UNSPECIFIED'
  | 0
  | 'OUTCOME_RESOLVED'
  | 1
  | 'OUTCOME_AMBIGUOUS'
  | 2
  | 'OUTCOME_UNASSIGNED'
  | 3
  | 'OUTCOME_EXTERNAL'
  | 4
  | 'OUTCOME_UNKNOWN'
  | 5

export type Outcome__Output = typeof Outcome[keyof typeof Outcome]
