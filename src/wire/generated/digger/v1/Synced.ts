// Original file: proto/digger/v1/feed.proto


export interface Synced {
}

export interface Synced__Output {
}
