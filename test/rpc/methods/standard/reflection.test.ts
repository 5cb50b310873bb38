// Reflection as tools without .proto files use it.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

import {
  type ClientDuplexStream,
  credentials,
  makeGenericClientConstructor,
  type ServiceDefinition,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import protobuf from 'protobufjs';
import descriptor from 'protobufjs/ext/descriptor/index.js';

import { PROTO_ROOT } from '../../../../src/wire/schema.ts';
import { type Json, serve, type Serving } from '../../serving.ts';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));

/** Files of the descriptor set as buf builds it now, by name. */
function buildWithBuf(): ReadonlyMap<string, Buffer> {
  const folder = mkdtempSync(join(tmpdir(), 'digger-reflection-'));
  try {
    const path = join(folder, 'set.binpb');
    const buf = join(ROOT, 'node_modules/.bin/buf');
    execFileSync(buf, ['build', 'proto', '--as-file-descriptor-set', '-o', path], { cwd: ROOT });
    const reader = protobuf.Reader.create(readFileSync(path));
    const files = new Map<string, Buffer>();
    while (reader.pos < reader.len) {
      assert.equal(reader.uint32(), 0x0a);
      const bytes = Buffer.from(reader.bytes());
      files.set(nameOf(bytes), bytes);
    }
    return files;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function nameOf(file: Uint8Array): string {
  return (descriptor.FileDescriptorProto.decode(file) as unknown as { name: string }).name;
}

for (const version of ['v1', 'v1alpha'] as const) {
  describe(`reflection ${version}`, () => {
    let serving: Serving;
    let ask: (...requests: readonly Json[]) => Promise<readonly Json[]>;
    let close: () => void;
    const built = buildWithBuf();

    before(async () => {
      serving = await serve();
      const options = { includeDirs: [PROTO_ROOT], oneofs: true };
      const loaded = loadSync(`grpc/reflection/${version}/reflection.proto`, options);
      const definition = loaded[`grpc.reflection.${version}.ServerReflection`] as ServiceDefinition;
      const Client = makeGenericClientConstructor(definition, 'ServerReflection');
      const client = new Client(serving.target, credentials.createInsecure());
      close = () => client.close();
      ask = (...requests) =>
        new Promise((resolve, reject) => {
          const call = client['ServerReflectionInfo']?.() as ClientDuplexStream<Json, Json>;
          const answers: Json[] = [];
          call.on('data', (answer: Json) => answers.push(answer));
          call.on('error', reject);
          call.on('end', () => resolve(answers));
          for (const request of requests) call.write(request);
          call.end();
        });
    });
    after(async () => {
      close();
      await serving.stop();
    });

    async function filesFor(request: Json): Promise<readonly Buffer[]> {
      const [answer] = await ask(request);
      const response = answer?.['fileDescriptorResponse'] as { fileDescriptorProto: readonly Buffer[] } | undefined;
      assert.ok(response, JSON.stringify(answer));
      return response.fileDescriptorProto;
    }

    it('lists every service', async () => {
      const [answer] = (await ask({ listServices: '*' })) as [Json];
      const { service } = answer['listServicesResponse'] as { service: readonly Json[] };
      assert.deepEqual(
        service.map(({ name }) => name),
        [
          'digger.v1.ChangeFeedService',
          'digger.v1.HistoryService',
          'digger.v1.LookupService',
          'digger.v1.StatusService',
          'grpc.health.v1.Health',
          'grpc.reflection.v1.ServerReflection',
          'grpc.reflection.v1alpha.ServerReflection',
        ],
      );
    });

    it('serves the bytes of every file as buf built them, with all imports', async () => {
      assert.ok(built.has('google/protobuf/timestamp.proto') && built.has('google/rpc/error_details.proto'));
      for (const [name, bytes] of built) {
        const files = await filesFor({ fileByFilename: name });
        assert.ok(files[0]?.equals(bytes), `${name} differs`);
        const names = files.map(nameOf);
        assert.equal(new Set(names).size, names.length, `${name}: a file came twice`);
        for (const file of files) {
          assert.ok(built.get(nameOf(file))?.equals(file), `${nameOf(file)} differs`);
          const { dependency } = descriptor.FileDescriptorProto.decode(file) as unknown as { dependency: string[] };
          for (const needed of dependency) assert.ok(names.includes(needed), `${name} comes without ${needed}`);
        }
      }
    });

    for (const [symbol, file] of [
      ['digger.v1.LookupService', 'digger/v1/lookup.proto'],
      ['digger.v1.LookupService.GetPod', 'digger/v1/lookup.proto'],
      ['digger.v1.Pod', 'digger/v1/entities.proto'],
      ['digger.v1.Pod.labels', 'digger/v1/entities.proto'],
      ['digger.v1.Pod.LabelsEntry', 'digger/v1/entities.proto'],
      ['digger.v1.Resolution.target', 'digger/v1/lookup.proto'],
      ['digger.v1.Outcome', 'digger/v1/lookup.proto'],
      ['digger.v1.OUTCOME_RESOLVED', 'digger/v1/lookup.proto'],
      ['google.rpc.BadRequest.FieldViolation', 'google/rpc/error_details.proto'],
      ['grpc.health.v1.HealthCheckResponse.ServingStatus', 'grpc/health/v1/health.proto'],
      ['google.protobuf.Timestamp', 'google/protobuf/timestamp.proto'],
      ['google.protobuf.Any', 'google/protobuf/any.proto'],
    ] as const) {
      it(`finds ${symbol}`, async () => {
        const [first] = await filesFor({ fileContainingSymbol: symbol });
        assert.equal(nameOf(first as Buffer), file);
      });
    }

    it('answers what does not exist with an error, and goes on', async () => {
      const answers = await ask(
        { fileByFilename: 'nothing.proto' },
        { fileContainingSymbol: 'digger.v1.Nothing' },
        { fileContainingSymbol: 'digger' },
        { fileContainingExtension: { containingType: 'digger.v1.Pod', extensionNumber: 1 } },
        { allExtensionNumbersOfType: 'digger.v1.Nothing' },
        { allExtensionNumbersOfType: 'digger.v1.Pod' },
        {},
        { listServices: '' },
      );
      assert.deepEqual(
        answers.map((answer) => answer['messageResponse']),
        [
          ...Array.from({ length: 5 }, () => 'errorResponse'),
          'allExtensionNumbersResponse',
          'errorResponse',
          'listServicesResponse',
        ],
      );
      const codes = answers.map((answer) => (answer['errorResponse'] as Json | undefined)?.['errorCode']);
      assert.deepEqual(codes, [5, 5, 5, 5, 5, undefined, 3, undefined]);
    });

    it('repeats the question in the answer', async () => {
      const [answer] = (await ask({ host: 'h', fileContainingSymbol: 'digger.v1.Pod' })) as [Json];
      assert.equal(answer['validHost'], 'h');
      assert.equal((answer['originalRequest'] as Json)['fileContainingSymbol'], 'digger.v1.Pod');
    });
  });
}

describe('generated files', () => {
  it('are what the .proto files say', () => {
    execFileSync(process.execPath, [join(ROOT, 'proto/generate.ts'), '--check'], { cwd: ROOT, stdio: 'pipe' });
  });
});
