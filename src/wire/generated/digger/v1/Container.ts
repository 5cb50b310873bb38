// Original file: proto/digger/v1/entities.proto

import type { ContainerPort as _digger_v1_ContainerPort, ContainerPort__Output as _digger_v1_ContainerPort__Output } from '../../digger/v1/ContainerPort.ts';

export interface Container {
  'name'?: (string);
  'image'?: (string);
  'ports'?: (_digger_v1_ContainerPort)[];
  'containerId'?: (string);
}

export interface Container__Output {
  'name': (string);
  'image': (string);
  'ports': (_digger_v1_ContainerPort__Output)[];
  'containerId': (string);
}
