// What a failed call tells its caller beside code and sentence: `google.rpc.Status` details (ErrorInfo always;
// BadRequest, RetryInfo, RequestInfo where they apply) in the trailer `grpc-status-details-bin`, or as a value inside a
// batch answer.

import { Metadata, type ServerErrorResponse } from '@grpc/grpc-js';

import { messageType } from '../../wire/schema.ts';
import { toSecondsAndNanos } from '../../wire/seconds-and-nanos.ts';
import { type CallError, withoutStack } from './call-error.ts';

/** Domain of every ErrorInfo. */
export const ERROR_DOMAIN = 'digger';

/** A failure as grpc-js takes it from handlers and from interceptors. */
export type CallFailure = Required<Omit<ServerErrorResponse, keyof Error>> & Error;

/** What grpc-js sends for this error: code, message, and the details trailer with the request's id. */
export function toServerError(error: CallError, requestId: string): CallFailure {
  const metadata = new Metadata();
  metadata.set('grpc-status-details-bin', StatusType.encode(toStatus(error, requestId)).finish() as Buffer);
  return Object.assign(
    withoutStack(() => new Error(error.message)),
    { code: error.code, details: error.message, metadata },
  );
}

/** The same as a `google.rpc.Status` object, for protobufjs to encode. */
export function toStatus(error: CallError, requestId?: string): { code: number; message: string; details: Any[] } {
  const { metadata = {}, violations, retryDelayMs } = error.facts;
  const details = [any('google.rpc.ErrorInfo', { reason: error.reason, domain: ERROR_DOMAIN, metadata })];
  if (violations !== undefined) details.push(any('google.rpc.BadRequest', { fieldViolations: violations }));
  if (retryDelayMs !== undefined) {
    details.push(any('google.rpc.RetryInfo', { retryDelay: toSecondsAndNanos(retryDelayMs) }));
  }
  if (requestId !== undefined) details.push(any('google.rpc.RequestInfo', { requestId }));
  return { code: error.code, message: error.message, details };
}

interface Any {
  readonly type_url: string;
  readonly value: Uint8Array;
}

function any(typeName: string, value: Record<string, unknown>): Any {
  const type = messageType(typeName);
  return { type_url: `type.googleapis.com/${typeName}`, value: type.encode(type.fromObject(value)).finish() };
}

const StatusType = messageType('google.rpc.Status');
