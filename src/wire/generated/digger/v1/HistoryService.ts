// Original file: proto/digger/v1/history.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { HandOverRequest as _digger_v1_HandOverRequest, HandOverRequest__Output as _digger_v1_HandOverRequest__Output } from '../../digger/v1/HandOverRequest.ts';
import type { HandOverResponse as _digger_v1_HandOverResponse, HandOverResponse__Output as _digger_v1_HandOverResponse__Output } from '../../digger/v1/HandOverResponse.ts';

export interface HistoryServiceClient extends grpc.Client {
  HandOver(argument: _digger_v1_HandOverRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_digger_v1_HandOverResponse__Output>;
  HandOver(argument: _digger_v1_HandOverRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_digger_v1_HandOverResponse__Output>;
  handOver(argument: _digger_v1_HandOverRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_digger_v1_HandOverResponse__Output>;
  handOver(argument: _digger_v1_HandOverRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_digger_v1_HandOverResponse__Output>;
  
}

export interface HistoryServiceHandlers extends grpc.UntypedServiceImplementation {
  HandOver: grpc.handleServerStreamingCall<_digger_v1_HandOverRequest__Output, _digger_v1_HandOverResponse>;
  
}

export interface HistoryServiceDefinition extends grpc.ServiceDefinition {
  HandOver: MethodDefinition<_digger_v1_HandOverRequest, _digger_v1_HandOverResponse, _digger_v1_HandOverRequest__Output, _digger_v1_HandOverResponse__Output>
}
