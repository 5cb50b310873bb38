// Asks whatever RPCs a server says that it has, and hands over what came back as bytes: for tests of what must not be
// in any answer.
import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import type { Client } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import type { Message } from './digger-client.ts';

const PROTO = fileURLToPath(new URL('../../proto', import.meta.url));

export interface Method {
  readonly requestStream: boolean;
  readonly encode: (request: Message) => Buffer;
}

/** The RPCs of all services that reflection lists, in the schema of the .proto files. */
export async function methodsOf(client: Client): Promise<ReadonlyMap<string, Method>> {
  const files = [
    'digger/v1/lookup',
    'digger/v1/feed',
    'digger/v1/status',
    'digger/v1/history',
    'grpc/health/v1/health',
  ];
  const reflection = ['grpc/reflection/v1/reflection', 'grpc/reflection/v1alpha/reflection'];
  const schema = loadSync(
    [...files, ...reflection].map((file) => `${file}.proto`),
    { includeDirs: [PROTO] },
  );
  const path = '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo';
  const service = schema['grpc.reflection.v1.ServerReflection'] as unknown as Record<string, Definition>;
  const { requestSerialize, responseDeserialize } = Object.values(service)[0] as Definition;
  const method = { requestStream: true, encode: requestSerialize };
  const [answer] = await exchange(client, path, method, { listServices: '' });
  const listed = responseDeserialize(answer ?? Buffer.alloc(0))['listServicesResponse'][
    'service'
  ] as readonly Message[];
  assert.ok(listed.length >= 6, JSON.stringify(listed));
  const methods = new Map<string, Method>();
  for (const { name } of listed) {
    const definition = schema[name] as unknown as Record<string, Definition> | undefined;
    assert.ok(definition, `the schema of ${name}`);
    for (const { path: each, requestStream, requestSerialize: encode } of Object.values(definition)) {
      methods.set(each, { requestStream, encode });
    }
  }
  return methods;
}

interface Definition {
  readonly path: string;
  readonly requestStream: boolean;
  readonly requestSerialize: (request: Message) => Buffer;
  readonly responseDeserialize: (bytes: Buffer) => Message;
}

/**
 * Every message of the answer as it came, and the trailers of an error; a stream that does not end is left after one.
 */
export function exchange(client: Client, path: string, method: Method, request: Message): Promise<readonly Buffer[]> {
  const same = (bytes: Buffer): Buffer => bytes;
  const options = { deadline: Date.now() + 20_000 };
  const answered: Buffer[] = [];
  const bytes = method.encode(request);
  const conversation = method.requestStream ? client.makeBidiStreamRequest(path, same, same, options) : undefined;
  conversation?.write(bytes);
  conversation?.end();
  const call = conversation ?? client.makeServerStreamRequest(path, same, same, bytes, options);
  const isEndless = path === '/grpc.health.v1.Health/Watch';
  return new Promise((resolve) => {
    call.on('data', (bytes: Buffer) => {
      answered.push(bytes);
      if (isEndless) call.cancel();
    });
    call.on('error', (error: { details: string; metadata: { toJSON(): unknown } }) => {
      if (!isEndless) answered.push(Buffer.from(`${error.details}${JSON.stringify(error.metadata.toJSON())}`));
      resolve(answered);
    });
    call.on('end', () => resolve(answered));
  });
}
