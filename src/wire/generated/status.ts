import type * as grpc from '@grpc/grpc-js';
import type { EnumTypeDefinition, MessageTypeDefinition } from '@grpc/proto-loader';

import type { Cluster as _digger_v1_Cluster, Cluster__Output as _digger_v1_Cluster__Output } from './digger/v1/Cluster.ts';
import type { Container as _digger_v1_Container, Container__Output as _digger_v1_Container__Output } from './digger/v1/Container.ts';
import type { ContainerPort as _digger_v1_ContainerPort, ContainerPort__Output as _digger_v1_ContainerPort__Output } from './digger/v1/ContainerPort.ts';
import type { Entity as _digger_v1_Entity, Entity__Output as _digger_v1_Entity__Output } from './digger/v1/Entity.ts';
import type { ExternalEndpoint as _digger_v1_ExternalEndpoint, ExternalEndpoint__Output as _digger_v1_ExternalEndpoint__Output } from './digger/v1/ExternalEndpoint.ts';
import type { GetStatusRequest as _digger_v1_GetStatusRequest, GetStatusRequest__Output as _digger_v1_GetStatusRequest__Output } from './digger/v1/GetStatusRequest.ts';
import type { GetStatusResponse as _digger_v1_GetStatusResponse, GetStatusResponse__Output as _digger_v1_GetStatusResponse__Output } from './digger/v1/GetStatusResponse.ts';
import type { InheritedHistory as _digger_v1_InheritedHistory, InheritedHistory__Output as _digger_v1_InheritedHistory__Output } from './digger/v1/InheritedHistory.ts';
import type { LoadBalancerNames as _digger_v1_LoadBalancerNames, LoadBalancerNames__Output as _digger_v1_LoadBalancerNames__Output } from './digger/v1/LoadBalancerNames.ts';
import type { NamedRangesFile as _digger_v1_NamedRangesFile, NamedRangesFile__Output as _digger_v1_NamedRangesFile__Output } from './digger/v1/NamedRangesFile.ts';
import type { Namespace as _digger_v1_Namespace, Namespace__Output as _digger_v1_Namespace__Output } from './digger/v1/Namespace.ts';
import type { Node as _digger_v1_Node, Node__Output as _digger_v1_Node__Output } from './digger/v1/Node.ts';
import type { NodeAddress as _digger_v1_NodeAddress, NodeAddress__Output as _digger_v1_NodeAddress__Output } from './digger/v1/NodeAddress.ts';
import type { ObjectReference as _digger_v1_ObjectReference, ObjectReference__Output as _digger_v1_ObjectReference__Output } from './digger/v1/ObjectReference.ts';
import type { Pod as _digger_v1_Pod, Pod__Output as _digger_v1_Pod__Output } from './digger/v1/Pod.ts';
import type { PodNetwork as _digger_v1_PodNetwork, PodNetwork__Output as _digger_v1_PodNetwork__Output } from './digger/v1/PodNetwork.ts';
import type { ResourceFreshness as _digger_v1_ResourceFreshness, ResourceFreshness__Output as _digger_v1_ResourceFreshness__Output } from './digger/v1/ResourceFreshness.ts';
import type { ResourceStatus as _digger_v1_ResourceStatus, ResourceStatus__Output as _digger_v1_ResourceStatus__Output } from './digger/v1/ResourceStatus.ts';
import type { Service as _digger_v1_Service, Service__Output as _digger_v1_Service__Output } from './digger/v1/Service.ts';
import type { ServicePort as _digger_v1_ServicePort, ServicePort__Output as _digger_v1_ServicePort__Output } from './digger/v1/ServicePort.ts';
import type { StatusServiceClient as _digger_v1_StatusServiceClient, StatusServiceDefinition as _digger_v1_StatusServiceDefinition } from './digger/v1/StatusService.ts';
import type { Workload as _digger_v1_Workload, Workload__Output as _digger_v1_Workload__Output } from './digger/v1/Workload.ts';
import type { Duration as _google_protobuf_Duration, Duration__Output as _google_protobuf_Duration__Output } from './google/protobuf/Duration.ts';
import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from './google/protobuf/Timestamp.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  digger: {
    v1: {
      Cluster: MessageTypeDefinition<_digger_v1_Cluster, _digger_v1_Cluster__Output>
      Container: MessageTypeDefinition<_digger_v1_Container, _digger_v1_Container__Output>
      ContainerPort: MessageTypeDefinition<_digger_v1_ContainerPort, _digger_v1_ContainerPort__Output>
      ContainerType: EnumTypeDefinition
      Entity: MessageTypeDefinition<_digger_v1_Entity, _digger_v1_Entity__Output>
      EntityKind: EnumTypeDefinition
      ExternalEndpoint: MessageTypeDefinition<_digger_v1_ExternalEndpoint, _digger_v1_ExternalEndpoint__Output>
      GetStatusRequest: MessageTypeDefinition<_digger_v1_GetStatusRequest, _digger_v1_GetStatusRequest__Output>
      GetStatusResponse: MessageTypeDefinition<_digger_v1_GetStatusResponse, _digger_v1_GetStatusResponse__Output>
      InheritedHistory: MessageTypeDefinition<_digger_v1_InheritedHistory, _digger_v1_InheritedHistory__Output>
      LoadBalancerNames: MessageTypeDefinition<_digger_v1_LoadBalancerNames, _digger_v1_LoadBalancerNames__Output>
      NamedRangesFile: MessageTypeDefinition<_digger_v1_NamedRangesFile, _digger_v1_NamedRangesFile__Output>
      Namespace: MessageTypeDefinition<_digger_v1_Namespace, _digger_v1_Namespace__Output>
      Node: MessageTypeDefinition<_digger_v1_Node, _digger_v1_Node__Output>
      NodeAddress: MessageTypeDefinition<_digger_v1_NodeAddress, _digger_v1_NodeAddress__Output>
      ObjectReference: MessageTypeDefinition<_digger_v1_ObjectReference, _digger_v1_ObjectReference__Output>
      Pod: MessageTypeDefinition<_digger_v1_Pod, _digger_v1_Pod__Output>
      PodNetwork: MessageTypeDefinition<_digger_v1_PodNetwork, _digger_v1_PodNetwork__Output>
      PodPhase: EnumTypeDefinition
      Protocol: EnumTypeDefinition
      ResourceFreshness: MessageTypeDefinition<_digger_v1_ResourceFreshness, _digger_v1_ResourceFreshness__Output>
      ResourceStatus: MessageTypeDefinition<_digger_v1_ResourceStatus, _digger_v1_ResourceStatus__Output>
      Service: MessageTypeDefinition<_digger_v1_Service, _digger_v1_Service__Output>
      ServicePort: MessageTypeDefinition<_digger_v1_ServicePort, _digger_v1_ServicePort__Output>
      ServiceType: EnumTypeDefinition
      StatusService: SubtypeConstructor<typeof grpc.Client, _digger_v1_StatusServiceClient> & { service: _digger_v1_StatusServiceDefinition }
      View: EnumTypeDefinition
      WatchState: EnumTypeDefinition
      Workload: MessageTypeDefinition<_digger_v1_Workload, _digger_v1_Workload__Output>
    }
  }
  google: {
    protobuf: {
      Duration: MessageTypeDefinition<_google_protobuf_Duration, _google_protobuf_Duration__Output>
      Timestamp: MessageTypeDefinition<_google_protobuf_Timestamp, _google_protobuf_Timestamp__Output>
    }
  }
}

