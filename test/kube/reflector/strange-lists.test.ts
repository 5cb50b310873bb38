// Bodies that are not lists, and pages that lead nowhere: refused before anything of it reaches the store.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { test } from 'node:test';
import { createListBody } from '../../../src/kube/decoding/list-body.ts';
import { ownerDecoder, podDecoder } from '../../../src/kube/decoding/record-decoder.ts';
import { MAX_RETRY_AFTER_MS, parseRetryAfter } from '../../../src/kube/retry-after.ts';
import { Recovery } from '../../../src/kube/reflector/recovery.ts';
import type { ServerContact } from '../../../src/kube/reflector/server-contact.ts';
import { requestWatch } from '../../../src/kube/reflector/requests.ts';
import { pods } from '../../../src/kube/resources.ts';
import { createTransport } from '../../../src/kube/transport/transport.ts';
import { WireError } from '../../../src/kube/wire-error.ts';
import { done, eventually, notYet } from '../../observers/eventually.ts';
import { reflecting } from './reflecting.ts';
import { TestCredentials } from './reflector-under-test.ts';
import { type Answer, event, list, openWatch, podJson, watch } from './scripted-api-server.ts';
import { VirtualClock } from './virtual-clock.ts';

const META = { resourceVersion: '10' };

function readPods(list: Record<string, unknown>): number {
  let count = 0;
  const body = createListBody('json', podDecoder, () => (count += 1));
  body.push(Buffer.from(JSON.stringify({ kind: 'PodList', apiVersion: 'v1', metadata: META, ...list })));
  body.end();
  return count;
}

test('12.13: a list whose items are missing, null or no array is damaged, not empty', () => {
  assert.equal(readPods({ items: [] }), 0);
  for (const list of [
    {},
    { items: [null] },
    { items: [1] },
    { items: ['a'] },
    { items: null },
    { items: {} },
    { items: { a: 1 } },
    { items: 'none' },
    { items: 0 },
  ]) {
    assert.throws(() => readPods(list), WireError, JSON.stringify(list));
  }
});

test('12.13: null stands for an empty list of metadata, as kube-apiserver writes one', () => {
  const body = createListBody('json', ownerDecoder('example.dev/v1', 'Rollout'), () => assert.fail('an item'));
  const list = { kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1', metadata: META, items: null };
  body.push(Buffer.from(JSON.stringify(list)));
  assert.equal(body.end().resourceVersion, '10');
});

test('12.13: an object of a list without name or uid is refused', () => {
  const pod = (metadata: Record<string, string>) => ({ items: [{ metadata: { namespace: 'shop', ...metadata } }] });
  assert.equal(readPods(pod({ name: 'a', uid: 'u' })), 1);
  assert.throws(() => readPods(pod({ name: 'a' })), /has no metadata.uid/);
  assert.throws(() => readPods(pod({ uid: 'u' })), /has no metadata.name/);
});

test('12.13: a server that gives the same continue token again and again is asked with backoff', async () => {
  const page = (response: { setHeader(name: string, value: string): void; end(text: string): void }) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ kind: 'PodList', metadata: { ...META, continue: 'again' }, items: [] }));
  };
  const good = (response: { setHeader(name: string, value: string): void; end(text: string): void }) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ kind: 'PodList', metadata: META, items: [] }));
  };
  await reflecting([page, page, good, openWatch()], async ({ untilRequests, clock, reflector }) => {
    await untilRequests(['list rv=0 limit=500', 'list limit=500 continue=again', 'list rv=0 limit=500', 'watch rv=10']);
    assert.equal(reflector.status().restarts.get('undecodable'), 1);
    assert.ok(clock.delaysMs.includes(800), 'it backed off');
  });
});

test('12.13: pages that go in a wider circle are followed for two turns at most', async () => {
  const tokens = ['one', 'two', 'three'];
  let served = 0;
  const page: Answer = (response, request) => {
    const continueToken = tokens[served % tokens.length] ?? '';
    served += 1;
    list({ resourceVersion: '10', pods: [`p${served}`], continueToken })(response, request);
  };
  const answers = [...Array.from({ length: 6 }, () => page), list({ resourceVersion: '12', pods: ['a'] }), openWatch()];
  await reflecting(answers, async ({ server, store, clock, reflector, until }) => {
    await until(() => server.log.at(-1) === 'watch rv=12');
    assert.equal(served, 6);
    assert.deepEqual(store.names(), ['a']);
    assert.equal(reflector.status().restarts.get('undecodable'), 1);
    assert.ok(clock.delaysMs.includes(800), 'it backed off');
  });
});

test('12.13: a list that goes on with empty pages, each with another token, is given up after ten', async () => {
  let served = 0;
  const empty: Answer = (response, request) => {
    served += 1;
    list({ resourceVersion: '10', continueToken: `page-${served}` })(response, request);
  };
  const answers = [...Array.from({ length: 11 }, () => empty), list({ resourceVersion: '12' }), openWatch()];
  await reflecting(answers, async ({ server, until }) => {
    await until(() => server.log.at(-1) === 'watch rv=12');
    assert.equal(served, 11);
  });
});

test('12.13: an event of an object without name or uid ends the watch, and the next one brings it again', async () => {
  const unnamed = { kind: 'Pod', apiVersion: 'v1', metadata: { uid: 'u', resourceVersion: '11' } };
  const answers = [
    list({ resourceVersion: '10', pods: ['a'] }),
    watch(event('DELETED', podJson('a', '11', ''))),
    watch(event('ADDED', unnamed)),
    openWatch(event('DELETED', podJson('a', '11'))),
  ];
  await reflecting(answers, async ({ store, untilRequests, until, reflector }) => {
    await untilRequests(['list rv=0 limit=500', 'watch rv=10', 'watch rv=10', 'watch rv=10']);
    await until(() => store.names().length === 0);
    assert.equal(reflector.status().restarts.get('undecodable'), 2);
  });
});

test('12.9: an event that three watches in a row cannot decode is passed over by a list', async () => {
  const damaged = watch(event('ADDED', podJson('a', '11')), '{"type":"ADDED","object":{"kind":"Pod","metadata":\n');
  const answers = [
    list({ resourceVersion: '10' }),
    ...[damaged, damaged, damaged],
    // At the newest version that is in the store.
    list({ resourceVersion: '12', pods: ['a', 'b'] }),
    openWatch(),
  ];
  await reflecting(answers, async ({ store, untilRequests, reflector }) => {
    const stuck = ['watch rv=10', 'watch rv=10', 'watch rv=10'];
    await untilRequests(['list rv=0 limit=500', ...stuck, 'list rv=10', 'watch rv=12']);
    assert.deepEqual(store.names(), ['a', 'b']);
    assert.equal(reflector.status().restarts.get('undecodable'), 3);
  });
});

test('12.8: 200 watches that a login page answers leave no socket open', async () => {
  const sockets = new Set<Socket>();
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/html' });
    // Never ends by itself.
    response.write('<html>sign in</html>');
  });
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const credentials = new TestCredentials(`http://127.0.0.1:${port}`);
  const transport = createTransport({ credentials, userAgent: 'digger/test' });
  const context = { transport, resource: pods, namespace: undefined, onContact: () => undefined };
  try {
    for (let n = 0; n < 200; n += 1) {
      const { signal } = new AbortController();
      const query = { resourceVersion: '10', timeoutSeconds: 300, sendInitialEvents: false };
      await assert.rejects(requestWatch({ ...context, signal }, query), /content type "text\/html"/);
    }
    await eventually('the sockets are closed', () =>
      sockets.size <= 1 ? done(undefined) : notYet(`${sockets.size} sockets are open`),
    );
  } finally {
    await transport.close();
    server.closeAllConnections();
    server.close();
  }
});

test('12.13: an array under a key that only a parser reads as items is damaged, not empty', () => {
  const body = createListBody('json', podDecoder, () => assert.fail('an item'));
  body.push(
    Buffer.from('{"kind":"PodList","metadata":{"resourceVersion":"10"},"it\\u0065ms":[{"metadata":{"name":"a"}}]}'),
  );
  assert.throws(() => body.end(), WireError);
});

test('12.11: Retry-After is seconds or a date, and anything else is ignored', () => {
  const nowMs = Date.parse('2026-11-29T12:00:00Z');
  for (const [header, expectedMs] of [
    ['', 0],
    ['2', 2_000],
    ['1.5', 1_500],
    ['7200', MAX_RETRY_AFTER_MS],
    ['99999999999999999999', MAX_RETRY_AFTER_MS],
    ['-5', 0],
    ['soon', 0],
    ['Sun, 29 Nov 2026 12:00:30 GMT', 30_000],
    ['Sun, 29 Nov 2026 11:00:00 GMT', 0],
  ] as const) {
    assert.equal(parseRetryAfter(header, nowMs), expectedMs, header);
  }
});

test('12.11: a wait that the server asks for is capped at five minutes, whatever it says', async () => {
  for (const [askedMs, expectedMs] of [
    [7_200_000, MAX_RETRY_AFTER_MS],
    [2 ** 40, MAX_RETRY_AFTER_MS],
    [Number.POSITIVE_INFINITY, MAX_RETRY_AFTER_MS],
    [120_000, 120_000],
    [0, 800],
  ] as const) {
    const clock = new VirtualClock();
    const recovery = new Recovery(clock, () => 0, {} as ServerContact, new AbortController().signal);
    const startMs = clock.now();
    const waiting = recovery.sitOut('backoff', { kind: 'throttled', message: '', retryAfterMs: askedMs });
    await clock.advanceToNextTimer();
    await waiting;
    assert.equal(clock.now() - startMs, expectedMs, String(askedMs));
  }
});
