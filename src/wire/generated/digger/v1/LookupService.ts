// Original file: proto/digger/v1/lookup.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { BatchResolveAddressesRequest as _digger_v1_BatchResolveAddressesRequest, BatchResolveAddressesRequest__Output as _digger_v1_BatchResolveAddressesRequest__Output } from '../../digger/v1/BatchResolveAddressesRequest.ts';
import type { BatchResolveAddressesResponse as _digger_v1_BatchResolveAddressesResponse, BatchResolveAddressesResponse__Output as _digger_v1_BatchResolveAddressesResponse__Output } from '../../digger/v1/BatchResolveAddressesResponse.ts';
import type { BatchResolveContainersRequest as _digger_v1_BatchResolveContainersRequest, BatchResolveContainersRequest__Output as _digger_v1_BatchResolveContainersRequest__Output } from '../../digger/v1/BatchResolveContainersRequest.ts';
import type { BatchResolveContainersResponse as _digger_v1_BatchResolveContainersResponse, BatchResolveContainersResponse__Output as _digger_v1_BatchResolveContainersResponse__Output } from '../../digger/v1/BatchResolveContainersResponse.ts';
import type { GetAddressTimelineRequest as _digger_v1_GetAddressTimelineRequest, GetAddressTimelineRequest__Output as _digger_v1_GetAddressTimelineRequest__Output } from '../../digger/v1/GetAddressTimelineRequest.ts';
import type { GetAddressTimelineResponse as _digger_v1_GetAddressTimelineResponse, GetAddressTimelineResponse__Output as _digger_v1_GetAddressTimelineResponse__Output } from '../../digger/v1/GetAddressTimelineResponse.ts';
import type { GetNamespaceRequest as _digger_v1_GetNamespaceRequest, GetNamespaceRequest__Output as _digger_v1_GetNamespaceRequest__Output } from '../../digger/v1/GetNamespaceRequest.ts';
import type { GetNamespaceResponse as _digger_v1_GetNamespaceResponse, GetNamespaceResponse__Output as _digger_v1_GetNamespaceResponse__Output } from '../../digger/v1/GetNamespaceResponse.ts';
import type { GetNodeRequest as _digger_v1_GetNodeRequest, GetNodeRequest__Output as _digger_v1_GetNodeRequest__Output } from '../../digger/v1/GetNodeRequest.ts';
import type { GetNodeResponse as _digger_v1_GetNodeResponse, GetNodeResponse__Output as _digger_v1_GetNodeResponse__Output } from '../../digger/v1/GetNodeResponse.ts';
import type { GetPodRequest as _digger_v1_GetPodRequest, GetPodRequest__Output as _digger_v1_GetPodRequest__Output } from '../../digger/v1/GetPodRequest.ts';
import type { GetPodResponse as _digger_v1_GetPodResponse, GetPodResponse__Output as _digger_v1_GetPodResponse__Output } from '../../digger/v1/GetPodResponse.ts';
import type { GetServiceRequest as _digger_v1_GetServiceRequest, GetServiceRequest__Output as _digger_v1_GetServiceRequest__Output } from '../../digger/v1/GetServiceRequest.ts';
import type { GetServiceResponse as _digger_v1_GetServiceResponse, GetServiceResponse__Output as _digger_v1_GetServiceResponse__Output } from '../../digger/v1/GetServiceResponse.ts';
import type { GetWorkloadRequest as _digger_v1_GetWorkloadRequest, GetWorkloadRequest__Output as _digger_v1_GetWorkloadRequest__Output } from '../../digger/v1/GetWorkloadRequest.ts';
import type { GetWorkloadResponse as _digger_v1_GetWorkloadResponse, GetWorkloadResponse__Output as _digger_v1_GetWorkloadResponse__Output } from '../../digger/v1/GetWorkloadResponse.ts';
import type { ResolveAddressRequest as _digger_v1_ResolveAddressRequest, ResolveAddressRequest__Output as _digger_v1_ResolveAddressRequest__Output } from '../../digger/v1/ResolveAddressRequest.ts';
import type { ResolveAddressResponse as _digger_v1_ResolveAddressResponse, ResolveAddressResponse__Output as _digger_v1_ResolveAddressResponse__Output } from '../../digger/v1/ResolveAddressResponse.ts';
import type { ResolveContainerRequest as _digger_v1_ResolveContainerRequest, ResolveContainerRequest__Output as _digger_v1_ResolveContainerRequest__Output } from '../../digger/v1/ResolveContainerRequest.ts';
import type { ResolveContainerResponse as _digger_v1_ResolveContainerResponse, ResolveContainerResponse__Output as _digger_v1_ResolveContainerResponse__Output } from '../../digger/v1/ResolveContainerResponse.ts';

export interface LookupServiceClient extends grpc.Client {
  BatchResolveAddresses(argument: _digger_v1_BatchResolveAddressesRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_digger_v1_BatchResolveAddressesResponse__Output>): grpc.ClientUnaryCall;
  BatchResolveAddresses(argument: _digger_v1_BatchResolveAddressesRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_digger_v1_BatchResolveAddressesResponse__Output>): grpc.ClientUnaryCall;
  BatchResolveAddresses(argument: _digger_v1_BatchResolveAddressesRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_digger_v1_BatchResolveAddressesResponse__Output>): grpc.ClientUnaryCall;
  BatchResolveAddresses(argument: _digger_v1_BatchResolveAddressesRequest, callback: grpc.requestCallback<_digger_v1_BatchResolveAddressesResponse__Output>): grpc.ClientUnaryCall;
  batchResolveAddresses(argument: _digger_v1_BatchResolveAddressesRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_digger_v1_BatchResolveAddressesResponse__Output>): grpc.ClientUnaryCall;
  batchResolveAddresses(argument: _digger_v1_BatchResolveAddressesRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_digger_v1_BatchResolveAddressesResponse__Output>): grpc.ClientUnaryCall;
  batchResolveAddresses(argument: _digger_v1_BatchResolveAddressesRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_digger_v1_BatchResolveAddressesResponse__Output>): grpc.ClientUnaryCall;
  batchResolveAddresses(argument: _digger_v1_BatchResolveAddressesRequest, callback: grpc.requestCallback<_digger_v1_BatchResolveAddressesResponse__Output>): grpc.ClientUnaryCall;
  
  BatchResolveContainers(argument: _digger_v1_BatchResolveContainersRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_digger_v1_BatchResolveContainersResponse__Output>): grpc.ClientUnaryCall;
  BatchResolveContainers(argument: _digger_v1_BatchResolveContainersRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_digger_v1_BatchResolveContainersResponse__Output>): grpc.ClientUnaryCall;
  BatchResolveContainers(argument: _digger_v1_BatchResolveContainersRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_digger_v1_BatchResolveContainersResponse__Output>): grpc.ClientUnaryCall;
  BatchResolveContainers(argument: _digger_v1_BatchResolveContainersRequest, callback: grpc.requestCallback<_digger_v1_BatchResolveContainersResponse__Output>): grpc.ClientUnaryCall;
  batchResolveContainers(argument: _digger_v1_BatchResolveContainersRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_digger_v1_BatchResolveContainersResponse__Output>): grpc.ClientUnaryCall;
  batchResolveContainers(argument: _digger_v1_BatchResolveContainersRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_digger_v1_BatchResolveContainersResponse__Output>): grpc.ClientUnaryCall;
  batchResolveContainers(argument: _digger_v1_BatchResolveContainersRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_digger_v1_BatchResolveContainersResponse__Output>): grpc.ClientUnaryCall;
  batchResolveContainers(argument: _digger_v1_BatchResolveContainersRequest, callback: grpc.requestCallback<_digger_v1_BatchResolveContainersResponse__Output>): grpc.ClientUnaryCall;
  
  GetAddressTimeline(argument: _digger_v1_GetAddressTimelineRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_digger_v1_GetAddressTimelineResponse__Output>): grpc.ClientUnaryCall;
  GetAddressTimeline(argument: _digger_v1_GetAddressTimelineRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_digger_v1_GetAddressTimelineResponse__Output>): grpc.ClientUnaryCall;
  GetAddressTimeline(argument: _digger_v1_GetAddressTimelineRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_digger_v1_GetAddressTimelineResponse__Output>): grpc.ClientUnaryCall;
  GetAddressTimeline(argument: _digger_v1_GetAddressTimelineRequest, callback: grpc.requestCallback<_digger_v1_GetAddressTimelineResponse__Output>): grpc.ClientUnaryCall;
  getAddressTimeline(argument: _digger_v1_GetAddressTimelineRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_digger_v1_GetAddressTimelineResponse__Output>): grpc.ClientUnaryCall;
  getAddressTimeline(argument: _digger_v1_GetAddressTimelineRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_digger_v1_GetAddressTimelineResponse__Output>): grpc.ClientUnaryCall;
  getAddressTimeline(argument: _digger_v1_GetAddressTimelineRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_digger_v1_GetAddressTimelineResponse__Output>): grpc.ClientUnaryCall;
  getAddressTimeline(argument: _digger_v1_GetAddressTimelineRequest, callback: grpc.requestCallback<_digger_v1_GetAddressTimelineResponse__Output>): grpc.ClientUnaryCall;
  
  GetNamespace(argument: _digger_v1_GetNamespaceRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_digger_v1_GetNamespaceResponse__Output>): grpc.ClientUnaryCall;
  GetNamespace(argument: _digger_v1_GetNamespaceRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_digger_v1_GetNamespaceResponse__Output>): grpc.ClientUnaryCall;
  GetNamespace(argument: _digger_v1_GetNamespaceRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_digger_v1_GetNamespaceResponse__Output>): grpc.ClientUnaryCall;
  GetNamespace(argument: _digger_v1_GetNamespaceRequest, callback: grpc.requestCallback<_digger_v1_GetNamespaceResponse__Output>): grpc.ClientUnaryCall;
  getNamespace(argument: _digger_v1_GetNamespaceRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_digger_v1_GetNamespaceResponse__Output>): grpc.ClientUnaryCall;
  getNamespace(argument: _digger_v1_GetNamespaceRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_digger_v1_GetNamespaceResponse__Output>): grpc.ClientUnaryCall;
  getNamespace(argument: _digger_v1_GetNamespaceRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_digger_v1_GetNamespaceResponse__Output>): grpc.ClientUnaryCall;
  getNamespace(argument: _digger_v1_GetNamespaceRequest, callback: grpc.requestCallback<_digger_v1_GetNamespaceResponse__Output>): grpc.ClientUnaryCall;
  
  GetNode(argument: _digger_v1_GetNodeRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_digger_v1_GetNodeResponse__Output>): grpc.ClientUnaryCall;
  GetNode(argument: _digger_v1_GetNodeRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_digger_v1_GetNodeResponse__Output>): grpc.ClientUnaryCall;
  GetNode(argument: _digger_v1_GetNodeRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_digger_v1_GetNodeResponse__Output>): grpc.ClientUnaryCall;
  GetNode(argument: _digger_v1_GetNodeRequest, callback: grpc.requestCallback<_digger_v1_GetNodeResponse__Output>): grpc.ClientUnaryCall;
  getNode(argument: _digger_v1_GetNodeRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_digger_v1_GetNodeResponse__Output>): grpc.ClientUnaryCall;
  getNode(argument: _digger_v1_GetNodeRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_digger_v1_GetNodeResponse__Output>): grpc.ClientUnaryCall;
  getNode(argument: _digger_v1_GetNodeRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_digger_v1_GetNodeResponse__Output>): grpc.ClientUnaryCall;
  getNode(argument: _digger_v1_GetNodeRequest, callback: grpc.requestCallback<_digger_v1_GetNodeResponse__Output>): grpc.ClientUnaryCall;
  
  GetPod(argument: _digger_v1_GetPodRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_digger_v1_GetPodResponse__Output>): grpc.ClientUnaryCall;
  GetPod(argument: _digger_v1_GetPodRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_digger_v1_GetPodResponse__Output>): grpc.ClientUnaryCall;
  GetPod(argument: _digger_v1_GetPodRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_digger_v1_GetPodResponse__Output>): grpc.ClientUnaryCall;
  GetPod(argument: _digger_v1_GetPodRequest, callback: grpc.requestCallback<_digger_v1_GetPodResponse__Output>): grpc.ClientUnaryCall;
  getPod(argument: _digger_v1_GetPodRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_digger_v1_GetPodResponse__Output>): grpc.ClientUnaryCall;
  getPod(argument: _digger_v1_GetPodRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_digger_v1_GetPodResponse__Output>): grpc.ClientUnaryCall;
  getPod(argument: _digger_v1_GetPodRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_digger_v1_GetPodResponse__Output>): grpc.ClientUnaryCall;
  getPod(argument: _digger_v1_GetPodRequest, callback: grpc.requestCallback<_digger_v1_GetPodResponse__Output>): grpc.ClientUnaryCall;
  
  GetService(argument: _digger_v1_GetServiceRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_digger_v1_GetServiceResponse__Output>): grpc.ClientUnaryCall;
  GetService(argument: _digger_v1_GetServiceRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_digger_v1_GetServiceResponse__Output>): grpc.ClientUnaryCall;
  GetService(argument: _digger_v1_GetServiceRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_digger_v1_GetServiceResponse__Output>): grpc.ClientUnaryCall;
  GetService(argument: _digger_v1_GetServiceRequest, callback: grpc.requestCallback<_digger_v1_GetServiceResponse__Output>): grpc.ClientUnaryCall;
  getService(argument: _digger_v1_GetServiceRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_digger_v1_GetServiceResponse__Output>): grpc.ClientUnaryCall;
  getService(argument: _digger_v1_GetServiceRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_digger_v1_GetServiceResponse__Output>): grpc.ClientUnaryCall;
  getService(argument: _digger_v1_GetServiceRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_digger_v1_GetServiceResponse__Output>): grpc.ClientUnaryCall;
  getService(argument: _digger_v1_GetServiceRequest, callback: grpc.requestCallback<_digger_v1_GetServiceResponse__Output>): grpc.ClientUnaryCall;
  
  GetWorkload(argument: _digger_v1_GetWorkloadRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_digger_v1_GetWorkloadResponse__Output>): grpc.ClientUnaryCall;
  GetWorkload(argument: _digger_v1_GetWorkloadRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_digger_v1_GetWorkloadResponse__Output>): grpc.ClientUnaryCall;
  GetWorkload(argument: _digger_v1_GetWorkloadRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_digger_v1_GetWorkloadResponse__Output>): grpc.ClientUnaryCall;
  GetWorkload(argument: _digger_v1_GetWorkloadRequest, callback: grpc.requestCallback<_digger_v1_GetWorkloadResponse__Output>): grpc.ClientUnaryCall;
  getWorkload(argument: _digger_v1_GetWorkloadRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_digger_v1_GetWorkloadResponse__Output>): grpc.ClientUnaryCall;
  getWorkload(argument: _digger_v1_GetWorkloadRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_digger_v1_GetWorkloadResponse__Output>): grpc.ClientUnaryCall;
  getWorkload(argument: _digger_v1_GetWorkloadRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_digger_v1_GetWorkloadResponse__Output>): grpc.ClientUnaryCall;
  getWorkload(argument: _digger_v1_GetWorkloadRequest, callback: grpc.requestCallback<_digger_v1_GetWorkloadResponse__Output>): grpc.ClientUnaryCall;
  
  ResolveAddress(argument: _digger_v1_ResolveAddressRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_digger_v1_ResolveAddressResponse__Output>): grpc.ClientUnaryCall;
  ResolveAddress(argument: _digger_v1_ResolveAddressRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_digger_v1_ResolveAddressResponse__Output>): grpc.ClientUnaryCall;
  ResolveAddress(argument: _digger_v1_ResolveAddressRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_digger_v1_ResolveAddressResponse__Output>): grpc.ClientUnaryCall;
  ResolveAddress(argument: _digger_v1_ResolveAddressRequest, callback: grpc.requestCallback<_digger_v1_ResolveAddressResponse__Output>): grpc.ClientUnaryCall;
  resolveAddress(argument: _digger_v1_ResolveAddressRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_digger_v1_ResolveAddressResponse__Output>): grpc.ClientUnaryCall;
  resolveAddress(argument: _digger_v1_ResolveAddressRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_digger_v1_ResolveAddressResponse__Output>): grpc.ClientUnaryCall;
  resolveAddress(argument: _digger_v1_ResolveAddressRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_digger_v1_ResolveAddressResponse__Output>): grpc.ClientUnaryCall;
  resolveAddress(argument: _digger_v1_ResolveAddressRequest, callback: grpc.requestCallback<_digger_v1_ResolveAddressResponse__Output>): grpc.ClientUnaryCall;
  
  ResolveContainer(argument: _digger_v1_ResolveContainerRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_digger_v1_ResolveContainerResponse__Output>): grpc.ClientUnaryCall;
  ResolveContainer(argument: _digger_v1_ResolveContainerRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_digger_v1_ResolveContainerResponse__Output>): grpc.ClientUnaryCall;
  ResolveContainer(argument: _digger_v1_ResolveContainerRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_digger_v1_ResolveContainerResponse__Output>): grpc.ClientUnaryCall;
  ResolveContainer(argument: _digger_v1_ResolveContainerRequest, callback: grpc.requestCallback<_digger_v1_ResolveContainerResponse__Output>): grpc.ClientUnaryCall;
  resolveContainer(argument: _digger_v1_ResolveContainerRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_digger_v1_ResolveContainerResponse__Output>): grpc.ClientUnaryCall;
  resolveContainer(argument: _digger_v1_ResolveContainerRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_digger_v1_ResolveContainerResponse__Output>): grpc.ClientUnaryCall;
  resolveContainer(argument: _digger_v1_ResolveContainerRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_digger_v1_ResolveContainerResponse__Output>): grpc.ClientUnaryCall;
  resolveContainer(argument: _digger_v1_ResolveContainerRequest, callback: grpc.requestCallback<_digger_v1_ResolveContainerResponse__Output>): grpc.ClientUnaryCall;
  
}

export interface LookupServiceHandlers extends grpc.UntypedServiceImplementation {
  BatchResolveAddresses: grpc.handleUnaryCall<_digger_v1_BatchResolveAddressesRequest__Output, _digger_v1_BatchResolveAddressesResponse>;
  
  BatchResolveContainers: grpc.handleUnaryCall<_digger_v1_BatchResolveContainersRequest__Output, _digger_v1_BatchResolveContainersResponse>;
  
  GetAddressTimeline: grpc.handleUnaryCall<_digger_v1_GetAddressTimelineRequest__Output, _digger_v1_GetAddressTimelineResponse>;
  
  GetNamespace: grpc.handleUnaryCall<_digger_v1_GetNamespaceRequest__Output, _digger_v1_GetNamespaceResponse>;
  
  GetNode: grpc.handleUnaryCall<_digger_v1_GetNodeRequest__Output, _digger_v1_GetNodeResponse>;
  
  GetPod: grpc.handleUnaryCall<_digger_v1_GetPodRequest__Output, _digger_v1_GetPodResponse>;
  
  GetService: grpc.handleUnaryCall<_digger_v1_GetServiceRequest__Output, _digger_v1_GetServiceResponse>;
  
  GetWorkload: grpc.handleUnaryCall<_digger_v1_GetWorkloadRequest__Output, _digger_v1_GetWorkloadResponse>;
  
  ResolveAddress: grpc.handleUnaryCall<_digger_v1_ResolveAddressRequest__Output, _digger_v1_ResolveAddressResponse>;
  
  ResolveContainer: grpc.handleUnaryCall<_digger_v1_ResolveContainerRequest__Output, _digger_v1_ResolveContainerResponse>;
  
}

export interface LookupServiceDefinition extends grpc.ServiceDefinition {
  BatchResolveAddresses: MethodDefinition<_digger_v1_BatchResolveAddressesRequest, _digger_v1_BatchResolveAddressesResponse, _digger_v1_BatchResolveAddressesRequest__Output, _digger_v1_BatchResolveAddressesResponse__Output>
  BatchResolveContainers: MethodDefinition<_digger_v1_BatchResolveContainersRequest, _digger_v1_BatchResolveContainersResponse, _digger_v1_BatchResolveContainersRequest__Output, _digger_v1_BatchResolveContainersResponse__Output>
  GetAddressTimeline: MethodDefinition<_digger_v1_GetAddressTimelineRequest, _digger_v1_GetAddressTimelineResponse, _digger_v1_GetAddressTimelineRequest__Output, _digger_v1_GetAddressTimelineResponse__Output>
  GetNamespace: MethodDefinition<_digger_v1_GetNamespaceRequest, _digger_v1_GetNamespaceResponse, _digger_v1_GetNamespaceRequest__Output, _digger_v1_GetNamespaceResponse__Output>
  GetNode: MethodDefinition<_digger_v1_GetNodeRequest, _digger_v1_GetNodeResponse, _digger_v1_GetNodeRequest__Output, _digger_v1_GetNodeResponse__Output>
  GetPod: MethodDefinition<_digger_v1_GetPodRequest, _digger_v1_GetPodResponse, _digger_v1_GetPodRequest__Output, _digger_v1_GetPodResponse__Output>
  GetService: MethodDefinition<_digger_v1_GetServiceRequest, _digger_v1_GetServiceResponse, _digger_v1_GetServiceRequest__Output, _digger_v1_GetServiceResponse__Output>
  GetWorkload: MethodDefinition<_digger_v1_GetWorkloadRequest, _digger_v1_GetWorkloadResponse, _digger_v1_GetWorkloadRequest__Output, _digger_v1_GetWorkloadResponse__Output>
  ResolveAddress: MethodDefinition<_digger_v1_ResolveAddressRequest, _digger_v1_ResolveAddressResponse, _digger_v1_ResolveAddressRequest__Output, _digger_v1_ResolveAddressResponse__Output>
  ResolveContainer: MethodDefinition<_digger_v1_ResolveContainerRequest, _digger_v1_ResolveContainerResponse, _digger_v1_ResolveContainerRequest__Output, _digger_v1_ResolveContainerResponse__Output>
}
