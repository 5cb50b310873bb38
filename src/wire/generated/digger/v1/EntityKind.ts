// Original file: proto/digger/v1/entities.proto

export const EntityKind = {
  ENTITY_KIND_UNSPECIFIED: 'ENTITY_KIND_UNSPECIFIED',
  ENTITY_KIND_POD: 'ENTITY_KIND_POD',
  ENTITY_KIND_SERVICE: 'ENTITY_KIND_SERVICE',
  ENTITY_KIND_NODE: 'ENTITY_KIND_NODE',
  ENTITY_KIND_WORKLOAD: 'ENTITY_KIND_WORKLOAD',
  ENTITY_KIND_NAMESPACE: 'ENTITY_KIND_NAMESPACE',
} as const;

export type EntityKind =
  | 'ENTITY_KIND_UNSPECIFIED'
  | 0
  | 'ENTITY_KIND_POD'
  | 1
  | 'ENTITY_KIND_SERVICE'
  | 2
  | 'ENTITY_KIND_NODE'
  | 3
  | 'ENTITY_KIND_WORKLOAD'
  | 4
  | 'ENTITY_KIND_NAMESPACE'
  | 5

export type EntityKind__Output = typeof EntityKind[keyof typeof EntityKind]
