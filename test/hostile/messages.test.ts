// Messages of any content to every RPC: whatever arrives, the answer is an answer or the caller's mistake, never a bug
// of the service.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Client, credentials, type ServiceError, status } from '@grpc/grpc-js';
import fc from 'fast-check';
import type protobuf from 'protobufjs';
import { loadSchema } from '../../src/wire/schema.ts';
import type { DiggerProcess } from '../observers/digger-process.ts';
import { Story } from '../stories/story.ts';
import { besideOthers } from './bystanders.ts';

const schema = loadSchema([
  'digger/v1/lookup.proto',
  'digger/v1/feed.proto',
  'digger/v1/status.proto',
  'grpc/health/v1/health.proto',
]);

const METHODS = [
  'digger.v1.LookupService',
  'digger.v1.ChangeFeedService',
  'digger.v1.StatusService',
  'grpc.health.v1.Health',
].flatMap((name) =>
  schema.lookupService(name).methodsArray.map((method) => ({
    path: `/${name}/${method.name}`,
    streams: method.responseStream === true,
    type: (method.resolve(), method.resolvedRequestType as protobuf.Type),
  })),
);

/**
 * What a caller may be told about nonsense. A wait, or a stream, that is longer than the test ends with its deadline.
 */
const EXPECTED: ReadonlySet<status> = new Set([
  status.OK,
  status.INVALID_ARGUMENT,
  status.NOT_FOUND,
  status.RESOURCE_EXHAUSTED,
  status.DEADLINE_EXCEEDED,
]);

const DEADLINE_MS = 1_000;

const anyText = fc.oneof(
  fc.constantFrom(
    '',
    '10.244.1.2',
    '::ffff:10.244.1.2',
    'shop',
    'cart-redis-0',
    'Deployment',
    'apps',
    '\u0000',
    '\ud800',
  ),
  fc.string({ unit: 'binary', maxLength: 40 }),
);
const anyNumber = fc.oneof(fc.constantFrom(0, 1, -1, 80, 65_535, 65_536, 2 ** 31 - 1, -(2 ** 31)), fc.integer());

/** A message of this type with whatever its fields may hold, two levels deep. */
function anyMessage(type: protobuf.Type, depth = 0): fc.Arbitrary<object> {
  const fields = type.fieldsArray.map((field): [string, fc.Arbitrary<unknown>] => {
    const one = anyValue(field, depth);
    if (field.map) return [field.name, fc.dictionary(fc.string({ maxLength: 8 }), one, { maxKeys: 70 })];
    return [field.name, field.repeated ? fc.array(one, { maxLength: 20 }) : one];
  });
  return fc.record(Object.fromEntries(fields), { requiredKeys: [] });
}

function anyValue(field: protobuf.Field, depth: number): fc.Arbitrary<unknown> {
  field.resolve();
  const { resolvedType } = field;
  if (resolvedType !== null && 'fieldsArray' in resolvedType) {
    return depth < 3 ? anyMessage(resolvedType, depth + 1) : fc.constant({});
  }
  if (resolvedType !== null) return fc.integer({ min: -1, max: 12 });
  switch (field.type) {
    case 'string':
      return anyText;
    case 'bytes':
      return fc.uint8Array({ maxLength: 300 });
    case 'bool':
      return fc.boolean();
    default:
      return anyNumber;
  }
}

/** Bytes of such a message, as they are, cut off, or with some of them changed. */
function anyRequest(type: protobuf.Type): fc.Arbitrary<Buffer> {
  const whole = anyMessage(type).map((message) => Buffer.from(type.encode(type.fromObject(message)).finish()));
  const cut = fc.tuple(whole, fc.nat()).map(([bytes, at]) => bytes.subarray(0, at % (bytes.length + 1)));
  const changed = fc.tuple(whole, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 5 })).map(([bytes, edits]) => {
    const copy = Buffer.from(bytes);
    for (const [at, value] of edits) if (copy.length > 0) copy[at % copy.length] = value;
    return copy;
  });
  return fc.oneof(
    whole,
    cut,
    changed,
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  );
}

describe('requests of any content', () => {
  let story: Story;
  let digger: DiggerProcess;
  let client: Client;
  before(async () => {
    story = await Story.begin();
    digger = await story.startDigger();
    await digger.untilReady();
    client = new Client(digger.address, credentials.createInsecure(), { 'grpc.enable_retries': 0 });
    // It keeps its connection until the end.
    await call('/digger.v1.StatusService/GetStatus', Buffer.alloc(0));
  });
  after(async () => {
    client?.close();
    await story?.end();
  });

  it('are there for every RPC', () => {
    assert.ok(METHODS.length >= 11, METHODS.map(({ path }) => path).join(', '));
  });

  for (const { path, streams, type } of METHODS) {
    it(`to ${path} are answered, or refused as what they are`, async () => {
      await besideOthers(story, digger, () =>
        fc.assert(
          fc.asyncProperty(anyRequest(type), async (request) => {
            const { code, details } = await (streams ? firstOf(path, request) : call(path, request));
            assert.ok(EXPECTED.has(code), `${status[code]}: ${details}`);
          }),
          { numRuns: 150, interruptAfterTimeLimit: 10_000 },
        ),
      );
      assert.doesNotMatch(digger.log, /"level":"(?:error|fatal)"/);
    });
  }

  type End = Pick<ServiceError, 'code' | 'details'>;
  const OK: End = { code: status.OK, details: '' };
  const same = (bytes: Buffer): Buffer => bytes;

  function call(path: string, request: Buffer): Promise<End> {
    return new Promise((resolve) => {
      const options = { deadline: Date.now() + DEADLINE_MS };
      client.makeUnaryRequest(path, same, same, request, options, (error) => resolve(error ?? OK));
    });
  }

  /** The first message of a stream, or its end; then it is cancelled. */
  function firstOf(path: string, request: Buffer): Promise<End> {
    return new Promise((resolve) => {
      const stream = client.makeServerStreamRequest(path, same, same, request, { deadline: Date.now() + DEADLINE_MS });
      stream.once('data', () => {
        resolve(OK);
        stream.cancel();
      });
      stream.on('error', (error: ServiceError) => resolve(error));
      stream.on('end', () => resolve(OK));
    });
  }
});
