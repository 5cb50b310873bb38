// Original file: proto/digger/v1/lookup.proto


export interface OtelAttributes {
  'wellKnownLabels'?: (boolean);
}

export interface OtelAttributes__Output {
  'wellKnownLabels': (boolean);
}
