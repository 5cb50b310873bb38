// Original file: proto/digger/v1/history.proto


export interface HandOverPosition {
  'resource'?: (string);
  'position'?: (Buffer | Uint8Array | string);
}

export interface HandOverPosition__Output {
  'resource': (string);
  'position': (Buffer);
}
