// After a failure the server may be another one, or the same with an older storage: before a watch goes on, a list of one
// object has to show that the server has reached its version.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reflecting } from './reflecting.ts';
import {
  type Answer,
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

test('a watch that the server ended in good order is followed by the next at once, and by no other request', () =>
  reflecting(
    [list({ resourceVersion: '10' }), watch(event('ADDED', podJson('a', '11'))), openWatch()],
    async ({ server, untilRequests }) => {
      await untilRequests(['list rv=0 limit=500', 'watch rv=10', 'watch rv=11']);
      assert.deepEqual(server.checks, []);
    },
  ));

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
