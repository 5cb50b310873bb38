// Original file: proto/digger/v1/status.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { GetStatusRequest as _digger_v1_GetStatusRequest, GetStatusRequest__Output as _digger_v1_GetStatusRequest__Output } from '../../digger/v1/GetStatusRequest.ts';
import type { GetStatusResponse as _digger_v1_GetStatusResponse, GetStatusResponse__Output as _digger_v1_GetStatusResponse__Output } from '../../digger/v1/GetStatusResponse.ts';

export interface StatusServiceClient extends grpc.Client {
  GetStatus(argument: _digger_v1_GetStatusRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_digger_v1_GetStatusResponse__Output>): grpc.ClientUnaryCall;
  GetStatus(argument: _digger_v1_GetStatusRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_digger_v1_GetStatusResponse__Output>): grpc.ClientUnaryCall;
  GetStatus(argument: _digger_v1_GetStatusRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_digger_v1_GetStatusResponse__Output>): grpc.ClientUnaryCall;
  GetStatus(argument: _digger_v1_GetStatusRequest, callback: grpc.requestCallback<_digger_v1_GetStatusResponse__Output>): grpc.ClientUnaryCall;
  getStatus(argument: _digger_v1_GetStatusRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_digger_v1_GetStatusResponse__Output>): grpc.ClientUnaryCall;
  getStatus(argument: _digger_v1_GetStatusRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_digger_v1_GetStatusResponse__Output>): grpc.ClientUnaryCall;
  getStatus(argument: _digger_v1_GetStatusRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_digger_v1_GetStatusResponse__Output>): grpc.ClientUnaryCall;
  getStatus(argument: _digger_v1_GetStatusRequest, callback: grpc.requestCallback<_digger_v1_GetStatusResponse__Output>): grpc.ClientUnaryCall;
  
}

export interface StatusServiceHandlers extends grpc.UntypedServiceImplementation {
  GetStatus: grpc.handleUnaryCall<_digger_v1_GetStatusRequest__Output, _digger_v1_GetStatusResponse>;
  
}

export interface StatusServiceDefinition extends grpc.ServiceDefinition {
  GetStatus: MethodDefinition<_digger_v1_GetStatusRequest, _digger_v1_GetStatusResponse, _digger_v1_GetStatusRequest__Output, _digger_v1_GetStatusResponse__Output>
}
