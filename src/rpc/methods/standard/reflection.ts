// Server reflection, v1 and v1alpha: what grpcurl and tools like it ask to learn the schema. Both versions are the same
// messages under two names.
//
// A question without an answer is an ErrorResponse in the stream, not the end of it. Requests are small and answers
// come from an index, so each is answered at once; a client that does not read is stopped by reading no further
// questions from it until its answers have left.

import type { Server, ServerDuplexStream } from '@grpc/grpc-js';
import { status } from '@grpc/grpc-js';

import type { ServerReflectionRequest__Output } from '../../../wire/generated/grpc/reflection/v1/ServerReflectionRequest.ts';
import type { ServerReflectionResponse } from '../../../wire/generated/grpc/reflection/v1/ServerReflectionResponse.ts';
import { DescriptorIndex } from './descriptor-index.ts';
import { quote } from '../../errors/call-error.ts';
import { DESCRIPTOR_SET_BASE64 } from '../../generated/descriptor-set.ts';
import { loadObjectService, RefusedRequest } from '../../services.ts';

/** Adds both versions; `services` are the full names that `list_services` tells, besides reflection's own. */
export function addReflection(server: Server, services: readonly string[]): void {
  // Read at the first question: few processes are ever asked one.
  let read: DescriptorIndex | undefined;
  const index = (): DescriptorIndex => (read ??= new DescriptorIndex(Buffer.from(DESCRIPTOR_SET_BASE64, 'base64')));
  const names = [...services, ...VERSIONS.map((version) => `grpc.reflection.${version}.ServerReflection`)].toSorted();
  for (const version of VERSIONS) {
    const file = `grpc/reflection/${version}/reflection.proto`;
    const definition = loadObjectService(file, `grpc.reflection.${version}.ServerReflection`);
    server.addService(definition, {
      serverReflectionInfo: (call: ReflectionCall) => {
        serve(call, (request) => answerReflection(request, index(), names));
      },
    });
  }
}

/** The answer to one question. */
export function answerReflection(
  request: ServerReflectionRequest__Output,
  index: DescriptorIndex,
  services: readonly string[],
): ServerReflectionResponse {
  const origin = { validHost: request.host, originalRequest: request };
  const files = (found: readonly Uint8Array[] | undefined, what: string): ServerReflectionResponse =>
    found === undefined
      ? { ...origin, errorResponse: notFound(what) }
      : { ...origin, fileDescriptorResponse: { fileDescriptorProto: [...found] } };

  switch (request.messageRequest) {
    case 'listServices':
      return { ...origin, listServicesResponse: { service: services.map((name) => ({ name })) } };
    case 'fileByFilename': {
      const name = request.fileByFilename ?? '';
      return files(index.fileByName(name), `file "${quote(name)}"`);
    }
    case 'fileContainingSymbol': {
      const symbol = request.fileContainingSymbol ?? '';
      return files(index.fileBySymbol(symbol), `symbol "${quote(symbol)}"`);
    }
    case 'fileContainingExtension': {
      // The schema is proto3 and declares no extensions.
      const { containingType = '', extensionNumber = 0 } = request.fileContainingExtension ?? {};
      return files(undefined, `extension ${extensionNumber} of "${quote(containingType)}"`);
    }
    case 'allExtensionNumbersOfType': {
      const name = request.allExtensionNumbersOfType ?? '';
      if (!index.isMessage(name)) return { ...origin, errorResponse: notFound(`message "${quote(name)}"`) };
      return { ...origin, allExtensionNumbersResponse: { baseTypeName: name, extensionNumber: [] } };
    }
    default:
      return {
        ...origin,
        errorResponse: { errorCode: status.INVALID_ARGUMENT, errorMessage: 'the request asks nothing' },
      };
  }
}

const VERSIONS = ['v1', 'v1alpha'] as const;

type ReflectionCall = ServerDuplexStream<ServerReflectionRequest__Output | RefusedRequest, ServerReflectionResponse>;

function notFound(what: string): { errorCode: number; errorMessage: string } {
  return { errorCode: status.NOT_FOUND, errorMessage: `no ${what}` };
}

function serve(
  call: ReflectionCall,
  answer: (request: ServerReflectionRequest__Output) => ServerReflectionResponse,
): void {
  call.on('data', (request: ServerReflectionRequest__Output | RefusedRequest) => {
    if (request instanceof RefusedRequest) {
      call.emit('error', { code: request.error.code, details: request.error.message });
      return;
    }
    if (call.write(answer(request))) return;
    call.pause();
    call.once('drain', () => call.resume());
  });
  call.on('end', () => call.end());
}
