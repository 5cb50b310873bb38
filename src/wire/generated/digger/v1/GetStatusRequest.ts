// Original file: proto/digger/v1/status.proto


export interface GetStatusRequest {
}

export interface GetStatusRequest__Output {
}
