// The gRPC services that this server has, made of the schema that is loaded anyway. Two things differ from what others
// make of .proto files: answers are bytes already, and a request that is no message is a value, not an exception.
//
// grpc-js turns an exception of a deserializer into INTERNAL, which blames the server and says nothing; as a value it
// reaches the handler, which answers INVALID_ARGUMENT as it does for every other wrong request. A batch of lookups is
// handed over as bytes, for its method to read.

import type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js';
import protobuf from 'protobufjs';

import { loadSchema, serviceType } from '../wire/schema.ts';
import { refuseLargeBatch } from './methods/batch-resolve-addresses.ts';
import { refuseLargeFilter } from './methods/requests/filter-size.ts';
import { UnreadRequest } from './methods/requests/unread-request.ts';
import { type CallError, withoutStack } from './errors/call-error.ts';
import { invalidArgument } from './errors/outcomes.ts';

/** A request that cannot be handled, and why; stands where the decoded message would. */
export class RefusedRequest {
  readonly error: CallError;

  constructor(error: CallError) {
    this.error = error;
  }
}

/** A service whose handlers get `Request | RefusedRequest` and answer with encoded messages. */
export function loadBytesService(serviceName: DiggerService): ServiceDefinition {
  return defineMethods(serviceType(serviceName), (method) => ({
    ...method,
    requestDeserialize: READ_BY_THEIR_METHOD.has(method.path) ? unread(method) : refusing(method),
    // The bytes are a Buffer, as grpc-js wants them (also what protobufjs makes on Node).
    responseSerialize: (bytes: object) => bytes as Buffer,
    responseDeserialize: (bytes: Buffer) => bytes,
  }));
}

/** A standard service whose handlers get and answer with objects. */
export function loadObjectService(file: string, serviceName: string): ServiceDefinition {
  return defineMethods(loadSchema([file]).lookupService(serviceName), (method) => ({
    ...method,
    requestDeserialize: refusing(method),
  }));
}

/** Digger's own services. */
export type DiggerService = (typeof DIGGER_SERVICES)[number];

export const DIGGER_SERVICES = [
  'digger.v1.LookupService',
  'digger.v1.ChangeFeedService',
  'digger.v1.StatusService',
  'digger.v1.HistoryService',
] as const;

/** As in proto/generate.ts, which generates the types of the same messages. */
const CONVERSION: protobuf.IConversionOptions = { longs: Number, enums: String, defaults: true, oneofs: true };

/** Checks on the bytes of a request, before objects are made of it. */
const PRECHECKS: ReadonlyMap<string, (bytes: Uint8Array) => CallError | undefined> = new Map([
  ['/digger.v1.LookupService/BatchResolveAddresses', refuseLargeBatch],
  ['/digger.v1.LookupService/BatchResolveContainers', refuseLargeBatch],
  ['/digger.v1.ChangeFeedService/Watch', refuseLargeFilter],
]);

/** Requests that are decoded only where their method asks for it. */
const READ_BY_THEIR_METHOD: ReadonlySet<string> = new Set(['/digger.v1.LookupService/BatchResolveAddresses']);

type Method = MethodDefinition<object, object>;

/** By the names that grpc-js looks handlers up by: those of the methods in lower camel case. */
function defineMethods(service: protobuf.Service, adapt: (method: Method) => Method): ServiceDefinition {
  const path = service.fullName.replace('.', '/');
  return Object.fromEntries(
    service.methodsArray.map((method) => {
      method.resolve();
      const { resolvedRequestType: request, resolvedResponseType: response } = method;
      if (request === null || response === null) throw new Error(`${service.fullName}.${method.name} is not resolved`);
      const definition: Method = {
        path: `${path}/${method.name}`,
        requestStream: method.requestStream === true,
        responseStream: method.responseStream === true,
        requestSerialize: encoderOf(request),
        requestDeserialize: decoderOf(request),
        responseSerialize: encoderOf(response),
        responseDeserialize: decoderOf(response),
      };
      return [method.name.charAt(0).toLowerCase() + method.name.slice(1), adapt(definition)];
    }),
  );
}

function decoderOf(type: protobuf.Type): (bytes: Buffer) => object {
  return (bytes) => type.toObject(type.decode(bytes), CONVERSION);
}

function encoderOf(type: protobuf.Type): (message: object) => Buffer {
  // On Node protobufjs writes Buffers.
  return (message) => type.encode(type.fromObject(message)).finish() as Buffer;
}

function unread(method: Method): (bytes: Buffer) => UnreadRequest<object> {
  const decode = refusing(method);
  const read = (bytes: Buffer): object => {
    const message = decode(bytes);
    if (message instanceof RefusedRequest) throw message.error;
    return message;
  };
  return (bytes) => new UnreadRequest(bytes, read);
}

function refusing({ path, requestDeserialize }: Method): (bytes: Buffer) => object {
  const precheck = PRECHECKS.get(path);
  return (bytes) => {
    const refusal = precheck?.(bytes);
    if (refusal !== undefined) return new RefusedRequest(refusal);
    try {
      // protobufjs decodes from a reader as well as from bytes. Its reader for Buffers takes a text field that is cut
      // off for a shorter text; the plain one refuses it.
      return withoutStack(() => requestDeserialize(new protobuf.Reader(bytes) as unknown as Buffer));
    } catch (error) {
      // Whatever a decoder makes of bytes that are not a message (also a RangeError) is the caller's mistake.
      const reason = error instanceof Error ? error.message : String(error);
      const description = `the request is not a valid protobuf message: ${reason}`;
      return new RefusedRequest(invalidArgument([{ field: '', reason: 'MALFORMED_MESSAGE', description }]));
    }
  };
}
