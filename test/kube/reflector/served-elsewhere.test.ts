// A resource that moves to another version while it is followed, as custom kinds do when their definition drops the old
// one.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PodRecord } from '../../../src/model/records.ts';
import { pods, type ResourceDescriptor } from '../../../src/kube/resources.ts';
import { reflecting } from './reflecting.ts';
import { list, openWatch, status } from './scripted-api-server.ts';

const MOVED: ResourceDescriptor<PodRecord> = { ...pods, groupPath: '/apis/example.dev/v2' };

test('a resource that is served in another version now is listed there as it is at present, and followed on', async () => {
  const answers = [
    list({ resourceVersion: '10', pods: ['a'] }),
    status(404),
    list({ resourceVersion: '12', pods: ['a', 'b'] }),
    openWatch(),
  ];
  const asked: string[] = [];
  const elsewhere = async ({ groupPath }: ResourceDescriptor<PodRecord>) => {
    asked.push(groupPath);
    return MOVED;
  };
  await reflecting<PodRecord>(
    answers,
    async ({ server, store, reflector, untilRequests }) => {
      await untilRequests(['list rv=0 limit=500', 'watch rv=10', 'list limit=500', 'watch rv=12']);
      assert.deepEqual(
        server.requests.map(({ path }) => path),
        ['/api/v1/pods', '/api/v1/pods', '/apis/example.dev/v2/pods', '/apis/example.dev/v2/pods'],
      );
      assert.deepEqual(store.names(), ['a', 'b']);
      assert.deepEqual(asked, ['/api/v1']);
      const { synced, unavailable, resource } = reflector.status();
      assert.deepEqual([synced, unavailable, resource], [true, false, 'pods']);
    },
    { elsewhere },
  );
});

for (const [title, elsewhere] of [
  ['nowhere', async () => undefined],
  ['where it was', async () => pods],
  ['where it cannot be found out', () => Promise.reject(new Error('discovery is down'))],
] as const) {
  test(`a resource that is served ${title} is asked for again where it was, after a wait`, async () => {
    const answers = [list({ resourceVersion: '10', pods: ['a'] }), status(404), status(404), openWatch()];
    await reflecting<PodRecord>(
      answers,
      async ({ server, store, clock, untilRequests }) => {
        await untilRequests(['list rv=0 limit=500', 'watch rv=10', 'watch rv=10', 'watch rv=10']);
        assert.deepEqual(new Set(server.requests.map(({ path }) => path)), new Set(['/api/v1/pods']));
        assert.deepEqual(store.names(), ['a']);
        assert.ok(clock.delaysMs.filter((ms) => ms >= 500 && ms < 5_000).length >= 2, String(clock.delaysMs));
      },
      { elsewhere },
    );
  });
}
