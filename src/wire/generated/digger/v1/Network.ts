// Original file: proto/digger/v1/lookup.proto


export interface Network {
  'name'?: (string);
  'kind'?: (string);
  'zone'?: (string);
  'region'?: (string);
  'range'?: (string);
}

export interface Network__Output {
  'name': (string);
  'kind': (string);
  'zone': (string);
  'region': (string);
  'range': (string);
}
