// What a caller hears who asks for something that cannot be answered: a code, a sentence that names the field, and
// details for programs. Whatever was sent, the process and all other callers go on unharmed.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type ServiceError, status } from '@grpc/grpc-js';
import type { Message } from '../observers/digger-client.ts';
import type { DiggerProcess } from '../observers/digger-process.ts';
import { errorDetails } from '../observers/rpc-error.ts';
import { Story } from './story.ts';

const ADDRESS = '10.244.1.2';

/** A call, what it sends, and the fields that the answer has to name. */
type Refused = readonly [title: string, method: string, request: Message, fields: readonly string[]];

const REFUSED: readonly Refused[] = [
  ['no address', 'ResolveAddress', {}, ['address']],
  ['a name instead of an address', 'ResolveAddress', { address: 'frontend.shop' }, ['address']],
  ['an address with a port', 'ResolveAddress', { address: `${ADDRESS}:80` }, ['address']],
  ['an address of 60 kB', 'ResolveAddress', { address: '1'.repeat(60_000) }, ['address']],
  ['port 0', 'ResolveAddress', { address: ADDRESS, port: 0 }, ['port']],
  ['port 65,536', 'ResolveAddress', { address: ADDRESS, port: 65_536 }, ['port']],
  ['an unknown protocol', 'ResolveAddress', { address: ADDRESS, protocol: 17 }, ['protocol']],
  ['a moment in the future', 'ResolveAddress', { address: ADDRESS, at: inSeconds(3_600) }, ['at']],
  ['a wait of an hour', 'ResolveAddress', { address: ADDRESS, wait: { seconds: 3_600 } }, ['wait']],
  ['two mistakes', 'ResolveAddress', { address: 'x', port: 0 }, ['address', 'port']],
  ['an empty batch', 'BatchResolveAddresses', {}, ['queries']],
  ['a batch of 1,001', 'BatchResolveAddresses', { queries: queries(1_001) }, ['queries']],
  ['a pod without a name', 'GetPod', { namespace: 'shop' }, ['name']],
  ['a service without a namespace', 'GetService', { name: 'frontend' }, ['namespace']],
  ['a node without a name', 'GetNode', {}, ['name']],
  ['a workload without a kind', 'GetWorkload', { namespace: 'shop', name: 'x' }, ['kind']],
];

describe('a bad question', () => {
  let story: Story;
  let digger: DiggerProcess;

  before(async () => {
    story = await Story.begin();
    digger = await story.startReadyDigger();
  });
  after(() => story?.end());

  for (const [title, method, request, fields] of REFUSED) {
    it(`${method} with ${title} is INVALID_ARGUMENT and names ${fields.join(' and ')}`, async () => {
      const error = await besideOthers(failure(digger.call('LookupService', method, request)));
      assert.equal(error.code, status.INVALID_ARGUMENT, String(error));
      for (const field of fields) assert.ok(error.details.includes(`${field}: `), error.details);
      assert.ok(error.details.length < 1_000, `${error.details.length} characters`);
      const { ErrorInfo, BadRequest, RequestInfo, RetryInfo } = errorDetails(error);
      assert.equal(ErrorInfo?.['domain'], 'digger');
      const violations = BadRequest?.['field_violations'] as readonly Message[];
      assert.deepEqual(
        violations.map((violation) => violation['field']),
        fields,
      );
      assert.ok(RequestInfo?.['request_id'], 'can be found in the log');
      assert.equal(RetryInfo, undefined, 'asking again does not help');
    });
  }

  for (const [title, request, field] of [
    ['bytes that are no resume token', { resumeToken: Buffer.from('no token') }, 'resume_token'],
    ['a kind that does not exist', { filter: { kinds: [9] } }, 'filter.kinds[0]'],
    ['1,001 namespaces', { filter: { namespaces: Array(1_001).fill('shop') } }, 'filter.namespaces'],
  ] as const) {
    it(`Watch with ${title} is INVALID_ARGUMENT and names ${field}`, async () => {
      const subscription = digger.watch(request);
      const error = await besideOthers(subscription.ended);
      assert.equal(error?.code, status.INVALID_ARGUMENT, String(error));
      assert.ok(error.details.startsWith(`${field}: `), error.details);
      assert.deepEqual(subscription.frames, []);
    });
  }

  for (const [title, bytes] of [
    ['a field that is cut off', Buffer.from([0x0a, 0x7f, 0x31])],
    ['a number without an end', Buffer.alloc(20, 0xff)],
    ['a wire type that does not exist', Buffer.from([0x0f])],
    ['a thousand groups in one another', Buffer.alloc(1_000, 0x7b)],
  ] as const) {
    it(`malformed protobuf, ${title}, is INVALID_ARGUMENT`, async () => {
      for (const path of ['LookupService/ResolveAddress', 'LookupService/GetPod', 'StatusService/GetStatus']) {
        const error = await besideOthers(failure(digger.callBytes(`/digger.v1.${path}`, bytes)));
        assert.equal(error.code, status.INVALID_ARGUMENT, `${path}: ${error}`);
        assert.equal(errorDetails(error)['BadRequest']?.['field_violations'][0]['reason'], 'MALFORMED_MESSAGE');
      }
    });
  }

  it('a bad item of a batch is an error of that item alone', async () => {
    const asked = [{ address: ADDRESS }, { address: 'x' }, { address: ADDRESS, port: 0 }, { address: ADDRESS }];
    const { results } = await digger.call('LookupService', 'BatchResolveAddresses', { queries: asked });
    const outcomes = (results as readonly Message[]).map((result) => result['error']?.['code'] ?? 'resolution');
    assert.deepEqual(outcomes, ['resolution', status.INVALID_ARGUMENT, status.INVALID_ARGUMENT, 'resolution']);
    assert.match(results[1]['error']['message'], /address/);
    assert.match(results[2]['error']['message'], /port/);
  });

  it('1,000 queries are a batch', async () => {
    const { results } = await digger.call('LookupService', 'BatchResolveAddresses', { queries: queries(1_000) });
    assert.equal(results.length, 1_000);
  });

  for (const [method, request] of [
    ['GetPod', { namespace: 'shop', name: 'nobody' }],
    ['GetPod', { namespace: 'shop', name: 'cart-redis-0', uid: 'of its predecessor' }],
    ['GetService', { namespace: 'shop', name: 'nobody' }],
    ['GetNode', { name: 'nobody' }],
    ['GetWorkload', { apiGroup: 'apps', kind: 'Deployment', namespace: 'shop', name: 'nobody' }],
  ] as const) {
    it(`${method} of ${JSON.stringify(request)} is NOT_FOUND, OBJECT_NOT_FOUND`, async () => {
      const error = await failure(digger.call('LookupService', method, request));
      assert.equal(error.code, status.NOT_FOUND, String(error));
      const { ErrorInfo } = errorDetails(error);
      assert.deepEqual([ErrorInfo?.['reason'], ErrorInfo?.['domain']], ['OBJECT_NOT_FOUND', 'digger']);
      assert.equal(ErrorInfo?.['metadata']['name'], request.name);
    });
  }

  for (const [mistake, request, didYouMean, text] of [
    [
      'no API group',
      { kind: 'Deployment' },
      'Deployment.apps',
      /api_group is empty, and Deployment is a kind of "apps"/,
    ],
    ['a group with its version', { apiGroup: 'apps/v1', kind: 'Deployment' }, 'Deployment.apps', /without a version/],
    [
      'a kind in lower case',
      { apiGroup: 'apps', kind: 'deployment' },
      'Deployment.apps',
      /Deployment \(api_group apps\)/,
    ],
    ['the plural of a path', { apiGroup: 'apps', kind: 'deployments' }, 'Deployment.apps', /as in manifests/],
    ['a kind that is no workload', { kind: 'Service' }, 'GetService', /GetService finds objects of that kind/],
    ['an unknown kind', { kind: 'Deploy' }, undefined, /known here are Pod, ReplicaSet \(api_group apps\), Deployment/],
  ] as const) {
    it(`GetWorkload with ${mistake} is NOT_FOUND and says what was probably meant`, async () => {
      const question = { ...request, namespace: 'shop', name: 'frontend' };
      const error = await failure(digger.call('LookupService', 'GetWorkload', question));
      assert.equal(error.code, status.NOT_FOUND, String(error));
      assert.match(error.details, text);
      assert.equal(errorDetails(error)['ErrorInfo']?.['metadata']['did_you_mean'], didYouMean);
    });
  }

  it('leaves behind a service that knows everything', async () => {
    await story.assertWholeState(digger);
  });

  /** Another caller asks meanwhile, and is answered. */
  async function besideOthers<T>(misbehaviour: Promise<T>): Promise<T> {
    const [result, ...answers] = await Promise.all([
      misbehaviour,
      ...Array.from({ length: 3 }, () => digger.resolve(story.demo.wellKnown.statefulPod.ip)),
    ]);
    for (const answer of answers) assert.equal(answer['pod']?.['name'], story.demo.wellKnown.statefulPod.name);
    return result;
  }
});

function queries(count: number): readonly Message[] {
  return Array.from({ length: count }, () => ({ address: ADDRESS }));
}

function inSeconds(seconds: number): Message {
  return { seconds: Math.floor(Date.now() / 1_000) + seconds };
}

async function failure(call: Promise<unknown>): Promise<ServiceError> {
  return call.then(
    (answer) => assert.fail(`answered ${JSON.stringify(answer)}`),
    (error: unknown) => error as ServiceError,
  );
}
