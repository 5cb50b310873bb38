// Original file: proto/digger/v1/lookup.proto


export interface ContainerQuery {
  'containerId'?: (string);
  'podUid'?: (string);
  'subject'?: "containerId"|"podUid";
}

export interface ContainerQuery__Output {
  'containerId'?: (string);
  'podUid'?: (string);
  'subject'?: "containerId"|"podUid";
}
