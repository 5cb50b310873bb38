import type * as grpc from '@grpc/grpc-js';
import type { EnumTypeDefinition, MessageTypeDefinition } from '@grpc/proto-loader';

import type { Cluster as _digger_v1_Cluster, Cluster__Output as _digger_v1_Cluster__Output } from './digger/v1/Cluster.ts';
import type { Container as _digger_v1_Container, Container__Output as _digger_v1_Container__Output } from './digger/v1/Container.ts';
import type { ContainerPort as _digger_v1_ContainerPort, ContainerPort__Output as _digger_v1_ContainerPort__Output } from './digger/v1/ContainerPort.ts';
import type { Entity as _digger_v1_Entity, Entity__Output as _digger_v1_Entity__Output } from './digger/v1/Entity.ts';
import type { ExternalEndpoint as _digger_v1_ExternalEndpoint, ExternalEndpoint__Output as _digger_v1_ExternalEndpoint__Output } from './digger/v1/ExternalEndpoint.ts';
import type { HandOverPosition as _digger_v1_HandOverPosition, HandOverPosition__Output as _digger_v1_HandOverPosition__Output } from './digger/v1/HandOverPosition.ts';
import type { HandOverRequest as _digger_v1_HandOverRequest, HandOverRequest__Output as _digger_v1_HandOverRequest__Output } from './digger/v1/HandOverRequest.ts';
import type { HandOverResponse as _digger_v1_HandOverResponse, HandOverResponse__Output as _digger_v1_HandOverResponse__Output } from './digger/v1/HandOverResponse.ts';
import type { HandOverSetting as _digger_v1_HandOverSetting, HandOverSetting__Output as _digger_v1_HandOverSetting__Output } from './digger/v1/HandOverSetting.ts';
import type { HandedClaim as _digger_v1_HandedClaim, HandedClaim__Output as _digger_v1_HandedClaim__Output } from './digger/v1/HandedClaim.ts';
import type { HandedController as _digger_v1_HandedController, HandedController__Output as _digger_v1_HandedController__Output } from './digger/v1/HandedController.ts';
import type { HandedEnd as _digger_v1_HandedEnd, HandedEnd__Output as _digger_v1_HandedEnd__Output } from './digger/v1/HandedEnd.ts';
import type { HandedFacts as _digger_v1_HandedFacts, HandedFacts__Output as _digger_v1_HandedFacts__Output } from './digger/v1/HandedFacts.ts';
import type { HandedGap as _digger_v1_HandedGap, HandedGap__Output as _digger_v1_HandedGap__Output } from './digger/v1/HandedGap.ts';
import type { HandedNode as _digger_v1_HandedNode, HandedNode__Output as _digger_v1_HandedNode__Output } from './digger/v1/HandedNode.ts';
import type { HandedObject as _digger_v1_HandedObject, HandedObject__Output as _digger_v1_HandedObject__Output } from './digger/v1/HandedObject.ts';
import type { HandedOwner as _digger_v1_HandedOwner, HandedOwner__Output as _digger_v1_HandedOwner__Output } from './digger/v1/HandedOwner.ts';
import type { HandedPort as _digger_v1_HandedPort, HandedPort__Output as _digger_v1_HandedPort__Output } from './digger/v1/HandedPort.ts';
import type { HandedRange as _digger_v1_HandedRange, HandedRange__Output as _digger_v1_HandedRange__Output } from './digger/v1/HandedRange.ts';
import type { HandedState as _digger_v1_HandedState, HandedState__Output as _digger_v1_HandedState__Output } from './digger/v1/HandedState.ts';
import type { HandedSuccession as _digger_v1_HandedSuccession, HandedSuccession__Output as _digger_v1_HandedSuccession__Output } from './digger/v1/HandedSuccession.ts';
import type { HistoryServiceClient as _digger_v1_HistoryServiceClient, HistoryServiceDefinition as _digger_v1_HistoryServiceDefinition } from './digger/v1/HistoryService.ts';
import type { Namespace as _digger_v1_Namespace, Namespace__Output as _digger_v1_Namespace__Output } from './digger/v1/Namespace.ts';
import type { Node as _digger_v1_Node, Node__Output as _digger_v1_Node__Output } from './digger/v1/Node.ts';
import type { NodeAddress as _digger_v1_NodeAddress, NodeAddress__Output as _digger_v1_NodeAddress__Output } from './digger/v1/NodeAddress.ts';
import type { ObjectReference as _digger_v1_ObjectReference, ObjectReference__Output as _digger_v1_ObjectReference__Output } from './digger/v1/ObjectReference.ts';
import type { Pod as _digger_v1_Pod, Pod__Output as _digger_v1_Pod__Output } from './digger/v1/Pod.ts';
import type { PodNetwork as _digger_v1_PodNetwork, PodNetwork__Output as _digger_v1_PodNetwork__Output } from './digger/v1/PodNetwork.ts';
import type { Service as _digger_v1_Service, Service__Output as _digger_v1_Service__Output } from './digger/v1/Service.ts';
import type { ServicePort as _digger_v1_ServicePort, ServicePort__Output as _digger_v1_ServicePort__Output } from './digger/v1/ServicePort.ts';
import type { Workload as _digger_v1_Workload, Workload__Output as _digger_v1_Workload__Output } from './digger/v1/Workload.ts';
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
      HandOverPosition: MessageTypeDefinition<_digger_v1_HandOverPosition, _digger_v1_HandOverPosition__Output>
      HandOverRequest: MessageTypeDefinition<_digger_v1_HandOverRequest, _digger_v1_HandOverRequest__Output>
      HandOverResponse: MessageTypeDefinition<_digger_v1_HandOverResponse, _digger_v1_HandOverResponse__Output>
      HandOverSetting: MessageTypeDefinition<_digger_v1_HandOverSetting, _digger_v1_HandOverSetting__Output>
      HandedClaim: MessageTypeDefinition<_digger_v1_HandedClaim, _digger_v1_HandedClaim__Output>
      HandedController: MessageTypeDefinition<_digger_v1_HandedController, _digger_v1_HandedController__Output>
      HandedEnd: MessageTypeDefinition<_digger_v1_HandedEnd, _digger_v1_HandedEnd__Output>
      HandedFacts: MessageTypeDefinition<_digger_v1_HandedFacts, _digger_v1_HandedFacts__Output>
      HandedGap: MessageTypeDefinition<_digger_v1_HandedGap, _digger_v1_HandedGap__Output>
      HandedNode: MessageTypeDefinition<_digger_v1_HandedNode, _digger_v1_HandedNode__Output>
      HandedObject: MessageTypeDefinition<_digger_v1_HandedObject, _digger_v1_HandedObject__Output>
      HandedOwner: MessageTypeDefinition<_digger_v1_HandedOwner, _digger_v1_HandedOwner__Output>
      HandedPort: MessageTypeDefinition<_digger_v1_HandedPort, _digger_v1_HandedPort__Output>
      HandedRange: MessageTypeDefinition<_digger_v1_HandedRange, _digger_v1_HandedRange__Output>
      HandedRole: EnumTypeDefinition
      HandedState: MessageTypeDefinition<_digger_v1_HandedState, _digger_v1_HandedState__Output>
      HandedSuccession: MessageTypeDefinition<_digger_v1_HandedSuccession, _digger_v1_HandedSuccession__Output>
      HistoryService: SubtypeConstructor<typeof grpc.Client, _digger_v1_HistoryServiceClient> & { service: _digger_v1_HistoryServiceDefinition }
      Namespace: MessageTypeDefinition<_digger_v1_Namespace, _digger_v1_Namespace__Output>
      Node: MessageTypeDefinition<_digger_v1_Node, _digger_v1_Node__Output>
      NodeAddress: MessageTypeDefinition<_digger_v1_NodeAddress, _digger_v1_NodeAddress__Output>
      ObjectReference: MessageTypeDefinition<_digger_v1_ObjectReference, _digger_v1_ObjectReference__Output>
      Pod: MessageTypeDefinition<_digger_v1_Pod, _digger_v1_Pod__Output>
      PodNetwork: MessageTypeDefinition<_digger_v1_PodNetwork, _digger_v1_PodNetwork__Output>
      PodPhase: EnumTypeDefinition
      Protocol: EnumTypeDefinition
      Service: MessageTypeDefinition<_digger_v1_Service, _digger_v1_Service__Output>
      ServicePort: MessageTypeDefinition<_digger_v1_ServicePort, _digger_v1_ServicePort__Output>
      ServiceType: EnumTypeDefinition
      View: EnumTypeDefinition
      Workload: MessageTypeDefinition<_digger_v1_Workload, _digger_v1_Workload__Output>
    }
  }
  google: {
    protobuf: {
      Timestamp: MessageTypeDefinition<_google_protobuf_Timestamp, _google_protobuf_Timestamp__Output>
    }
  }
}

