// Original file: proto/digger/v1/entities.proto

import type { ContainerPort as _digger_v1_ContainerPort, ContainerPort__Output as _digger_v1_ContainerPort__Output } from '../../digger/v1/ContainerPort.ts';
import type { ContainerType as _digger_v1_ContainerType, ContainerType__Output as _digger_v1_ContainerType__Output } from '../../digger/v1/ContainerType.ts';

export interface Container {
  'name'?: (string);
  'image'?: (string);
  'ports'?: (_digger_v1_ContainerPort)[];
  'containerId'?: (string);
  'type'?: (_digger_v1_ContainerType);
  'previousContainerId'?: (string);
  'ended'?: (boolean);
}

export interface Container__Output {
  'name': (string);
  'image': (string);
  'ports': (_digger_v1_ContainerPort__Output)[];
  'containerId': (string);
  'type': (_digger_v1_ContainerType__Output);
  'previousContainerId': (string);
  'ended': (boolean);
}
