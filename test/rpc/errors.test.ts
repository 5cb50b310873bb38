// Every failure of the contract as a caller sees it, details decoded from the trailer.

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';

import { quote } from '../../src/rpc/errors/call-error.ts';
import { permissionDenied, unauthenticated } from '../../src/rpc/errors/outcomes.ts';
import { subscriberStalled, tooManySubscribers } from '../../src/rpc/errors/over-limits.ts';
import { toServerError } from '../../src/rpc/errors/status-details.ts';
import { fakePod, fakeReference, holder, resolved, START_MS } from './fake-picture.ts';
import { encodeMessage, type Failure, type Json, refuseWith, serve, type Serving, toFailure } from './serving.ts';

function violations(failure: Failure): readonly (readonly [unknown, unknown])[] {
  const found = (failure.details['BadRequest']?.['fieldViolations'] ?? []) as readonly Json[];
  return found.map(({ field = '', reason }) => [field, reason]);
}

describe('an error tells code, reason and details', () => {
  let serving: Serving;
  before(async () => {
    serving = await serve({ nowMs: () => START_MS });
  });
  after(() => serving.stop());
  beforeEach(() => {
    serving.picture.pending = [];
  });

  const invalid: readonly (readonly [title: string, method: string, request: Json, field: string, reason: string])[] = [
    ['an empty address', 'ResolveAddress', {}, 'address', 'NOT_AN_ADDRESS'],
    ['a short form of an address', 'ResolveAddress', { address: '10.1' }, 'address', 'NOT_AN_ADDRESS'],
    ['leading zeros', 'ResolveAddress', { address: '010.0.0.1' }, 'address', 'NOT_AN_ADDRESS'],
    ['a zone suffix', 'ResolveAddress', { address: 'fe80::1%eth0' }, 'address', 'NOT_AN_ADDRESS'],
    ['port 0', 'ResolveAddress', { address: '10.0.0.1', port: 0 }, 'port', 'OUT_OF_RANGE'],
    ['port 65536', 'ResolveAddress', { address: '10.0.0.1', port: 65_536 }, 'port', 'OUT_OF_RANGE'],
    ['an unknown protocol', 'ResolveAddress', { address: '10.0.0.1', protocol: 9 }, 'protocol', 'UNKNOWN_VALUE'],
    ['an unknown view', 'ResolveAddress', { address: '10.0.0.1', view: 9 }, 'view', 'UNKNOWN_VALUE'],
    ['a moment in the future', 'ResolveAddress', at(START_MS / 1000 + 6), 'at', 'IN_THE_FUTURE'],
    ['a moment after the year 9999', 'ResolveAddress', at(253_402_300_800), 'at', 'INVALID_TIMESTAMP'],
    ['negative nanos', 'ResolveAddress', at(1, -1), 'at', 'INVALID_TIMESTAMP'],
    ['an end without a beginning', 'ResolveAddress', interval(undefined, 1), 'at', 'REQUIRED'],
    ['an end before the beginning', 'ResolveAddress', interval(2, 1), 'until', 'OUT_OF_RANGE'],
    ['an end in the future', 'ResolveAddress', interval(1, START_MS / 1000 + 6), 'until', 'IN_THE_FUTURE'],
    ['a past of no address', 'GetAddressTimeline', {}, 'address', 'NOT_AN_ADDRESS'],
    ['a wait beyond 30 s', 'ResolveAddress', wait(30, 1), 'wait', 'OUT_OF_RANGE'],
    ['a negative wait', 'ResolveAddress', wait(-1, 0), 'wait', 'OUT_OF_RANGE'],
    ['an empty batch', 'BatchResolveAddresses', {}, 'queries', 'REQUIRED'],
    ['1,001 queries', 'BatchResolveAddresses', { queries: addresses(1_001) }, 'queries', 'TOO_MANY'],
    ['a pod without namespace', 'GetPod', { name: 'a' }, 'namespace', 'REQUIRED'],
    ['a service without name', 'GetService', { namespace: 'a' }, 'name', 'REQUIRED'],
    ['a node without name', 'GetNode', {}, 'name', 'REQUIRED'],
    ['a workload without kind', 'GetWorkload', { name: 'a' }, 'kind', 'REQUIRED'],
  ];
  for (const [title, method, request, field, reason] of invalid) {
    it(`INVALID_ARGUMENT for ${title} names ${field}`, async () => {
      const failure = await serving.client.failure(method, request);
      assert.equal(failure.code, 'INVALID_ARGUMENT');
      assert.deepEqual(violations(failure), [[field, reason]]);
      assert.deepEqual(failure.details['ErrorInfo'], {
        reason: 'INVALID_ARGUMENT',
        domain: 'digger',
        metadata: { fields: field },
      });
      assert.match(String(failure.details['RequestInfo']?.['requestId']), /^\S+-\d+$/);
    });
  }

  it('INVALID_ARGUMENT names all that is wrong with a request at once', async () => {
    const request = { address: 'x', port: 0, protocol: 9, at: { nanos: -1 }, wait: { seconds: 31 }, view: 9 };
    const failure = await serving.client.failure('ResolveAddress', request);
    const fields = violations(failure).map(([field]) => field);
    assert.deepEqual(fields, ['address', 'port', 'protocol', 'at', 'wait', 'view']);
  });

  it('1,000 queries are a batch', async () => {
    const answer = await serving.client.call('BatchResolveAddresses', { queries: addresses(1_000) });
    assert.equal((answer['results'] as readonly Json[]).length, 1_000);
  });

  it('NOT_FOUND names the object', async () => {
    const failure = await serving.client.failure('GetPod', { namespace: 'default', name: 'web-0', uid: 'u' });
    assert.equal(failure.code, 'NOT_FOUND');
    assert.equal(failure.message, 'no pod default/web-0 with uid u');
    assert.deepEqual(failure.details['ErrorInfo'], {
      reason: 'OBJECT_NOT_FOUND',
      domain: 'digger',
      metadata: { kind: 'pod', namespace: 'default', name: 'web-0', uid: 'u' },
    });
  });

  it('NOT_FOUND for the name of a successor when another uid is asked for', async () => {
    serving.picture.setEntity(fakePod('db-0', fakeReference('db'), 'new'));
    const failure = await serving.client.failure('GetPod', { namespace: 'default', name: 'db-0', uid: 'old' });
    assert.equal(failure.code, 'NOT_FOUND');
  });

  for (const [method, request] of [
    ['ResolveAddress', { address: '10.0.0.1' }],
    ['BatchResolveAddresses', { queries: addresses(1) }],
    ['GetPod', { namespace: 'default', name: 'a' }],
    ['GetWorkload', { kind: 'Deployment', name: 'a' }],
  ] as const) {
    it(`UNAVAILABLE NOT_SYNCED of ${method} lists what is pending and when to try again`, async () => {
      serving.picture.pending = ['list pods', 'list services'];
      const failure = await serving.client.failure(method, request);
      assert.equal(failure.code, 'UNAVAILABLE');
      assert.deepEqual(failure.details['ErrorInfo'], {
        reason: 'NOT_SYNCED',
        domain: 'digger',
        metadata: { pending: 'list pods; list services' },
      });
      assert.deepEqual(failure.details['RetryInfo'], { retryDelay: { seconds: 1, nanos: 0 } });
    });
  }

  it('NOT_SYNCED fits into the headers that clients accept, however much is pending', async () => {
    serving.picture.pending = Array.from({ length: 500 }, (_, at) => `list ${'n'.repeat(60)}/pods-${at}`);
    const failure = await serving.client.failure('GetPod', { namespace: 'default', name: 'a' });
    assert.equal(failure.code, 'UNAVAILABLE');
    assert.ok(failure.message.length < 2_100, `${failure.message.length} characters`);
  });

  it('a replica that is about to drain still answers', async () => {
    serving.picture.pending = ['draining'];
    serving.picture.setAnswer('10.0.0.1', resolved(holder(fakePod('web-0', fakeReference('web')), 'POD_IP')));
    const answer = await serving.client.call('ResolveAddress', { address: '10.0.0.1' });
    assert.equal((answer['resolution'] as Json)['outcome'], 'OUTCOME_RESOLVED');
  });

  it('INTERNAL for a bug tells nothing but where to look', async () => {
    const broken = await serve();
    try {
      broken.picture.addresses.resolve = () => {
        throw new TypeError('secret of the implementation');
      };
      const failure = await broken.client.failure('ResolveAddress', { address: '10.0.0.1' });
      assert.equal(failure.code, 'INTERNAL');
      assert.equal(failure.details['ErrorInfo']?.['reason'], 'INTERNAL');
      assert.ok(!JSON.stringify(failure).includes('secret'), JSON.stringify(failure));
    } finally {
      await broken.stop();
    }
  });
});

describe('callers that may not call', () => {
  for (const [code, error] of [
    ['UNAUTHENTICATED', unauthenticated('no token')],
    ['PERMISSION_DENIED', permissionDenied('may not look up', '/digger.v1.LookupService/GetPod')],
  ] as const) {
    it(`get ${code} from every method of ours, before anything else is told`, async () => {
      const serving = await serve(refuseWith(error));
      try {
        serving.picture.pending = ['list pods'];
        for (const method of ['ResolveAddress', 'GetPod', 'digger.v1.StatusService/GetStatus']) {
          const failure = await serving.client.failure(method, {});
          assert.equal(failure.code, code, method);
          assert.equal(failure.details['ErrorInfo']?.['reason'], code, method);
        }
        const call = serving.client.makeServerStreamRequest(
          '/digger.v1.ChangeFeedService/Watch',
          (bytes: Buffer) => bytes,
          (bytes: Buffer) => bytes,
          Buffer.alloc(0),
        );
        const failure = await new Promise<Failure>((resolve) => {
          call.on('error', (thrown: unknown) => resolve(toFailure(thrown)));
          call.resume();
        });
        assert.equal(failure.code, code);
        assert.equal(serving.picture.watches.size, 0);
      } finally {
        await serving.stop();
      }
    });
  }
});

describe('errors of subscribers', () => {
  it('say why there is no room and when there may be', () => {
    const failure = toFailure(toServerError(tooManySubscribers('replica', 5_000, 'address:10.0.0.1'), 'r'));
    assert.equal(failure.code, 'RESOURCE_EXHAUSTED');
    assert.equal(failure.details['ErrorInfo']?.['reason'], 'TOO_MANY_SUBSCRIBERS');
    assert.deepEqual(failure.details['RetryInfo'], { retryDelay: { seconds: 5, nanos: 0 } });
  });

  it('say that a subscriber took nothing', () => {
    const failure = toFailure(toServerError(subscriberStalled(30_000), 'r'));
    assert.equal(failure.code, 'RESOURCE_EXHAUSTED');
    assert.equal(failure.details['ErrorInfo']?.['reason'], 'SUBSCRIBER_STALLED');
  });
});

describe('text of callers', () => {
  it('is quoted as a short prefix that every client can decode', () => {
    assert.equal(quote('10.0.0.1'), '10.0.0.1');
    // 64 code units end in the middle of the last pair: half a pair cannot be percent-encoded for a trailer.
    const cut = quote(`a${'😀'.repeat(1_000)}`);
    assert.ok(cut.length < 100, cut);
    assert.doesNotThrow(() => encodeURI(cut));
  });
});

function addresses(count: number): readonly Json[] {
  return Array.from({ length: count }, () => ({ address: '10.0.0.1' }));
}

function at(seconds: number, nanos = 0): Json {
  return { address: '10.0.0.1', at: { seconds, nanos } };
}

function interval(fromSeconds: number | undefined, toSeconds: number): Json {
  const until = { seconds: toSeconds, nanos: 0 };
  return { ...(fromSeconds === undefined ? { address: '10.0.0.1' } : at(fromSeconds)), until };
}

function wait(seconds: number, nanos: number): Json {
  return { address: '10.0.0.1', wait: { seconds, nanos } };
}

// The encoder of the tests has to send what it is given, or the tests above ask nothing.
assert.notEqual(encodeMessage('digger.v1.ResolveAddressRequest', { address: 'a', port: 0 }).length, 3);
