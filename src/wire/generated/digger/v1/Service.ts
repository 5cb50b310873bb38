// Original file: proto/digger/v1/entities.proto

import type { ServiceType as _digger_v1_ServiceType, ServiceType__Output as _digger_v1_ServiceType__Output } from '../../digger/v1/ServiceType.ts';
import type { ServicePort as _digger_v1_ServicePort, ServicePort__Output as _digger_v1_ServicePort__Output } from '../../digger/v1/ServicePort.ts';
import type { ObjectReference as _digger_v1_ObjectReference, ObjectReference__Output as _digger_v1_ObjectReference__Output } from '../../digger/v1/ObjectReference.ts';
import type { ExternalEndpoint as _digger_v1_ExternalEndpoint, ExternalEndpoint__Output as _digger_v1_ExternalEndpoint__Output } from '../../digger/v1/ExternalEndpoint.ts';

export interface Service {
  'uid'?: (string);
  'namespace'?: (string);
  'name'?: (string);
  'type'?: (_digger_v1_ServiceType);
  'clusterAddresses'?: (string)[];
  'loadBalancerAddresses'?: (string)[];
  'loadBalancerHostnames'?: (string)[];
  'externalAddresses'?: (string)[];
  'ports'?: (_digger_v1_ServicePort)[];
  'selector'?: ({[key: string]: string});
  'workloads'?: (_digger_v1_ObjectReference)[];
  'manualEndpoints'?: (_digger_v1_ExternalEndpoint)[];
  'workloadCount'?: (number);
  'manualEndpointCount'?: (number);
  'externalName'?: (string);
  'proxiedLoadBalancerAddresses'?: (string)[];
  'labels'?: ({[key: string]: string});
  'annotations'?: ({[key: string]: string});
  'omitted'?: (string)[];
}

export interface Service__Output {
  'uid': (string);
  'namespace': (string);
  'name': (string);
  'type': (_digger_v1_ServiceType__Output);
  'clusterAddresses': (string)[];
  'loadBalancerAddresses': (string)[];
  'loadBalancerHostnames': (string)[];
  'externalAddresses': (string)[];
  'ports': (_digger_v1_ServicePort__Output)[];
  'selector': ({[key: string]: string});
  'workloads': (_digger_v1_ObjectReference__Output)[];
  'manualEndpoints': (_digger_v1_ExternalEndpoint__Output)[];
  'workloadCount': (number);
  'manualEndpointCount': (number);
  'externalName': (string);
  'proxiedLoadBalancerAddresses': (string)[];
  'labels': ({[key: string]: string});
  'annotations': ({[key: string]: string});
  'omitted': (string)[];
}
