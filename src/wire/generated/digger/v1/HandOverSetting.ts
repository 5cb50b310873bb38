// Original file: proto/digger/v1/history.proto


export interface HandOverSetting {
  'name'?: (string);
  'digest'?: (string);
}

export interface HandOverSetting__Output {
  'name': (string);
  'digest': (string);
}
