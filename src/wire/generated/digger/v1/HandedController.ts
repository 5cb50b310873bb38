// Original file: proto/digger/v1/history.proto


export interface HandedController {
  'apiVersion'?: (string);
  'kind'?: (string);
  'name'?: (string);
  'uid'?: (string);
}

export interface HandedController__Output {
  'apiVersion': (string);
  'kind': (string);
  'name': (string);
  'uid': (string);
}
