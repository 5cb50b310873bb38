// Original file: proto/digger/v1/feed.proto


export interface ValueSelection {
  'labels'?: (string)[];
  'annotations'?: (string)[];
}

export interface ValueSelection__Output {
  'labels': (string)[];
  'annotations': (string)[];
}
