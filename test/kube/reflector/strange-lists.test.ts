// What is no list, and pages that lead nowhere: refused before anything of it reaches the store.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createListBody } from '../../../src/kube/decoding/list-body.ts';
import { ownerDecoder, podDecoder } from '../../../src/kube/decoding/record-decoder.ts';
import { MAX_RETRY_AFTER_MS } from '../../../src/kube/reflector/backoff.ts';
import { Recovery } from '../../../src/kube/reflector/recovery.ts';
import type { ServerContact } from '../../../src/kube/reflector/server-contact.ts';
import { WireError } from '../../../src/kube/wire-error.ts';
import { reflecting } from './reflecting.ts';
import { openWatch } from './scripted-api-server.ts';
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
  for (const list of [{}, { items: null }, { items: {} }, { items: { a: 1 } }, { items: 'none' }, { items: 0 }]) {
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
  assert.throws(() => readPods(pod({ name: 'a' })), /has no uid/);
  assert.throws(() => readPods(pod({ uid: 'u' })), /has no name/);
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
