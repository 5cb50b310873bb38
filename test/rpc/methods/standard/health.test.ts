// Health for every name that a prober may ask for, before and after the picture is complete.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import {
  type ClientReadableStream,
  credentials,
  makeGenericClientConstructor,
  type ServiceClientConstructor,
  type ServiceDefinition,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

import { PROTO_ROOT } from '../../../../src/wire/schema.ts';
import { eventually, type Json, serve, type Serving, toFailure } from '../../serving.ts';

const loaded = loadSync('grpc/health/v1/health.proto', { includeDirs: [PROTO_ROOT], enums: String, defaults: true });
const HealthClient: ServiceClientConstructor = makeGenericClientConstructor(
  loaded['grpc.health.v1.Health'] as ServiceDefinition,
  'Health',
);

const NAMES = [
  '',
  'digger.v1.ChangeFeedService',
  'digger.v1.HistoryService',
  'digger.v1.LookupService',
  'digger.v1.StatusService',
  'liveness',
  'readiness',
];

describe('health', () => {
  let serving: Serving;
  let client: InstanceType<ServiceClientConstructor>;
  before(async () => {
    serving = await serve();
    client = new HealthClient(serving.target, credentials.createInsecure());
  });
  after(async () => {
    client.close();
    await serving.stop();
  });

  function unary(method: string, request: Json): Promise<Json> {
    return new Promise((resolve, reject) => {
      client[method]?.(request, (error: Error | null, answer: Json) =>
        error === null ? resolve(answer) : reject(error),
      );
    });
  }

  async function states(): Promise<Readonly<Record<string, unknown>>> {
    const { statuses } = (await unary('List', {})) as { statuses: Readonly<Record<string, Json>> };
    return Object.fromEntries(Object.entries(statuses).map(([name, state]) => [name, state['status']]));
  }

  it('knows the server as a whole, every service, liveness and readiness', async () => {
    serving.server.setReady(true);
    assert.deepEqual(Object.keys(await states()).toSorted(), NAMES);
    for (const service of NAMES) assert.deepEqual(await unary('Check', { service }), { status: 'SERVING' });
  });

  it('of what needs the picture follows readiness; liveness and status do not', async () => {
    serving.server.setReady(false);
    assert.deepEqual(await states(), {
      '': 'NOT_SERVING',
      'digger.v1.ChangeFeedService': 'NOT_SERVING',
      'digger.v1.HistoryService': 'NOT_SERVING',
      'digger.v1.LookupService': 'NOT_SERVING',
      'digger.v1.StatusService': 'SERVING',
      liveness: 'SERVING',
      readiness: 'NOT_SERVING',
    });
    serving.server.setReady(true);
    assert.equal((await states())['readiness'], 'SERVING');
  });

  it('of an unknown service is NOT_FOUND, quoting a prefix of its name', async () => {
    const error = await unary('Check', { service: 'x'.repeat(16_000) }).catch((thrown: unknown) => thrown);
    const { code, message } = toFailure(error);
    assert.equal(code, 'NOT_FOUND');
    assert.ok(message.length < 200, `${message.length} characters`);
  });

  it('is watched: the state now, then every change', async () => {
    serving.server.setReady(true);
    const seen: unknown[] = [];
    const call = client['Watch']?.({ service: 'readiness' }) as ClientReadableStream<Json>;
    call.on('error', () => undefined);
    call.on('data', (state: Json) => seen.push(state['status']));
    const sees = (states: readonly string[]) =>
      eventually(
        () => JSON.stringify(seen) === JSON.stringify(states),
        () => JSON.stringify(seen),
      );
    await sees(['SERVING']);
    serving.server.setReady(false);
    await sees(['SERVING', 'NOT_SERVING']);
    serving.server.setReady(true);
    await sees(['SERVING', 'NOT_SERVING', 'SERVING']);
    call.cancel();
  });

  it('of an unknown service is watched as SERVICE_UNKNOWN, and stays open', async () => {
    const seen: unknown[] = [];
    const call = client['Watch']?.({ service: 'unknown' }) as ClientReadableStream<Json>;
    let ended = false;
    call.on('error', () => undefined);
    call.on('end', () => {
      ended = true;
    });
    call.on('data', (state: Json) => seen.push(state['status']));
    await eventually(
      () => seen.length === 1,
      () => JSON.stringify(seen),
    );
    // A call that is made later is answered later: had the stream been ended, its end would have come first.
    await unary('Check', { service: '' });
    assert.deepEqual(seen, ['SERVICE_UNKNOWN']);
    assert.equal(ended, false);
    call.cancel();
  });
});
