// The streamed initial list, over real sockets against scripted servers.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reflecting } from './reflecting.ts';
import {
  type Answer,
  bookmark,
  brokenWatch,
  event,
  list,
  openWatch,
  podJson,
  status,
  watch,
} from './scripted-api-server.ts';

const STREAMED = { streamInitialList: true };

function endOfList(resourceVersion: string, value = 'true'): string {
  const annotations = { 'k8s.io/initial-events-end': value };
  return event('BOOKMARK', { kind: 'Pod', apiVersion: 'v1', metadata: { resourceVersion, annotations } });
}

const added = (name: string, version = '5') => event('ADDED', podJson(name, version));

test('takes the list and the watch from one stream', async () => {
  const answers = [openWatch(added('a'), added('b'), endOfList('10'), event('DELETED', podJson('a', '11')))];
  await reflecting(
    answers,
    async ({ server, store, reflector, until }) => {
      await until(() => store.writes.length === 2);
      assert.deepEqual(store.names(), ['b']);
      assert.deepEqual(
        store.writes.map(({ verb, resourceVersion }) => [verb, resourceVersion]),
        [
          ['replace', '10'],
          ['remove', '11'],
        ],
      );
      const query = Object.fromEntries(server.requests[0]?.query ?? []);
      assert.deepEqual(query, {
        watch: 'true',
        allowWatchBookmarks: 'true',
        sendInitialEvents: 'true',
        resourceVersionMatch: 'NotOlderThan',
        timeoutSeconds: '300',
      });
      assert.equal(reflector.status().state, 'watching');
    },
    STREAMED,
  );
});

test('shows nothing before the final bookmark, and takes no other bookmark for it', async () => {
  let say: (text: string) => void = () => {};
  const speaking: Answer = (response, request) => {
    openWatch(added('a'), bookmark('7'), endOfList('8', 'false'))(response, request);
    say = (text) => void response.write(text);
  };
  await reflecting(
    [speaking],
    async ({ store, reflector, until }) => {
      await until(() => reflector.status().events === 3);
      assert.deepEqual(
        [store.writes.length, reflector.status().synced, reflector.status().state],
        [0, false, 'listing'],
      );
      say(endOfList('9'));
      await until(() => reflector.status().synced);
      assert.deepEqual(store.names(), ['a']);
    },
    STREAMED,
  );
});

test('changes that come before the final bookmark count', async () => {
  const changed = [event('MODIFIED', podJson('a', '6', 'other')), event('DELETED', podJson('b', '7')), added('c', '8')];
  await reflecting(
    [openWatch(added('a'), added('b'), ...changed, endOfList('9'))],
    async ({ store, reflector, until }) => {
      await until(() => reflector.status().synced);
      await until(() => store.names().join() === 'a,c');
      assert.equal(store.records.get('shop/a')?.uid, 'other');
      assert.ok(store.writes.every(({ resourceVersion }) => resourceVersion === '9'));
    },
    STREAMED,
  );
});

for (const [what, refusal] of [
  ['refused', status(422, { reason: 'Invalid' })],
  ['failing', status(500)],
  ['never complete', openWatch(added('x'))],
  ['ended before its bookmark', watch(added('x'))],
] as const) {
  test(`a streamed list that is ${what} is followed by a plain one`, async () => {
    const answers = [refusal, list({ resourceVersion: '10', pods: ['a'] }), openWatch()];
    await reflecting(
      answers,
      async ({ store, untilRequests }) => {
        await untilRequests(['watch', 'list rv=0 limit=500', 'watch rv=10']);
        assert.deepEqual(store.names(), ['a']);
        assert.equal(store.aborted, 1);
      },
      STREAMED,
    );
  });
}

test('a streamed list that is cut off, throttled or expired is asked for again', async () => {
  const answers = [
    brokenWatch(added('x')),
    status(429),
    openWatch(added('a'), endOfList('10'), event('ERROR', { kind: 'Status', code: 410, reason: 'Expired' })),
    status(410, { reason: 'Expired' }),
    openWatch(added('b'), endOfList('20')),
  ];
  await reflecting(
    answers,
    async ({ store, until, untilRequests }) => {
      await untilRequests(['watch', 'watch', 'watch', 'watch rv=10', 'watch']);
      await until(() => store.names().join() === 'b');
    },
    STREAMED,
  );
});
