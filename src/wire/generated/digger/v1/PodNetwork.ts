// Original file: proto/digger/v1/entities.proto


export interface PodNetwork {
  'name'?: (string);
  'addresses'?: (string)[];
  'interface'?: (string);
}

export interface PodNetwork__Output {
  'name': (string);
  'addresses': (string)[];
  'interface': (string);
}
