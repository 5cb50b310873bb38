// Bearer tokens over real sockets, with a fake review API: who gets in, who does not, how often is asked, and what
// happens while the API server cannot be asked.

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { type CallOptions, Metadata, type ServiceError } from '@grpc/grpc-js';
import { Registry } from '@prometheus-io/client';

import { ChangeFeed } from '../../../src/feed/change-feed.ts';
import { bearerTokenAuthenticator } from '../../../src/rpc/auth/bearer-tokens.ts';
import { exempting } from '../../../src/rpc/auth/exemptions.ts';
import { createFeedService } from '../../../src/rpc/methods/watch.ts';
import { Picture } from '../../feed/cluster.ts';
import { FakePicture } from '../fake-picture.ts';
import { FakeReviews } from './fake-reviews.ts';
import { eventually, type Failure, type Json, serve, type Serving, TestClient, toFailure } from '../serving.ts';
import { type LogLine, metric, recordingLogger } from '../tls/tls-serving.ts';

const RESOLVE = '/digger.v1.LookupService/ResolveAddress';
const WATCH = '/digger.v1.ChangeFeedService/Watch';
const TTL_MS = 30_000;

let reviews: FakeReviews;
let serving: Serving;
let lines: readonly LogLine[];
let nowMs = 0;
const registry = new Registry();
let changes: Picture;
let subscribers: () => number;

before(async () => {
  const recording = recordingLogger();
  lines = recording.lines;
  const bearer = bearerTokenAuthenticator({
    reviews: {
      reviewToken: (...args) => reviews.reviewToken(...args),
      reviewAccess: (...args) => reviews.reviewAccess(...args),
    },
    registry,
    logger: recording.logger,
    nowMs: () => nowMs,
    cacheTtlMs: TTL_MS,
  });
  const freshness = (): [] => [];
  const feed = new ChangeFeed({ epoch: Buffer.alloc(16, 1), configuration: '', freshness, registry });
  changes = new Picture(feed.onBatch);
  const disconnect = (): never => assert.fail('the stream itself can be ended');
  const service = createFeedService({ feed, logger: recording.logger, disconnect });
  const picture = new FakePicture();
  picture.onWatch = (call, caller, revoked) => service.watch(call, caller, revoked);
  subscribers = () => feed.stats().subscribers;
  const authenticate = exempting(['status'], bearer);
  serving = await serve(
    {
      authenticate,
      logger: recording.logger,
      registry,
      recheckIntervalMs: 10,
      limits: { maxStreamsPerConnection: 250 },
    },
    picture,
  );
});
after(() => serving.stop());
beforeEach(() => {
  reviews = new FakeReviews();
  reviews.tokens.set('digger good', 'sensor');
  reviews.rights.add(`sensor post ${RESOLVE}`);
  // Everything that an earlier test left behind has run out.
  nowMs += 10 * TTL_MS;
});

describe('a caller', () => {
  it('with a good token and the right is served, and reviewed once for many calls', async () => {
    for (let call = 0; call < 20; call++) await resolve('good');
    await Promise.all(Array.from({ length: 20 }, () => resolve('good')));
    assert.deepEqual(reviews.asked, ['token', 'access']);
  });

  it('that comes many times at once is reviewed once', async () => {
    await Promise.all(Array.from({ length: 50 }, () => resolve('good')));
    assert.deepEqual(reviews.asked, ['token', 'access']);
  });

  const bad: readonly (readonly [string, Metadata])[] = [
    ['no metadata', new Metadata()],
    ['another scheme', metadata('Basic dXNlcjpwYXNz')],
    ['an empty token', metadata('Bearer ')],
    ['two tokens', metadata('Bearer good, Bearer good')],
  ];
  for (const [what, given] of bad) {
    it(`with ${what} is UNAUTHENTICATED, and no review is sent`, async () => {
      assert.equal((await refused(given)).code, 'UNAUTHENTICATED');
      assert.deepEqual(reviews.asked, []);
    });
  }

  it('with an unknown token, or one for another audience, is UNAUTHENTICATED; reviewed only once in a while', async () => {
    reviews.tokens.set('another-service foreign', 'sensor');
    for (const token of ['unknown', 'foreign']) {
      for (let call = 0; call < 5; call++) assert.equal((await refused(bearer(token))).code, 'UNAUTHENTICATED');
    }
    assert.deepEqual(reviews.asked, ['token', 'token']);
    nowMs += 10_001;
    assert.equal((await refused(bearer('unknown'))).code, 'UNAUTHENTICATED');
    assert.equal(reviews.count('token'), 3);
  });

  it('that may look up and not watch does the one and not the other', async () => {
    await resolve('good');
    const { code, details, message } = await watchFailure('good');
    assert.equal(code, 'PERMISSION_DENIED');
    assert.equal(message, `sensor may not post ${WATCH}`);
    assert.deepEqual(details['ErrorInfo']?.['metadata'], { method: WATCH });
    const told = lines.filter((line) => line['msg'] === 'a caller may not call this method');
    assert.equal(told.at(-1)?.['user'], 'sensor');
    assert.equal(told.at(-1)?.['method'], WATCH);
  });

  it('that loses its right, or its token, is refused when what is remembered has run out', async () => {
    await resolve('good');
    reviews.rights.clear();
    await resolve('good');
    nowMs += TTL_MS + 1;
    assert.equal((await refused(bearer('good'))).code, 'PERMISSION_DENIED');
    reviews.rights.add(`sensor post ${RESOLVE}`);
    nowMs += 10_001;
    await resolve('good');
    reviews.tokens.clear();
    nowMs += TTL_MS + 1;
    assert.equal((await refused(bearer('good'))).code, 'UNAUTHENTICATED');
  });

  it('does not wait for the review that renews what is remembered, which takes effect all the same', async () => {
    await resolve('good');
    nowMs += TTL_MS / 2;
    const release = Promise.withResolvers<void>();
    reviews.gate = release.promise;
    reviews.tokens.clear();
    await resolve('good');
    await resolve('good');
    assert.equal(reviews.count('token'), 2, 'one renewal');
    release.resolve();
    await eventuallyRefused('UNAUTHENTICATED');
  });
});

describe('while the API server cannot be asked, or not enough', () => {
  it('new callers get UNAVAILABLE with RetryInfo, known ones are served until what is remembered runs out', async () => {
    await resolve('good');
    reviews.outage = new Error('connect ECONNREFUSED');
    await resolve('good');
    for (let call = 0; call < 10; call++) {
      const { code, details } = await refused(bearer('new'));
      assert.equal(code, 'UNAVAILABLE');
      assert.equal(details['ErrorInfo']?.['reason'], 'AUTHENTICATION_UNAVAILABLE');
      assert.deepEqual(details['RetryInfo']?.['retryDelay'], { seconds: 1, nanos: 0 });
    }
    assert.equal(reviews.count('token'), 2, 'the API server is not asked for every call');
    nowMs += TTL_MS + 1;
    assert.equal((await refused(bearer('good'))).code, 'UNAVAILABLE');
    reviews.outage = undefined;
    nowMs += 501;
    await resolve('good');
    const told = lines.map((line) => line['msg']);
    assert.equal(count(told, 'cannot review callers; callers that are not known yet are refused'), 1);
    assert.equal(count(told, 'callers are reviewed again'), 1);
  });

  it('13.3 a flood of unknown tokens of one peer asks for eight reviews at once, and a known caller is served beside it', async (t) => {
    await resolve('good');
    const before = reviews.count('token');
    const release = Promise.withResolvers<void>();
    const rubbish = (token: string): boolean => token.startsWith('rubbish');
    reviews.gateOf = (token) => (rubbish(token) ? release.promise : undefined);
    // Of two connections, a hundred calls each: no connection has more at once.
    const others = [new TestClient(serving.target), new TestClient(serving.target)];
    t.after(() => {
      for (const other of others) other.close();
    });
    let answered = 0;
    const flood = others.flatMap((client, of) =>
      Array.from({ length: 100 }, (_, index) =>
        refused(bearer(`rubbish-${of}-${index}`), client).finally(() => answered++),
      ),
    );
    await eventually(
      () => answered === 64 && serving.server.openCalls === 136,
      () => `${answered} answered, ${serving.server.openCalls} open, ${reviews.count('token')} asked`,
    );
    assert.equal(reviews.count('token'), before + 8);
    // Also when its time has run out, and it has to be reviewed beside them.
    nowMs += TTL_MS + 1;
    await resolve('good');
    assert.equal(reviews.count('token'), before + 9);
    release.resolve();
    const codes = new Map<string | undefined, number>();
    const reasons = new Set<unknown>();
    for (const { code, details } of await Promise.all(flood)) {
      codes.set(code, (codes.get(code) ?? 0) + 1);
      if (code === 'UNAVAILABLE') reasons.add(details['ErrorInfo']?.['reason']);
    }
    // Eight that were asked about, 128 that waited for them.
    assert.deepEqual(Object.fromEntries(codes), { UNAUTHENTICATED: 136, UNAVAILABLE: 64 });
    assert.deepEqual([...reasons], ['TOO_MANY_REVIEWS']);
    assert.equal(await metric(registry, 'digger_auth_reviews_refused_total{review="token",callers="new"}'), 64);
    assert.equal(await metric(registry, 'digger_auth_reviews_waiting{review="token",callers="new"}'), 0);
  });
});

describe('a subscription', () => {
  it('13.3 ends when its caller loses the right to watch, whatever strangers do, and not soon when the API server is away', async (t) => {
    reviews.rights.add(`sensor post ${WATCH}`);
    const call = subscribe('good');
    const ended = failureOf(call);
    await eventually(
      () => subscribers() === 1,
      () => 'not subscribed',
    );
    // Changes never stop, so that some are under way when the end comes.
    const timer = setInterval(() => changes.set({ kind: 'Node', namespace: '', name: 'node-a' }), 1);
    t.after(() => clearInterval(timer));
    reviews.outage = new Error('connect ECONNREFUSED');
    const seen = await metric(registry, UNAVAILABLE);
    nowMs += TTL_MS + 1;
    await eventuallyAsync(async () => (await metric(registry, UNAVAILABLE)) > seen);
    assert.equal(subscribers(), 1, 'still subscribed');
    reviews.outage = undefined;
    reviews.rights.delete(`sensor post ${WATCH}`);
    const release = Promise.withResolvers<void>();
    t.after(() => release.resolve());
    reviews.gateOf = (token) => (token.startsWith('rubbish') ? release.promise : undefined);
    const flood = Array.from({ length: 64 }, (_, index) => refused(bearer(`rubbish-${index}`)));
    nowMs += TTL_MS + 1;
    assert.equal((await ended).code, 'PERMISSION_DENIED');
    release.resolve();
    await Promise.all(flood);
    assert.equal(subscribers(), 0);
    await eventually(
      () => serving.server.openCalls === 0,
      () => `${serving.server.openCalls} open`,
    );
  });

  it('13.3 ends as UNAVAILABLE when the API server is away for five intervals', async () => {
    reviews.rights.add(`sensor post ${WATCH}`);
    const call = subscribe('good');
    const ended = failureOf(call);
    await eventually(
      () => subscribers() === 1,
      () => 'not subscribed',
    );
    reviews.outage = new Error('connect ECONNREFUSED');
    nowMs += TTL_MS + 1;
    const { code, details, message } = await ended;
    assert.equal(code, 'UNAVAILABLE');
    assert.equal(details['ErrorInfo']?.['reason'], 'AUTHENTICATION_UNAVAILABLE');
    assert.match(message, /5 times in a row/);
    assert.equal(subscribers(), 0);
  });

  it('13.7 that is given up while its caller is looked at is never looked at again', async () => {
    reviews.rights.add(`sensor post ${WATCH}`);
    const release = Promise.withResolvers<void>();
    reviews.gate = release.promise;
    const asked = await metric(registry, DECISIONS);
    const call = subscribe('good');
    const ended = failureOf(call);
    await eventually(
      () => reviews.count('token') === 1,
      () => reviews.asked.join(),
    );
    call.cancel();
    await ended;
    await eventually(
      () => serving.server.openCalls === 0,
      () => `${serving.server.openCalls} open`,
    );
    reviews.gate = undefined;
    release.resolve();
    await eventuallyAsync(async () => (await metric(registry, DECISIONS)) > asked);
    const decided = await metric(registry, DECISIONS);
    // Several intervals of another subscription's.
    const other = subscribe('good');
    const otherEnded = failureOf(other);
    await eventuallyAsync(async () => (await metric(registry, DECISIONS)) >= decided + 4);
    other.cancel();
    await otherEnded;
    await eventually(
      () => subscribers() === 0 && serving.server.openCalls === 0,
      () => `${subscribers()} subscribers, ${serving.server.openCalls} open`,
    );
    const after = await metric(registry, DECISIONS);
    await resolve('good');
    assert.equal(await metric(registry, DECISIONS), after + 1, 'this call alone');
  });
});

describe('without a token', () => {
  it('health and what is exempt answer, reflection does not', async () => {
    await serving.client.callBytes('/grpc.health.v1.Health/Check', Buffer.alloc(0));
    await serving.client.call('digger.v1.StatusService/GetStatus', {});
    const same = (bytes: Buffer): Buffer => bytes;
    for (const version of ['v1', 'v1alpha']) {
      const path = `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`;
      const call = serving.client.makeBidiStreamRequest(path, same, same);
      call.resume();
      call.end();
      assert.equal((await failureOf(call)).code, 'UNAUTHENTICATED');
    }
  });
});

it('no token was ever logged or sent to a caller', async () => {
  const secret = 'eyJhbGciOiJSUzI1NiJ9.c2VjcmV0LXRva2Vu.c2lnbmF0dXJl';
  const failure = await refused(bearer(secret));
  assert.equal(failure.code, 'UNAUTHENTICATED');
  const text = JSON.stringify([failure, lines]) + (await registry.metrics());
  assert.ok(lines.length > 0);
  for (const part of secret.split('.')) assert.ok(!text.includes(part), part);
});

const DECISIONS = 'digger_auth_decisions_total{result="allowed"}';
const UNAVAILABLE = 'digger_auth_decisions_total{result="unavailable"}';

function metadata(authorization: string): Metadata {
  const given = new Metadata();
  given.set('authorization', authorization);
  return given;
}

function bearer(token: string): Metadata {
  return metadata(`Bearer ${token}`);
}

function options(): CallOptions {
  return { deadline: Date.now() + 10_000 };
}

function resolve(token: string): Promise<Json> {
  return serving.client.call('ResolveAddress', { address: '10.0.0.1' }, options(), bearer(token));
}

async function refused(given: Metadata, client = serving.client): Promise<Failure> {
  let answer: Json;
  try {
    answer = await client.call('ResolveAddress', { address: '10.0.0.1' }, options(), given);
  } catch (error) {
    return toFailure(error);
  }
  throw new Error(`expected a refusal, got ${JSON.stringify(answer)}`);
}

async function eventuallyRefused(code: string): Promise<void> {
  await eventuallyAsync(async () => {
    try {
      await resolve('good');
      return false;
    } catch (error) {
      assert.equal(toFailure(error).code, code);
      return true;
    }
  });
}

async function eventuallyAsync(condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 5_000;
  while (!(await condition())) {
    assert.ok(Date.now() < deadline, `not within 5 s; asked: ${reviews.asked.join()}`);
    await new Promise((wake) => setTimeout(wake, 5));
  }
}

interface EndingCall {
  cancel(): void;
  on(event: 'error', listener: (error: ServiceError) => void): unknown;
}

function subscribe(token: string): EndingCall {
  const same = (bytes: Buffer): Buffer => bytes;
  const call = serving.client.makeServerStreamRequest(WATCH, same, same, Buffer.alloc(0), bearer(token), options());
  call.resume();
  return call;
}

function failureOf(call: EndingCall): Promise<Failure> {
  return new Promise((done) => {
    call.on('error', (error) => done(toFailure(error)));
  });
}

function watchFailure(token: string): Promise<Failure> {
  return failureOf(subscribe(token));
}

function count(values: readonly unknown[], value: unknown): number {
  return values.filter((each) => each === value).length;
}
