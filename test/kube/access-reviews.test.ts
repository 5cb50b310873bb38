// Reviews against an API server that answers as it likes: only a clear yes is one, and no message holds the token.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AccessReviewClient, ReviewError } from '../../src/kube/access-reviews.ts';
import type { ApiRequest, ApiResponse, Transport } from '../../src/kube/transport/transport.ts';

const TOKEN = 'head.claims-of-somebody.signature';
const USER = { username: 'u', uid: '1', groups: ['g'], extra: { 'x/y': ['z'] } };
const never = new AbortController().signal;

/** Answers in order; the last one again and again. */
class ScriptedTransport implements Transport {
  readonly requests: ApiRequest[] = [];
  readonly #answers: { status: number; body: string }[];

  constructor(...answers: readonly (readonly [number, unknown])[]) {
    this.#answers = answers.map(([status, body]) => ({
      status,
      body: typeof body === 'string' ? body : JSON.stringify(body),
    }));
  }

  async request(request: ApiRequest): Promise<ApiResponse> {
    this.requests.push(request);
    const answer = this.#answers.length > 1 ? this.#answers.shift() : this.#answers[0];
    assert.ok(answer);
    const { status, body } = answer;
    const chunks = async function* () {
      for (const byte of Buffer.from(body)) yield Buffer.of(byte);
    };
    return {
      status,
      contentType: 'application/json',
      retryAfterMs: 0,
      body: chunks(),
      lastHeardMs: Date.now,
      discard() {},
    };
  }

  async close(): Promise<void> {}

  get posted(): unknown {
    return JSON.parse(this.requests.at(-1)?.json?.toString() ?? '');
  }
}

function tokenReview(status: unknown): Readonly<Record<string, unknown>> {
  return { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', metadata: {}, spec: { token: TOKEN }, status };
}

function accessReview(status: unknown): Readonly<Record<string, unknown>> {
  return { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', metadata: {}, spec: {}, status };
}

test('a token is posted for its audience, and its owner comes back whole', async () => {
  const status = { authenticated: true, user: USER, audiences: ['digger', 'other'] };
  const transport = new ScriptedTransport([201, tokenReview(status)]);
  const verdict = await new AccessReviewClient(transport).reviewToken(TOKEN, 'digger', never);
  assert.deepEqual(verdict, { allowed: true, user: USER });
  assert.equal(transport.requests[0]?.path, '/apis/authentication.k8s.io/v1/tokenreviews');
  assert.deepEqual(transport.posted, {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenReview',
    spec: { token: TOKEN, audiences: ['digger'] },
  });
});

for (const [what, status] of [
  ['says no', { authenticated: false, error: 'expired' }],
  ['says nothing', {}],
  ['has no status', undefined],
  ['says yes in another type', { authenticated: 'true', user: USER, audiences: ['digger'] }],
  ['names no user', { authenticated: true, user: { username: '' }, audiences: ['digger'] }],
  ['has no user', { authenticated: true, audiences: ['digger'] }],
  ['knows no audiences', { authenticated: true, user: USER }],
  ['names another audience', { authenticated: true, user: USER, audiences: ['https://kubernetes.default.svc'] }],
] as const) {
  test(`a token is not accepted when the review ${what}`, async () => {
    const transport = new ScriptedTransport([201, tokenReview(status)]);
    assert.deepEqual(await new AccessReviewClient(transport).reviewToken(TOKEN, 'digger', never), { allowed: false });
  });
}

test('access is asked for with all that is known of the user, and only a clear yes is one', async () => {
  const transport = new ScriptedTransport([201, accessReview({ allowed: true })]);
  const client = new AccessReviewClient(transport);
  assert.deepEqual(await client.reviewAccess(USER, 'post', '/a.B/C', never), { allowed: true });
  assert.equal(transport.requests[0]?.path, '/apis/authorization.k8s.io/v1/subjectaccessreviews');
  const { username, ...rest } = USER;
  assert.deepEqual((transport.posted as { spec: unknown }).spec, {
    ...rest,
    user: username,
    nonResourceAttributes: { path: '/a.B/C', verb: 'post' },
  });
  for (const status of [undefined, {}, { allowed: false }, { allowed: 'true' }, { allowed: true, denied: true }]) {
    const other = new AccessReviewClient(new ScriptedTransport([201, accessReview(status)]));
    assert.deepEqual(
      await other.reviewAccess(USER, 'post', '/a.B/C', never),
      { allowed: false },
      JSON.stringify(status),
    );
  }
});

test('credentials that were not accepted are read again, once', async () => {
  const unauthorized = [401, { kind: 'Status', reason: 'Unauthorized', message: 'Unauthorized' }] as const;
  const renewed = new ScriptedTransport(unauthorized, [201, accessReview({ allowed: true })]);
  assert.deepEqual(await new AccessReviewClient(renewed).reviewAccess(USER, 'post', '/', never), { allowed: true });
  assert.equal(renewed.requests.length, 2);
  const refused = new ScriptedTransport(unauthorized);
  await assert.rejects(new AccessReviewClient(refused).reviewAccess(USER, 'post', '/', never), ReviewError);
  assert.equal(refused.requests.length, 2);
});

test('whatever else comes is an error, which tells what RBAC said and never the token', async () => {
  const message = 'tokenreviews is forbidden: User "digger" cannot create';
  const cases: readonly (readonly [number, unknown, RegExp])[] = [
    [403, { kind: 'Status', reason: 'Forbidden', message }, /403 Forbidden: tokenreviews is forbidden/],
    [400, { kind: 'Status', reason: 'BadRequest', message: `cannot decode ${TOKEN}` }, /400 BadRequest$/],
    [500, `internal error at ${TOKEN}`, /: 500$/],
    [201, `{"kind":"TokenReview","spec":{"token":"${TOKEN}`, /not JSON$/],
    [201, TOKEN, /not JSON$/],
    [201, { kind: 'Status', message: TOKEN }, /no TokenReview$/],
    [200, [], /no TokenReview$/],
    [201, 'x'.repeat(1024 * 1024 + 1), /longer than/],
  ];
  for (const [status, body, expected] of cases) {
    const client = new AccessReviewClient(new ScriptedTransport([status, body]));
    await assert.rejects(client.reviewToken(TOKEN, 'digger', never), (error) => {
      assert.ok(error instanceof ReviewError, String(error));
      assert.match(error.message, expected);
      assert.ok(!error.message.includes('claims-of-somebody') && error.cause === undefined, error.message);
      return true;
    });
  }
});
