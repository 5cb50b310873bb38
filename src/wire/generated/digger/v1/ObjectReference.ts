// Original file: proto/digger/v1/entities.proto


export interface ObjectReference {
  'apiVersion'?: (string);
  'kind'?: (string);
  'namespace'?: (string);
  'name'?: (string);
  'uid'?: (string);
  'incomplete'?: (boolean);
  'hidden'?: (boolean);
}

export interface ObjectReference__Output {
  'apiVersion': (string);
  'kind': (string);
  'namespace': (string);
  'name': (string);
  'uid': (string);
  'incomplete': (boolean);
  'hidden': (boolean);
}
