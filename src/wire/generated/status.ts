import type * as grpc from '@grpc/grpc-js';
import type { EnumTypeDefinition, MessageTypeDefinition } from '@grpc/proto-loader';

import type { GetStatusRequest as _digger_v1_GetStatusRequest, GetStatusRequest__Output as _digger_v1_GetStatusRequest__Output } from './digger/v1/GetStatusRequest.ts';
import type { GetStatusResponse as _digger_v1_GetStatusResponse, GetStatusResponse__Output as _digger_v1_GetStatusResponse__Output } from './digger/v1/GetStatusResponse.ts';
import type { NamedRangesFile as _digger_v1_NamedRangesFile, NamedRangesFile__Output as _digger_v1_NamedRangesFile__Output } from './digger/v1/NamedRangesFile.ts';
import type { ResourceFreshness as _digger_v1_ResourceFreshness, ResourceFreshness__Output as _digger_v1_ResourceFreshness__Output } from './digger/v1/ResourceFreshness.ts';
import type { ResourceStatus as _digger_v1_ResourceStatus, ResourceStatus__Output as _digger_v1_ResourceStatus__Output } from './digger/v1/ResourceStatus.ts';
import type { StatusServiceClient as _digger_v1_StatusServiceClient, StatusServiceDefinition as _digger_v1_StatusServiceDefinition } from './digger/v1/StatusService.ts';
import type { Duration as _google_protobuf_Duration, Duration__Output as _google_protobuf_Duration__Output } from './google/protobuf/Duration.ts';
import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from './google/protobuf/Timestamp.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  digger: {
    v1: {
      GetStatusRequest: MessageTypeDefinition<_digger_v1_GetStatusRequest, _digger_v1_GetStatusRequest__Output>
      GetStatusResponse: MessageTypeDefinition<_digger_v1_GetStatusResponse, _digger_v1_GetStatusResponse__Output>
      NamedRangesFile: MessageTypeDefinition<_digger_v1_NamedRangesFile, _digger_v1_NamedRangesFile__Output>
      ResourceFreshness: MessageTypeDefinition<_digger_v1_ResourceFreshness, _digger_v1_ResourceFreshness__Output>
      ResourceStatus: MessageTypeDefinition<_digger_v1_ResourceStatus, _digger_v1_ResourceStatus__Output>
      StatusService: SubtypeConstructor<typeof grpc.Client, _digger_v1_StatusServiceClient> & { service: _digger_v1_StatusServiceDefinition }
      WatchState: EnumTypeDefinition
    }
  }
  google: {
    protobuf: {
      Duration: MessageTypeDefinition<_google_protobuf_Duration, _google_protobuf_Duration__Output>
      Timestamp: MessageTypeDefinition<_google_protobuf_Timestamp, _google_protobuf_Timestamp__Output>
    }
  }
}

