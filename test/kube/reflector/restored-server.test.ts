// After a failure, and after a watch that ended before its time, the server may be another one, or the same with an
// older storage: before anything goes on it is looked at, and before a watch does, a list of one object has to show
// that the server has reached its version.

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
  statusObject,
  watch,
} from './scripted-api-server.ts';

/** As kube-apiserver says it. */
const TOO_LARGE: Answer = status(504, {
  reason: 'Timeout',
  message: 'Too large resource version: 10, current: 7',
  details: { causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }] },
});

for (const [what, failure] of [
  ['a broken connection', brokenWatch()],
  ['a server error', status(503)],
  ['a request for relief', watch(event('ERROR', statusObject(429)))],
  ['a watch that ended in good order, but early', watch(bookmark('10'))],
] as const) {
  test(`after ${what} the server has to give one object from the version before a watch goes on`, () =>
    reflecting(
      [list({ resourceVersion: '10', pods: ['a'] }), failure, openWatch()],
      async ({ server, untilRequests }) => {
        await untilRequests(['list rv=0 limit=500', 'watch rv=10', 'watch rv=10']);
        assert.deepEqual(server.checks, ['10 NotOlderThan']);
      },
    ));

  test(`after ${what} a server that was restored to before the version is listed afresh, and no watch hangs`, () =>
    reflecting(
      [
        list({ resourceVersion: '10', pods: ['kept', 'lost'] }),
        failure,
        list({ resourceVersion: '7', pods: ['kept'] }),
        openWatch(event('ADDED', podJson('new', '8'))),
      ],
      async ({ server, store, reflector, until }) => {
        server.checkAnswers.push(TOO_LARGE);
        await until(() => store.names().join() === 'kept,new');
        assert.deepEqual(server.log, ['list rv=0 limit=500', 'watch rv=10', 'list limit=500', 'watch rv=7']);
        assert.deepEqual(server.checks, ['10 NotOlderThan']);
        assert.equal(reflector.status().restarts.get('version_too_large'), 1);
      },
    ));
}

test('a watch that the server ended when it was asked to is followed by the next at once, and by no other request', () => {
  const ends = Promise.withResolvers<void>();
  const endsInTime: Answer = (response, request) => {
    openWatch(event('ADDED', podJson('a', '11')))(response, request);
    void ends.promise.then(() => response.end());
  };
  return reflecting(
    [list({ resourceVersion: '10' }), endsInTime, openWatch()],
    async ({ server, store, clock, reflector, until, untilRequests }) => {
      await until(() => store.names().length === 1);
      // Asked for 300 s, with a random of 0.
      clock.aheadMs = 299_500;
      ends.resolve();
      await untilRequests(['list rv=0 limit=500', 'watch rv=10', 'watch rv=11']);
      assert.deepEqual(server.checks, []);
      assert.deepEqual([...reflector.status().restarts], []);
    },
  );
});

for (const [what, ended, next] of [
  ['a watch that ended in good order, but early', watch(bookmark('11')), 'watch rv=11'],
  ['a version that the server no longer has', status(410, { reason: 'Expired' }), 'list rv=10'],
] as const) {
  test(`after ${what} nothing is asked for before the server has been looked at`, () => {
    const looked = Promise.withResolvers<void>();
    let looks = 0;
    const endsOnceLooksCount: Answer = (response, request) => void ends.promise.then(() => ended(response, request));
    const ends = Promise.withResolvers<void>();
    const after = next.startsWith('list') ? [list({ resourceVersion: '12' }), openWatch()] : [openWatch()];
    return reflecting(
      [list({ resourceVersion: '10' }), endsOnceLooksCount, ...after],
      async ({ server, contact, clock, until, untilRequests }) => {
        await until(() => server.log.length === 2);
        contact.beforeGoingOn({
          canTell: () => true,
          look: () => {
            looks += 1;
            return looked.promise;
          },
        });
        ends.resolve();
        await until(() => looks === 1);
        // Longer than any wait of the reflector.
        await new Promise<void>((resolve) => void clock.setTimer(resolve, 10_000));
        assert.deepEqual([server.log.length, server.checks.length], [2, 0]);
        looked.resolve();
        const first = ['list rv=0 limit=500', 'watch rv=10', next];
        await untilRequests(next.startsWith('list') ? [...first, 'watch rv=12'] : first);
        assert.equal(looks, 1);
      },
    );
  });
}

test('what is given of the one object reaches no store, and a check that fails is made again', () =>
  reflecting(
    [list({ resourceVersion: '10', pods: ['a'] }), brokenWatch(), openWatch()],
    async ({ server, store, until, untilRequests, reflector }) => {
      server.checkAnswers.push(status(429), status(403), list({ resourceVersion: '12', pods: ['b'] }));
      await untilRequests(['list rv=0 limit=500', 'watch rv=10', 'watch rv=10']);
      assert.equal(server.checks.length, 3);
      assert.deepEqual(store.names(), ['a']);
      // The request of the watch has come; the trouble is over when its answer has too.
      await until(() => reflector.status().message === '');
      assert.equal(reflector.status().lists, 1);
    },
  ));
