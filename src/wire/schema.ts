// The message types of proto/, as protobufjs reads them from the .proto files: the one place that knows where these
// files are. Everything that makes or reads bytes takes its field numbers from here, so none is written twice.

import protobuf from 'protobufjs';
import { packageFile } from '../package/own-files.ts';

/** Folder of the .proto files, with a slash at the end. */
export const PROTO_ROOT: string = packageFile('proto/');

/** Files of digger's own contract, relative to PROTO_ROOT. */
export const DIGGER_PROTO_FILES: readonly string[] = [
  'digger/v1/entities.proto',
  'digger/v1/lookup.proto',
  'digger/v1/feed.proto',
  'digger/v1/status.proto',
  'digger/v1/history.proto',
  'google/rpc/status.proto',
  'google/rpc/error_details.proto',
];

/** Loads .proto files (relative to PROTO_ROOT) and what they import. Throws when one is missing or malformed. */
export function loadSchema(files: readonly string[]): protobuf.Root {
  const root = new protobuf.Root();
  // Well-known types (google/protobuf/*) come with protobufjs under their import path; it looks for that path first.
  root.resolvePath = (_origin, target) => (target.startsWith('google/protobuf/') ? target : `${PROTO_ROOT}${target}`);
  root.loadSync([...files]);
  root.resolveAll();
  return root;
}

const root = loadSchema(DIGGER_PROTO_FILES);

/** A message type of the contract by its full name, e.g. `digger.v1.Pod`. Throws when it is unknown. */
export function messageType(fullName: string): protobuf.Type {
  return root.lookupType(fullName);
}

/** A service of the contract by its full name. Throws when it is unknown. */
export function serviceType(fullName: string): protobuf.Service {
  return root.lookupService(fullName);
}

/** Values of an enum of the contract by name, e.g. `digger.v1.Outcome`. */
export function enumValues(fullName: string): Readonly<Record<string, number>> {
  return root.lookupEnum(fullName).values;
}
