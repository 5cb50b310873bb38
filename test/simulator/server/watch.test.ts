// Watches of the simulated API server: where they begin, what they send, how they end; in both encodings.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { createPods, start } from './fixture.ts';
import { eventually, openWatch, PROTOBUF, request } from './watch-client.ts';

const STREAMED = 'watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true';

for (const accept of ['application/json', PROTOBUF]) {
  test(`a watch goes on from its version with every event after it (${accept})`, async (t) => {
    const { simulator, url } = await start(t);
    createPods(simulator, ['a', 'b']);
    const { metadata } = (await request(`${url}/api/v1/pods`)).body;
    createPods(simulator, ['c']);
    const watch = await openWatch(`${url}/api/v1/pods?watch=1&resourceVersion=${metadata.resourceVersion}`, { accept });
    simulator.cluster.patch('pods', 'default', 'a', { status: { phase: 'Succeeded' } });
    simulator.cluster.delete('pods', 'default', 'b');
    await eventually(
      () => watch.frames.length >= 3,
      () => watch.summary,
    );
    assert.deepEqual(watch.summary, ['ADDED c', 'MODIFIED a', 'DELETED b']);
    assert.equal(watch.frames[2]?.object.metadata.resourceVersion, simulator.cluster.resourceVersion.toString());
    assert.equal(
      watch.response.headers['content-type'],
      accept === PROTOBUF ? `${PROTOBUF};stream=watch` : 'application/json',
    );
    watch.close();
  });

  test(`a streamed list ends with the bookmark that says so, and goes on as a watch (${accept})`, async (t) => {
    const { simulator, url } = await start(t);
    createPods(simulator, ['a', 'b']);
    const watch = await openWatch(`${url}/api/v1/pods?${STREAMED}`, { accept });
    await eventually(
      () => watch.frames.length >= 3,
      () => watch.summary,
    );
    createPods(simulator, ['c']);
    await eventually(
      () => watch.frames.length >= 4,
      () => watch.summary,
    );
    assert.deepEqual(watch.summary, ['ADDED a', 'ADDED b', 'BOOKMARK', 'ADDED c']);
    const bookmark = watch.frames[2]?.object;
    assert.equal(bookmark?.kind, 'Pod');
    assert.deepEqual(bookmark?.metadata.annotations, { 'k8s.io/initial-events-end': 'true' });
    watch.close();
  });

  test(`a watch from a forgotten version gets 410 as an event behind a 200, and ends (${accept})`, async (t) => {
    const { simulator, url } = await start(t);
    createPods(simulator, ['a']);
    const version = simulator.cluster.resourceVersion;
    createPods(simulator, ['b']);
    simulator.restart();
    const watch = await openWatch(`${url}/api/v1/pods?watch=1&resourceVersion=${version}`, { accept });
    await eventually(
      () => watch.end !== undefined,
      () => watch.summary,
    );
    assert.equal(watch.response.statusCode, 200);
    assert.deepEqual(watch.summary, ['ERROR 410']);
    assert.equal(watch.frames[0]?.object.reason, 'Expired');
    assert.equal(watch.end, 'clean');
  });
}

test('a watch from nothing begins with the present state', async (t) => {
  const { simulator, url } = await start(t);
  createPods(simulator, ['a', 'b']);
  for (const query of ['', '&resourceVersion=0', '&resourceVersion=']) {
    const watch = await openWatch(`${url}/api/v1/pods?watch=1${query}`);
    await eventually(
      () => watch.frames.length >= 2,
      () => watch.summary,
    );
    assert.deepEqual(watch.summary, ['ADDED a', 'ADDED b']);
    watch.close();
  }
});

test('a watch of metadata only carries nothing else', async (t) => {
  const { simulator, url } = await start(t);
  createPods(simulator, ['a']);
  const accept = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1';
  const watch = await openWatch(`${url}/api/v1/pods?watch=1`, { accept });
  await eventually(
    () => watch.frames.length >= 1,
    () => watch.summary,
  );
  assert.deepEqual(Object.keys(watch.frames[0]?.object ?? {}).sort(), ['apiVersion', 'kind', 'metadata']);
  assert.equal(watch.frames[0]?.object.kind, 'PartialObjectMetadata');
  watch.close();
});

test('a watch that accepts lists only ends at its first object without a word, but tells errors', async (t) => {
  const { simulator, url } = await start(t);
  createPods(simulator, ['a']);
  const accept = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';
  for (const [query, expected] of [
    ['', []],
    ['&resourceVersion=1', ['ERROR 410']],
  ] as const) {
    const watch = await openWatch(`${url}/api/v1/pods?watch=1${query}`, { accept });
    await eventually(
      () => watch.end !== undefined,
      () => watch.summary,
    );
    assert.equal(watch.response.statusCode, 200);
    assert.deepEqual(watch.summary, expected);
  }
});

test('a streamed list from a version of the future ends with 504 as an event', async (t) => {
  const { url } = await start(t);
  const watch = await openWatch(`${url}/api/v1/pods?${STREAMED}&resourceVersion=99999999`);
  await eventually(
    () => watch.end !== undefined,
    () => watch.summary,
  );
  assert.deepEqual(watch.summary, ['ERROR 504']);
});

test('a watch ends cleanly at its timeout, and bookmarks come only to those who ask', async (t) => {
  const { simulator, url } = await start(t, { bookmarkIntervalMs: 20 });
  const asking = await openWatch(`${url}/api/v1/pods?watch=1&timeoutSeconds=1&allowWatchBookmarks=true`);
  const silent = await openWatch(`${url}/api/v1/pods?watch=1&timeoutSeconds=1`);
  await eventually(
    () => asking.end !== undefined && silent.end !== undefined,
    () => [asking.end, silent.end],
  );
  assert.equal(asking.end, 'clean');
  assert.ok(asking.summary.length > 1 && asking.summary.every((frame) => frame === 'BOOKMARK'), `${asking.summary}`);
  assert.deepEqual(silent.summary, []);
  assert.equal(simulator.endedWatches.get('timeout'), 2);
});

test('a watch in a namespace hears of no other', async (t) => {
  const { simulator, url } = await start(t);
  const watch = await openWatch(`${url}/api/v1/namespaces/one/pods?watch=1`);
  createPods(simulator, ['hidden'], 'two');
  createPods(simulator, ['seen'], 'one');
  await eventually(
    () => watch.frames.length >= 1,
    () => watch.summary,
  );
  assert.deepEqual(watch.summary, ['ADDED seen']);
  watch.close();
});

test('a reader that does not read is cut off without an error', async (t) => {
  const { simulator, url } = await start(t, { maxPendingEvents: 50, maxHistoryEvents: 100 });
  const watch = await openWatch(`${url}/api/v1/pods?watch=1`);
  watch.response.pause();
  const ballast = 'x'.repeat(200_000);
  createPods(simulator, ['a']);
  // Far more than the sockets' buffers hold; every turn lets what can be sent go out.
  for (let index = 0; index < 2_000 && !simulator.endedWatches.has('slow'); index++) {
    simulator.cluster.patch('pods', 'default', 'a', { metadata: { annotations: { ballast, index: `${index}` } } });
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal(simulator.endedWatches.get('slow'), 1);
  watch.response.resume();
  await eventually(
    () => watch.end !== undefined,
    () => watch.frames.length,
  );
  assert.equal(watch.end, 'clean');
  assert.ok(!watch.summary.some((frame) => frame.startsWith('ERROR')));
});

test('a compressed streamed list is a chain of gzip members', async (t) => {
  const { simulator, url } = await start(t);
  createPods(simulator, ['a']);
  const watch = await openWatch(`${url}/api/v1/pods?${STREAMED}&timeoutSeconds=1`, { 'accept-encoding': 'gzip' });
  const chunks: Buffer[] = [];
  watch.response.on('data', (chunk: Buffer) => chunks.push(chunk));
  await eventually(
    () => chunks.length > 0,
    () => chunks.length,
  );
  createPods(simulator, ['b']);
  await eventually(
    () => watch.end !== undefined,
    () => chunks.length,
  );
  assert.equal(watch.response.headers['content-encoding'], 'gzip');
  const lines = gunzipSync(Buffer.concat(chunks)).toString().trim().split('\n');
  assert.deepEqual(
    lines.map((line) => (JSON.parse(line) as { type: string }).type),
    ['ADDED', 'BOOKMARK', 'ADDED'],
  );
});

test('versions beyond 64 bits go through as they are', async (t) => {
  const { simulator, url } = await start(t, { firstResourceVersion: 2n ** 70n });
  createPods(simulator, ['a', 'b']);
  const first = (await request(`${url}/api/v1/pods?limit=1`)).body;
  assert.equal(first.metadata.resourceVersion, (2n ** 70n + 2n).toString());
  const second = await request(`${url}/api/v1/pods?limit=1&continue=${first.metadata.continue}`);
  assert.equal(second.body.items?.[0]?.metadata.name, 'b');
});
