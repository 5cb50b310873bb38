// Original file: proto/digger/v1/feed.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { WatchRequest as _digger_v1_WatchRequest, WatchRequest__Output as _digger_v1_WatchRequest__Output } from '../../digger/v1/WatchRequest.ts';
import type { WatchResponse as _digger_v1_WatchResponse, WatchResponse__Output as _digger_v1_WatchResponse__Output } from '../../digger/v1/WatchResponse.ts';

export interface ChangeFeedServiceClient extends grpc.Client {
  Watch(argument: _digger_v1_WatchRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_digger_v1_WatchResponse__Output>;
  Watch(argument: _digger_v1_WatchRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_digger_v1_WatchResponse__Output>;
  watch(argument: _digger_v1_WatchRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_digger_v1_WatchResponse__Output>;
  watch(argument: _digger_v1_WatchRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_digger_v1_WatchResponse__Output>;
  
}

export interface ChangeFeedServiceHandlers extends grpc.UntypedServiceImplementation {
  Watch: grpc.handleServerStreamingCall<_digger_v1_WatchRequest__Output, _digger_v1_WatchResponse>;
  
}

export interface ChangeFeedServiceDefinition extends grpc.ServiceDefinition {
  Watch: MethodDefinition<_digger_v1_WatchRequest, _digger_v1_WatchResponse, _digger_v1_WatchRequest__Output, _digger_v1_WatchResponse__Output>
}
