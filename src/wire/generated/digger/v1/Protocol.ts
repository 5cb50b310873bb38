// Original file: proto/digger/v1/entities.proto

export const Protocol = {
  PROTOCOL_UNSPECIFIED: 'PROTOCOL_UNSPECIFIED',
  PROTOCOL_TCP: 'PROTOCOL_TCP',
  PROTOCOL_UDP: 'PROTOCOL_UDP',
  PROTOCOL_SCTP: 'PROTOCOL_SCTP',
} as const;

export type Protocol =
  | 'PROTOCOL_UNSPECIFIED'
  | 0
  | 'PROTOCOL_TCP'
  | 1
  | 'PROTOCOL_UDP'
  | 2
  | 'PROTOCOL_SCTP'
  | 3

export type Protocol__Output = typeof Protocol[keyof typeof Protocol]
