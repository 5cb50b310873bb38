import type * as grpc from '@grpc/grpc-js';
import type { EnumTypeDefinition, MessageTypeDefinition } from '@grpc/proto-loader';

import type { AddressFacts as _digger_v1_AddressFacts, AddressFacts__Output as _digger_v1_AddressFacts__Output } from './digger/v1/AddressFacts.ts';
import type { AddressInterval as _digger_v1_AddressInterval, AddressInterval__Output as _digger_v1_AddressInterval__Output } from './digger/v1/AddressInterval.ts';
import type { AddressQuery as _digger_v1_AddressQuery, AddressQuery__Output as _digger_v1_AddressQuery__Output } from './digger/v1/AddressQuery.ts';
import type { AddressTimeline as _digger_v1_AddressTimeline, AddressTimeline__Output as _digger_v1_AddressTimeline__Output } from './digger/v1/AddressTimeline.ts';
import type { Attribute as _digger_v1_Attribute, Attribute__Output as _digger_v1_Attribute__Output } from './digger/v1/Attribute.ts';
import type { AttributeValue as _digger_v1_AttributeValue, AttributeValue__Output as _digger_v1_AttributeValue__Output } from './digger/v1/AttributeValue.ts';
import type { AttributeValues as _digger_v1_AttributeValues, AttributeValues__Output as _digger_v1_AttributeValues__Output } from './digger/v1/AttributeValues.ts';
import type { BatchResolveAddressesRequest as _digger_v1_BatchResolveAddressesRequest, BatchResolveAddressesRequest__Output as _digger_v1_BatchResolveAddressesRequest__Output } from './digger/v1/BatchResolveAddressesRequest.ts';
import type { BatchResolveAddressesResponse as _digger_v1_BatchResolveAddressesResponse, BatchResolveAddressesResponse__Output as _digger_v1_BatchResolveAddressesResponse__Output } from './digger/v1/BatchResolveAddressesResponse.ts';
import type { BatchResolveAddressesResult as _digger_v1_BatchResolveAddressesResult, BatchResolveAddressesResult__Output as _digger_v1_BatchResolveAddressesResult__Output } from './digger/v1/BatchResolveAddressesResult.ts';
import type { BatchResolveContainersRequest as _digger_v1_BatchResolveContainersRequest, BatchResolveContainersRequest__Output as _digger_v1_BatchResolveContainersRequest__Output } from './digger/v1/BatchResolveContainersRequest.ts';
import type { BatchResolveContainersResponse as _digger_v1_BatchResolveContainersResponse, BatchResolveContainersResponse__Output as _digger_v1_BatchResolveContainersResponse__Output } from './digger/v1/BatchResolveContainersResponse.ts';
import type { BatchResolveContainersResult as _digger_v1_BatchResolveContainersResult, BatchResolveContainersResult__Output as _digger_v1_BatchResolveContainersResult__Output } from './digger/v1/BatchResolveContainersResult.ts';
import type { BlindMoment as _digger_v1_BlindMoment, BlindMoment__Output as _digger_v1_BlindMoment__Output } from './digger/v1/BlindMoment.ts';
import type { Candidate as _digger_v1_Candidate, Candidate__Output as _digger_v1_Candidate__Output } from './digger/v1/Candidate.ts';
import type { Change as _digger_v1_Change, Change__Output as _digger_v1_Change__Output } from './digger/v1/Change.ts';
import type { ChangeFeedServiceClient as _digger_v1_ChangeFeedServiceClient, ChangeFeedServiceDefinition as _digger_v1_ChangeFeedServiceDefinition } from './digger/v1/ChangeFeedService.ts';
import type { Changes as _digger_v1_Changes, Changes__Output as _digger_v1_Changes__Output } from './digger/v1/Changes.ts';
import type { Cluster as _digger_v1_Cluster, Cluster__Output as _digger_v1_Cluster__Output } from './digger/v1/Cluster.ts';
import type { Container as _digger_v1_Container, Container__Output as _digger_v1_Container__Output } from './digger/v1/Container.ts';
import type { ContainerPort as _digger_v1_ContainerPort, ContainerPort__Output as _digger_v1_ContainerPort__Output } from './digger/v1/ContainerPort.ts';
import type { ContainerQuery as _digger_v1_ContainerQuery, ContainerQuery__Output as _digger_v1_ContainerQuery__Output } from './digger/v1/ContainerQuery.ts';
import type { ContainerResolution as _digger_v1_ContainerResolution, ContainerResolution__Output as _digger_v1_ContainerResolution__Output } from './digger/v1/ContainerResolution.ts';
import type { Entity as _digger_v1_Entity, Entity__Output as _digger_v1_Entity__Output } from './digger/v1/Entity.ts';
import type { ExternalEndpoint as _digger_v1_ExternalEndpoint, ExternalEndpoint__Output as _digger_v1_ExternalEndpoint__Output } from './digger/v1/ExternalEndpoint.ts';
import type { Forgotten as _digger_v1_Forgotten, Forgotten__Output as _digger_v1_Forgotten__Output } from './digger/v1/Forgotten.ts';
import type { GetAddressTimelineRequest as _digger_v1_GetAddressTimelineRequest, GetAddressTimelineRequest__Output as _digger_v1_GetAddressTimelineRequest__Output } from './digger/v1/GetAddressTimelineRequest.ts';
import type { GetAddressTimelineResponse as _digger_v1_GetAddressTimelineResponse, GetAddressTimelineResponse__Output as _digger_v1_GetAddressTimelineResponse__Output } from './digger/v1/GetAddressTimelineResponse.ts';
import type { GetNamespaceRequest as _digger_v1_GetNamespaceRequest, GetNamespaceRequest__Output as _digger_v1_GetNamespaceRequest__Output } from './digger/v1/GetNamespaceRequest.ts';
import type { GetNamespaceResponse as _digger_v1_GetNamespaceResponse, GetNamespaceResponse__Output as _digger_v1_GetNamespaceResponse__Output } from './digger/v1/GetNamespaceResponse.ts';
import type { GetNodeRequest as _digger_v1_GetNodeRequest, GetNodeRequest__Output as _digger_v1_GetNodeRequest__Output } from './digger/v1/GetNodeRequest.ts';
import type { GetNodeResponse as _digger_v1_GetNodeResponse, GetNodeResponse__Output as _digger_v1_GetNodeResponse__Output } from './digger/v1/GetNodeResponse.ts';
import type { GetPodRequest as _digger_v1_GetPodRequest, GetPodRequest__Output as _digger_v1_GetPodRequest__Output } from './digger/v1/GetPodRequest.ts';
import type { GetPodResponse as _digger_v1_GetPodResponse, GetPodResponse__Output as _digger_v1_GetPodResponse__Output } from './digger/v1/GetPodResponse.ts';
import type { GetServiceRequest as _digger_v1_GetServiceRequest, GetServiceRequest__Output as _digger_v1_GetServiceRequest__Output } from './digger/v1/GetServiceRequest.ts';
import type { GetServiceResponse as _digger_v1_GetServiceResponse, GetServiceResponse__Output as _digger_v1_GetServiceResponse__Output } from './digger/v1/GetServiceResponse.ts';
import type { GetStatusRequest as _digger_v1_GetStatusRequest, GetStatusRequest__Output as _digger_v1_GetStatusRequest__Output } from './digger/v1/GetStatusRequest.ts';
import type { GetStatusResponse as _digger_v1_GetStatusResponse, GetStatusResponse__Output as _digger_v1_GetStatusResponse__Output } from './digger/v1/GetStatusResponse.ts';
import type { GetWorkloadRequest as _digger_v1_GetWorkloadRequest, GetWorkloadRequest__Output as _digger_v1_GetWorkloadRequest__Output } from './digger/v1/GetWorkloadRequest.ts';
import type { GetWorkloadResponse as _digger_v1_GetWorkloadResponse, GetWorkloadResponse__Output as _digger_v1_GetWorkloadResponse__Output } from './digger/v1/GetWorkloadResponse.ts';
import type { InheritedHistory as _digger_v1_InheritedHistory, InheritedHistory__Output as _digger_v1_InheritedHistory__Output } from './digger/v1/InheritedHistory.ts';
import type { LoadBalancerNames as _digger_v1_LoadBalancerNames, LoadBalancerNames__Output as _digger_v1_LoadBalancerNames__Output } from './digger/v1/LoadBalancerNames.ts';
import type { LookupServiceClient as _digger_v1_LookupServiceClient, LookupServiceDefinition as _digger_v1_LookupServiceDefinition } from './digger/v1/LookupService.ts';
import type { NamedRangesFile as _digger_v1_NamedRangesFile, NamedRangesFile__Output as _digger_v1_NamedRangesFile__Output } from './digger/v1/NamedRangesFile.ts';
import type { Namespace as _digger_v1_Namespace, Namespace__Output as _digger_v1_Namespace__Output } from './digger/v1/Namespace.ts';
import type { Network as _digger_v1_Network, Network__Output as _digger_v1_Network__Output } from './digger/v1/Network.ts';
import type { Node as _digger_v1_Node, Node__Output as _digger_v1_Node__Output } from './digger/v1/Node.ts';
import type { NodeAddress as _digger_v1_NodeAddress, NodeAddress__Output as _digger_v1_NodeAddress__Output } from './digger/v1/NodeAddress.ts';
import type { NodeSpan as _digger_v1_NodeSpan, NodeSpan__Output as _digger_v1_NodeSpan__Output } from './digger/v1/NodeSpan.ts';
import type { ObjectReference as _digger_v1_ObjectReference, ObjectReference__Output as _digger_v1_ObjectReference__Output } from './digger/v1/ObjectReference.ts';
import type { OtelAttributes as _digger_v1_OtelAttributes, OtelAttributes__Output as _digger_v1_OtelAttributes__Output } from './digger/v1/OtelAttributes.ts';
import type { Pod as _digger_v1_Pod, Pod__Output as _digger_v1_Pod__Output } from './digger/v1/Pod.ts';
import type { PodNetwork as _digger_v1_PodNetwork, PodNetwork__Output as _digger_v1_PodNetwork__Output } from './digger/v1/PodNetwork.ts';
import type { PortRange as _digger_v1_PortRange, PortRange__Output as _digger_v1_PortRange__Output } from './digger/v1/PortRange.ts';
import type { Progress as _digger_v1_Progress, Progress__Output as _digger_v1_Progress__Output } from './digger/v1/Progress.ts';
import type { Removal as _digger_v1_Removal, Removal__Output as _digger_v1_Removal__Output } from './digger/v1/Removal.ts';
import type { Reset as _digger_v1_Reset, Reset__Output as _digger_v1_Reset__Output } from './digger/v1/Reset.ts';
import type { Resolution as _digger_v1_Resolution, Resolution__Output as _digger_v1_Resolution__Output } from './digger/v1/Resolution.ts';
import type { ResolveAddressRequest as _digger_v1_ResolveAddressRequest, ResolveAddressRequest__Output as _digger_v1_ResolveAddressRequest__Output } from './digger/v1/ResolveAddressRequest.ts';
import type { ResolveAddressResponse as _digger_v1_ResolveAddressResponse, ResolveAddressResponse__Output as _digger_v1_ResolveAddressResponse__Output } from './digger/v1/ResolveAddressResponse.ts';
import type { ResolveContainerRequest as _digger_v1_ResolveContainerRequest, ResolveContainerRequest__Output as _digger_v1_ResolveContainerRequest__Output } from './digger/v1/ResolveContainerRequest.ts';
import type { ResolveContainerResponse as _digger_v1_ResolveContainerResponse, ResolveContainerResponse__Output as _digger_v1_ResolveContainerResponse__Output } from './digger/v1/ResolveContainerResponse.ts';
import type { ResourceFreshness as _digger_v1_ResourceFreshness, ResourceFreshness__Output as _digger_v1_ResourceFreshness__Output } from './digger/v1/ResourceFreshness.ts';
import type { ResourceStatus as _digger_v1_ResourceStatus, ResourceStatus__Output as _digger_v1_ResourceStatus__Output } from './digger/v1/ResourceStatus.ts';
import type { Service as _digger_v1_Service, Service__Output as _digger_v1_Service__Output } from './digger/v1/Service.ts';
import type { ServicePort as _digger_v1_ServicePort, ServicePort__Output as _digger_v1_ServicePort__Output } from './digger/v1/ServicePort.ts';
import type { StatusServiceClient as _digger_v1_StatusServiceClient, StatusServiceDefinition as _digger_v1_StatusServiceDefinition } from './digger/v1/StatusService.ts';
import type { Synced as _digger_v1_Synced, Synced__Output as _digger_v1_Synced__Output } from './digger/v1/Synced.ts';
import type { TimelineHolder as _digger_v1_TimelineHolder, TimelineHolder__Output as _digger_v1_TimelineHolder__Output } from './digger/v1/TimelineHolder.ts';
import type { TimelinePlace as _digger_v1_TimelinePlace, TimelinePlace__Output as _digger_v1_TimelinePlace__Output } from './digger/v1/TimelinePlace.ts';
import type { TimelineSpan as _digger_v1_TimelineSpan, TimelineSpan__Output as _digger_v1_TimelineSpan__Output } from './digger/v1/TimelineSpan.ts';
import type { ValueSelection as _digger_v1_ValueSelection, ValueSelection__Output as _digger_v1_ValueSelection__Output } from './digger/v1/ValueSelection.ts';
import type { WatchFilter as _digger_v1_WatchFilter, WatchFilter__Output as _digger_v1_WatchFilter__Output } from './digger/v1/WatchFilter.ts';
import type { WatchRequest as _digger_v1_WatchRequest, WatchRequest__Output as _digger_v1_WatchRequest__Output } from './digger/v1/WatchRequest.ts';
import type { WatchResponse as _digger_v1_WatchResponse, WatchResponse__Output as _digger_v1_WatchResponse__Output } from './digger/v1/WatchResponse.ts';
import type { Workload as _digger_v1_Workload, Workload__Output as _digger_v1_Workload__Output } from './digger/v1/Workload.ts';
import type { Any as _google_protobuf_Any, Any__Output as _google_protobuf_Any__Output } from './google/protobuf/Any.ts';
import type { Duration as _google_protobuf_Duration, Duration__Output as _google_protobuf_Duration__Output } from './google/protobuf/Duration.ts';
import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from './google/protobuf/Timestamp.ts';
import type { Status as _google_rpc_Status, Status__Output as _google_rpc_Status__Output } from './google/rpc/Status.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  digger: {
    v1: {
      AddressFacts: MessageTypeDefinition<_digger_v1_AddressFacts, _digger_v1_AddressFacts__Output>
      AddressInterval: MessageTypeDefinition<_digger_v1_AddressInterval, _digger_v1_AddressInterval__Output>
      AddressQuery: MessageTypeDefinition<_digger_v1_AddressQuery, _digger_v1_AddressQuery__Output>
      AddressRole: EnumTypeDefinition
      AddressTimeline: MessageTypeDefinition<_digger_v1_AddressTimeline, _digger_v1_AddressTimeline__Output>
      Attribute: MessageTypeDefinition<_digger_v1_Attribute, _digger_v1_Attribute__Output>
      AttributeValue: MessageTypeDefinition<_digger_v1_AttributeValue, _digger_v1_AttributeValue__Output>
      AttributeValues: MessageTypeDefinition<_digger_v1_AttributeValues, _digger_v1_AttributeValues__Output>
      BatchResolveAddressesRequest: MessageTypeDefinition<_digger_v1_BatchResolveAddressesRequest, _digger_v1_BatchResolveAddressesRequest__Output>
      BatchResolveAddressesResponse: MessageTypeDefinition<_digger_v1_BatchResolveAddressesResponse, _digger_v1_BatchResolveAddressesResponse__Output>
      BatchResolveAddressesResult: MessageTypeDefinition<_digger_v1_BatchResolveAddressesResult, _digger_v1_BatchResolveAddressesResult__Output>
      BatchResolveContainersRequest: MessageTypeDefinition<_digger_v1_BatchResolveContainersRequest, _digger_v1_BatchResolveContainersRequest__Output>
      BatchResolveContainersResponse: MessageTypeDefinition<_digger_v1_BatchResolveContainersResponse, _digger_v1_BatchResolveContainersResponse__Output>
      BatchResolveContainersResult: MessageTypeDefinition<_digger_v1_BatchResolveContainersResult, _digger_v1_BatchResolveContainersResult__Output>
      BlindMoment: MessageTypeDefinition<_digger_v1_BlindMoment, _digger_v1_BlindMoment__Output>
      Candidate: MessageTypeDefinition<_digger_v1_Candidate, _digger_v1_Candidate__Output>
      Change: MessageTypeDefinition<_digger_v1_Change, _digger_v1_Change__Output>
      ChangeFeedService: SubtypeConstructor<typeof grpc.Client, _digger_v1_ChangeFeedServiceClient> & { service: _digger_v1_ChangeFeedServiceDefinition }
      Changes: MessageTypeDefinition<_digger_v1_Changes, _digger_v1_Changes__Output>
      Cluster: MessageTypeDefinition<_digger_v1_Cluster, _digger_v1_Cluster__Output>
      Container: MessageTypeDefinition<_digger_v1_Container, _digger_v1_Container__Output>
      ContainerPort: MessageTypeDefinition<_digger_v1_ContainerPort, _digger_v1_ContainerPort__Output>
      ContainerQuery: MessageTypeDefinition<_digger_v1_ContainerQuery, _digger_v1_ContainerQuery__Output>
      ContainerResolution: MessageTypeDefinition<_digger_v1_ContainerResolution, _digger_v1_ContainerResolution__Output>
      ContainerType: EnumTypeDefinition
      Entity: MessageTypeDefinition<_digger_v1_Entity, _digger_v1_Entity__Output>
      EntityKind: EnumTypeDefinition
      ExternalEndpoint: MessageTypeDefinition<_digger_v1_ExternalEndpoint, _digger_v1_ExternalEndpoint__Output>
      Forgotten: MessageTypeDefinition<_digger_v1_Forgotten, _digger_v1_Forgotten__Output>
      GetAddressTimelineRequest: MessageTypeDefinition<_digger_v1_GetAddressTimelineRequest, _digger_v1_GetAddressTimelineRequest__Output>
      GetAddressTimelineResponse: MessageTypeDefinition<_digger_v1_GetAddressTimelineResponse, _digger_v1_GetAddressTimelineResponse__Output>
      GetNamespaceRequest: MessageTypeDefinition<_digger_v1_GetNamespaceRequest, _digger_v1_GetNamespaceRequest__Output>
      GetNamespaceResponse: MessageTypeDefinition<_digger_v1_GetNamespaceResponse, _digger_v1_GetNamespaceResponse__Output>
      GetNodeRequest: MessageTypeDefinition<_digger_v1_GetNodeRequest, _digger_v1_GetNodeRequest__Output>
      GetNodeResponse: MessageTypeDefinition<_digger_v1_GetNodeResponse, _digger_v1_GetNodeResponse__Output>
      GetPodRequest: MessageTypeDefinition<_digger_v1_GetPodRequest, _digger_v1_GetPodRequest__Output>
      GetPodResponse: MessageTypeDefinition<_digger_v1_GetPodResponse, _digger_v1_GetPodResponse__Output>
      GetServiceRequest: MessageTypeDefinition<_digger_v1_GetServiceRequest, _digger_v1_GetServiceRequest__Output>
      GetServiceResponse: MessageTypeDefinition<_digger_v1_GetServiceResponse, _digger_v1_GetServiceResponse__Output>
      GetStatusRequest: MessageTypeDefinition<_digger_v1_GetStatusRequest, _digger_v1_GetStatusRequest__Output>
      GetStatusResponse: MessageTypeDefinition<_digger_v1_GetStatusResponse, _digger_v1_GetStatusResponse__Output>
      GetWorkloadRequest: MessageTypeDefinition<_digger_v1_GetWorkloadRequest, _digger_v1_GetWorkloadRequest__Output>
      GetWorkloadResponse: MessageTypeDefinition<_digger_v1_GetWorkloadResponse, _digger_v1_GetWorkloadResponse__Output>
      InheritedHistory: MessageTypeDefinition<_digger_v1_InheritedHistory, _digger_v1_InheritedHistory__Output>
      LoadBalancerNames: MessageTypeDefinition<_digger_v1_LoadBalancerNames, _digger_v1_LoadBalancerNames__Output>
      LookupService: SubtypeConstructor<typeof grpc.Client, _digger_v1_LookupServiceClient> & { service: _digger_v1_LookupServiceDefinition }
      NamedRangesFile: MessageTypeDefinition<_digger_v1_NamedRangesFile, _digger_v1_NamedRangesFile__Output>
      Namespace: MessageTypeDefinition<_digger_v1_Namespace, _digger_v1_Namespace__Output>
      Network: MessageTypeDefinition<_digger_v1_Network, _digger_v1_Network__Output>
      Node: MessageTypeDefinition<_digger_v1_Node, _digger_v1_Node__Output>
      NodeAddress: MessageTypeDefinition<_digger_v1_NodeAddress, _digger_v1_NodeAddress__Output>
      NodeSpan: MessageTypeDefinition<_digger_v1_NodeSpan, _digger_v1_NodeSpan__Output>
      ObjectReference: MessageTypeDefinition<_digger_v1_ObjectReference, _digger_v1_ObjectReference__Output>
      OtelAttributes: MessageTypeDefinition<_digger_v1_OtelAttributes, _digger_v1_OtelAttributes__Output>
      Outcome: EnumTypeDefinition
      Pod: MessageTypeDefinition<_digger_v1_Pod, _digger_v1_Pod__Output>
      PodNetwork: MessageTypeDefinition<_digger_v1_PodNetwork, _digger_v1_PodNetwork__Output>
      PodPhase: EnumTypeDefinition
      PortRange: MessageTypeDefinition<_digger_v1_PortRange, _digger_v1_PortRange__Output>
      Progress: MessageTypeDefinition<_digger_v1_Progress, _digger_v1_Progress__Output>
      Protocol: EnumTypeDefinition
      Removal: MessageTypeDefinition<_digger_v1_Removal, _digger_v1_Removal__Output>
      Reset: MessageTypeDefinition<_digger_v1_Reset, _digger_v1_Reset__Output>
      ResetReason: EnumTypeDefinition
      Resolution: MessageTypeDefinition<_digger_v1_Resolution, _digger_v1_Resolution__Output>
      ResolveAddressRequest: MessageTypeDefinition<_digger_v1_ResolveAddressRequest, _digger_v1_ResolveAddressRequest__Output>
      ResolveAddressResponse: MessageTypeDefinition<_digger_v1_ResolveAddressResponse, _digger_v1_ResolveAddressResponse__Output>
      ResolveContainerRequest: MessageTypeDefinition<_digger_v1_ResolveContainerRequest, _digger_v1_ResolveContainerRequest__Output>
      ResolveContainerResponse: MessageTypeDefinition<_digger_v1_ResolveContainerResponse, _digger_v1_ResolveContainerResponse__Output>
      ResourceFreshness: MessageTypeDefinition<_digger_v1_ResourceFreshness, _digger_v1_ResourceFreshness__Output>
      ResourceStatus: MessageTypeDefinition<_digger_v1_ResourceStatus, _digger_v1_ResourceStatus__Output>
      Service: MessageTypeDefinition<_digger_v1_Service, _digger_v1_Service__Output>
      ServicePort: MessageTypeDefinition<_digger_v1_ServicePort, _digger_v1_ServicePort__Output>
      ServiceType: EnumTypeDefinition
      StatusService: SubtypeConstructor<typeof grpc.Client, _digger_v1_StatusServiceClient> & { service: _digger_v1_StatusServiceDefinition }
      Synced: MessageTypeDefinition<_digger_v1_Synced, _digger_v1_Synced__Output>
      TimelineHolder: MessageTypeDefinition<_digger_v1_TimelineHolder, _digger_v1_TimelineHolder__Output>
      TimelinePlace: MessageTypeDefinition<_digger_v1_TimelinePlace, _digger_v1_TimelinePlace__Output>
      TimelineSpan: MessageTypeDefinition<_digger_v1_TimelineSpan, _digger_v1_TimelineSpan__Output>
      ValueSelection: MessageTypeDefinition<_digger_v1_ValueSelection, _digger_v1_ValueSelection__Output>
      View: EnumTypeDefinition
      WatchFilter: MessageTypeDefinition<_digger_v1_WatchFilter, _digger_v1_WatchFilter__Output>
      WatchRequest: MessageTypeDefinition<_digger_v1_WatchRequest, _digger_v1_WatchRequest__Output>
      WatchResponse: MessageTypeDefinition<_digger_v1_WatchResponse, _digger_v1_WatchResponse__Output>
      WatchState: EnumTypeDefinition
      Workload: MessageTypeDefinition<_digger_v1_Workload, _digger_v1_Workload__Output>
    }
  }
  google: {
    protobuf: {
      Any: MessageTypeDefinition<_google_protobuf_Any, _google_protobuf_Any__Output>
      Duration: MessageTypeDefinition<_google_protobuf_Duration, _google_protobuf_Duration__Output>
      Timestamp: MessageTypeDefinition<_google_protobuf_Timestamp, _google_protobuf_Timestamp__Output>
    }
    rpc: {
      Status: MessageTypeDefinition<_google_rpc_Status, _google_rpc_Status__Output>
    }
  }
}

