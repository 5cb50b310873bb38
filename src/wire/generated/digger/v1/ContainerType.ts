// Original file: proto/digger/v1/entities.proto

export const ContainerType = {
  CONTAINER_TYPE_UNSPECIFIED: 'CONTAINER_TYPE_UNSPECIFIED',
  CONTAINER_TYPE_SIDECAR: 'CONTAINER_TYPE_SIDECAR',
  CONTAINER_TYPE_INIT: 'CONTAINER_TYPE_INIT',
  CONTAINER_TYPE_EPHEMERAL: 'CONTAINER_TYPE_EPHEMERAL',
} as const;

export type ContainerType =
  | 'CONTAINER_TYPE_UNSPECIFIED'
  | 0
  | 'CONTAINER_TYPE_SIDECAR'
  | 1
  | 'CONTAINER_TYPE_INIT'
  | 2
  | 'CONTAINER_TYPE_EPHEMERAL'
  | 3

export type ContainerType__Output = typeof ContainerType[keyof typeof ContainerType]
