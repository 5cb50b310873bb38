// Reads the `google.rpc.Status` that comes with a failed call.
import { fileURLToPath } from 'node:url';
import type { ServiceError } from '@grpc/grpc-js';
import protobuf from 'protobufjs';
import type { Message } from './digger-client.ts';

/** The details of a failed call, by their short type name (`ErrorInfo`, `RetryInfo`, …). */
export function errorDetails(error: ServiceError): Readonly<Record<string, Message>> {
  const [binary] = error.metadata.get('grpc-status-details-bin');
  return Buffer.isBuffer(binary) ? decodeDetails(binary) : {};
}

/** The same from the bytes of the trailer. */
export function decodeDetails(binary: Uint8Array): Readonly<Record<string, Message>> {
  const decoded = root().lookupType('google.rpc.Status').decode(binary) as unknown as {
    details: readonly { readonly type_url: string; readonly value: Uint8Array }[];
  };
  return Object.fromEntries(
    decoded.details.map((detail) => {
      const name = detail.type_url.slice(detail.type_url.lastIndexOf('/') + 1);
      const type = root().lookupType(name);
      return [
        name.slice(name.lastIndexOf('.') + 1),
        type.toObject(type.decode(detail.value), { longs: String, enums: String }),
      ];
    }),
  );
}

let loaded: protobuf.Root | undefined;

function root(): protobuf.Root {
  if (loaded) return loaded;
  const directory = fileURLToPath(new URL('../../proto/', import.meta.url));
  const fresh = new protobuf.Root();
  fresh.resolvePath = (_origin, target) => (target.startsWith('/') ? target : directory + target);
  fresh.loadSync(['google/rpc/status.proto', 'google/rpc/error_details.proto'], { keepCase: true });
  loaded = fresh;
  return fresh;
}
