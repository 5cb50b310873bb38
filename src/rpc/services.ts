// The gRPC services that this server has, read from the .proto files, with the two things that differ from what
// proto-loader makes of them: answers are bytes already, and a request that is no message is a value, not an exception.
//
// grpc-js turns an exception of a deserializer into INTERNAL, which blames the server and says nothing; as a value it
// reaches the handler, which answers INVALID_ARGUMENT as it does for every other wrong request.

import type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js';
import { loadSync, type Options, type PackageDefinition } from '@grpc/proto-loader';
import protobuf from 'protobufjs';

import { PROTO_ROOT } from '../wire/schema.ts';
import { refuseLargeBatch } from './batch-resolve-addresses.ts';
import { type CallError, invalidArgument } from './errors.ts';

/** A request that cannot be handled, and why; stands where the decoded message would. */
export class RefusedRequest {
  readonly error: CallError;

  constructor(error: CallError) {
    this.error = error;
  }
}

/** A service whose handlers get `Request | RefusedRequest` and answer with encoded messages. */
export function loadBytesService(serviceName: DiggerService): ServiceDefinition {
  return mapMethods(serviceIn(diggerPackage(), serviceName), (method) => ({
    ...method,
    requestDeserialize: refusing(method),
    // The bytes are a Buffer, as grpc-js wants them (also what protobufjs makes on Node).
    responseSerialize: (bytes: object) => bytes as Buffer,
    responseDeserialize: (bytes: Buffer) => bytes,
  }));
}

/** A standard service whose handlers get and answer with objects. */
export function loadObjectService(file: string, serviceName: string): ServiceDefinition {
  return mapMethods(serviceIn(loadSync(file, LOAD_OPTIONS), serviceName), (method) => ({
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
] as const;

/** As in proto/generate.ts, which generates the types of the same messages. */
const LOAD_OPTIONS: Options = {
  longs: Number,
  enums: String,
  defaults: true,
  oneofs: true,
  includeDirs: [PROTO_ROOT],
};

/** Checks on the bytes of a request, before objects are made of it. */
const PRECHECKS: ReadonlyMap<string, (bytes: Uint8Array) => CallError | undefined> = new Map([
  ['/digger.v1.LookupService/BatchResolveAddresses', refuseLargeBatch],
]);

let loaded: PackageDefinition | undefined;

function diggerPackage(): PackageDefinition {
  loaded ??= loadSync(['digger/v1/lookup.proto', 'digger/v1/feed.proto', 'digger/v1/status.proto'], LOAD_OPTIONS);
  return loaded;
}

function serviceIn(definitions: PackageDefinition, name: string): ServiceDefinition {
  const found = definitions[name];
  if (found === undefined || 'format' in found) throw new Error(`the .proto files declare no service ${name}`);
  return found as ServiceDefinition;
}

type Method = MethodDefinition<object, object>;

function mapMethods(service: ServiceDefinition, map: (method: Method) => Method): ServiceDefinition {
  return Object.fromEntries(Object.entries(service).map(([name, method]) => [name, map(method as Method)]));
}

function refusing({ path, requestDeserialize }: Method): (bytes: Buffer) => object {
  const precheck = PRECHECKS.get(path);
  return (bytes) => {
    const refusal = precheck?.(bytes);
    if (refusal !== undefined) return new RefusedRequest(refusal);
    try {
      // protobufjs decodes from a reader as well as from bytes. Its reader for Buffers takes a text field that is cut
      // off for a shorter text; the plain one refuses it.
      return requestDeserialize(new protobuf.Reader(bytes) as unknown as Buffer);
    } catch (error) {
      // Whatever a decoder makes of bytes that are no message (also a RangeError) is the caller's mistake.
      const reason = error instanceof Error ? error.message : String(error);
      const description = `the request is not a valid protobuf message: ${reason}`;
      return new RefusedRequest(invalidArgument([{ field: '', reason: 'MALFORMED_MESSAGE', description }]));
    }
  };
}
