// Original file: proto/digger/v1/entities.proto


export interface Cluster {
  'name'?: (string);
  'uid'?: (string);
}

export interface Cluster__Output {
  'name': (string);
  'uid': (string);
}
