// Original file: proto/digger/v1/entities.proto

export const View = {
  VIEW_UNSPECIFIED: 'VIEW_UNSPECIFIED',
  VIEW_BASIC: 'VIEW_BASIC',
  VIEW_FULL: 'VIEW_FULL',
} as const;

export type View =
  | 'VIEW_UNSPECIFIED'
  | 0
  | 'VIEW_BASIC'
  | 1
  | 'VIEW_FULL'
  | 2

export type View__Output = typeof View[keyof typeof View]
