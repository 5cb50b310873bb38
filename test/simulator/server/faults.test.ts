// The faults of the simulated API server: each does what it says, to whom it says, and no longer than it says.

import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { createPods, start } from './fixture.ts';
import { eventually, openWatch, PROTOBUF, request } from './watch-client.ts';

const STREAMED = 'watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true';

test('ordered answers go to the matching requests, as often as ordered', async (t) => {
  const { simulator, url } = await start(t);
  simulator.faults.answer({ verb: 'list', resource: 'pods', code: 429, retryAfterSeconds: 7, times: 2 });
  assert.equal((await request(`${url}/api/v1/services`)).code, 200);
  for (const accept of ['application/json', `${PROTOBUF}, application/json`]) {
    const { code, headers, body } = await request(`${url}/api/v1/pods`, { accept });
    assert.equal(code, 429);
    assert.equal(headers['retry-after'], '7');
    assert.equal(body.reason, 'TooManyRequests');
    assert.equal(body.details?.retryAfterSeconds, 7);
    assert.equal(headers['content-type'], accept.split(',')[0]);
  }
  assert.equal((await request(`${url}/api/v1/pods`)).code, 200);
});

test('a standing order holds until it is cancelled, for watches too', async (t) => {
  const { simulator, url } = await start(t);
  const order = simulator.faults.answer({ resource: 'deployments.apps', code: 403, times: Number.POSITIVE_INFINITY });
  assert.equal((await request(`${url}/apis/apps/v1/deployments?watch=1`)).code, 403);
  assert.equal((await request(`${url}/apis/apps/v1/deployments`)).body.reason, 'Forbidden');
  order.cancel();
  assert.equal((await request(`${url}/apis/apps/v1/deployments`)).code, 200);
});

test('requests without a valid token get 401, and a rotated token is valid at once', async (t) => {
  const { simulator, url } = await start(t);
  simulator.faults.tokens = ['first'];
  assert.equal((await request(`${url}/api/v1/pods`)).code, 401);
  assert.equal((await request(`${url}/api/v1/pods`, { authorization: 'Bearer first' })).code, 200);
  simulator.faults.tokens = ['second'];
  assert.equal((await request(`${url}/api/v1/pods`, { authorization: 'Bearer first' })).code, 401);
  assert.equal((await request(`${url}/api/v1/pods`, { authorization: 'Bearer second' })).code, 200);
});

test('a server without protobuf, streamed lists or slices is one', async (t) => {
  const { simulator, url } = await start(t);
  Object.assign(simulator.faults, { protobuf: false, streamedLists: 'refused', endpointSlices: false });
  assert.equal((await request(`${url}/api/v1/pods`, { accept: PROTOBUF })).code, 406);
  const fallback = await request(`${url}/api/v1/pods`, { accept: `${PROTOBUF}, application/json` });
  assert.equal(fallback.headers['content-type'], 'application/json');
  assert.equal((await request(`${url}/api/v1/pods?${STREAMED}`)).code, 422);
  assert.equal((await request(`${url}/apis/discovery.k8s.io/v1/endpointslices`)).code, 404);
  assert.equal((await request(`${url}/apis/discovery.k8s.io/v1`)).code, 404);
  assert.equal((await request(`${url}/api/v1/endpoints`)).code, 200);
});

test('the bookmark of a streamed list can stay away or deny that it is the end', async (t) => {
  const { simulator, url } = await start(t);
  createPods(simulator, ['a']);
  simulator.faults.initialEventsEnd = 'annotated-false';
  const denying = await openWatch(`${url}/api/v1/pods?${STREAMED}`);
  await eventually(
    () => denying.frames.length >= 2,
    () => denying.summary,
  );
  assert.deepEqual(denying.frames[1]?.object.metadata.annotations, { 'k8s.io/initial-events-end': 'false' });
  simulator.faults.initialEventsEnd = 'withheld';
  const silent = await openWatch(`${url}/api/v1/pods?${STREAMED}`);
  createPods(simulator, ['b']);
  await eventually(
    () => silent.frames.length >= 2,
    () => silent.summary,
  );
  assert.deepEqual(silent.summary, ['ADDED a', 'ADDED b']);
  denying.close();
  silent.close();
});

for (const accept of ['application/json', PROTOBUF]) {
  test(`an ERROR event ends the watch that it is sent to, a corrupt frame does not (${accept})`, async (t) => {
    const { simulator, url } = await start(t);
    const pods = await openWatch(`${url}/api/v1/pods?watch=1`, { accept });
    const nodes = await openWatch(`${url}/api/v1/nodes?watch=1`, { accept });
    simulator.sendCorruptFrame('pods');
    createPods(simulator, ['a']);
    simulator.sendError(500, 'pods');
    await eventually(
      () => pods.end !== undefined,
      () => pods.summary,
    );
    assert.deepEqual(pods.summary, ['UNDECODABLE', 'ADDED a', 'ERROR 500']);
    assert.equal(pods.end, 'clean');
    assert.equal(nodes.end, undefined);
    assert.equal(simulator.watchCount(), 1);
    nodes.close();
  });

  test(`a cut in mid-frame leaves half an event (${accept})`, async (t) => {
    const { simulator, url } = await start(t);
    const watch = await openWatch(`${url}/api/v1/pods?watch=1`, { accept });
    assert.equal(simulator.cutConnections({ midFrame: true }), 1);
    await eventually(
      () => watch.end !== undefined,
      () => watch.summary,
    );
    assert.equal(watch.end, 'reset');
    assert.deepEqual(watch.summary, []);
    assert.ok(watch.rest.length > 4, `${watch.rest.length} bytes of a frame`);
  });
}

test('after a cut a watch resumes, after a restart it has to list', async (t) => {
  const { simulator, url } = await start(t);
  createPods(simulator, ['a']);
  const version = simulator.cluster.resourceVersion;
  const path = `${url}/api/v1/pods?watch=1&resourceVersion=${version}`;
  const first = await openWatch(path);
  simulator.cutConnections();
  await eventually(
    () => first.end === 'reset',
    () => first.end,
  );
  createPods(simulator, ['b']);
  const second = await openWatch(path);
  await eventually(
    () => second.frames.length > 0,
    () => second.summary,
  );
  assert.deepEqual(second.summary, ['ADDED b']);
  simulator.restart();
  await eventually(
    () => second.end === 'reset',
    () => second.end,
  );
  const third = await openWatch(path);
  await eventually(
    () => third.frames.length > 0,
    () => third.summary,
  );
  assert.deepEqual(third.summary, ['ERROR 410']);
  assert.equal(simulator.watchCount(), 0);
});

test('refused connections are refused, and open ones go on', async (t) => {
  const { simulator, server, url } = await start(t);
  const watch = await openWatch(`${url}/api/v1/pods?watch=1`);
  simulator.refuseConnections();
  await assert.rejects(request(`${url}/readyz`), { code: 'ECONNREFUSED' });
  createPods(simulator, ['a']);
  await eventually(
    () => watch.frames.length > 0,
    () => watch.summary,
  );
  await simulator.acceptConnections();
  assert.equal((await request(`${url}/readyz`)).code, 200);
  assert.equal(new URL(url).port, String(server.port));
  watch.close();
});

test('a paused server accepts, keeps silent, and answers when it is resumed', async (t) => {
  const { simulator, server, url } = await start(t);
  const watch = await openWatch(`${url}/api/v1/pods?watch=1`);
  simulator.pause();
  createPods(simulator, ['a']);
  const connection = connect(server.port, '127.0.0.1');
  await new Promise((resolve) => connection.once('connect', resolve));
  let answered = false;
  const listing = request(`${url}/api/v1/pods`).then((answer) => {
    answered = true;
    return answer;
  });
  await eventually(
    () => simulator.requests.count({ verb: 'list' }) === 1,
    () => simulator.requests.entries(),
  );
  // Bytes of an answer would have been on their way for as long as a whole round trip of another connection.
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(answered, false);
  assert.deepEqual(watch.summary, []);
  assert.equal(watch.end, undefined);
  simulator.resume();
  assert.equal((await listing).body.items?.length, 1);
  await eventually(
    () => watch.frames.length > 0,
    () => watch.summary,
  );
  assert.deepEqual(watch.summary, ['ADDED a']);
  connection.destroy();
  watch.close();
});

test('one watch more than the bound gets 429', async (t) => {
  const { url } = await start(t, { maxWatches: 1 });
  const watch = await openWatch(`${url}/api/v1/pods?watch=1`);
  assert.equal((await request(`${url}/api/v1/pods?watch=1`)).code, 429);
  watch.close();
});

test('the request log tells lists from watches and keeps their parameters', async (t) => {
  const { simulator, url } = await start(t);
  await request(`${url}/api/v1/namespaces/default/pods?limit=500&resourceVersion=0`);
  await request(`${url}/api/v1/pods?watch=1&timeoutSeconds=1&resourceVersion=1`);
  await request(`${url}/apis/apps/v1/deployments`);
  const { requests } = simulator;
  assert.equal(requests.count({ verb: 'list' }), 2);
  assert.equal(requests.count({ verb: 'watch', resource: 'pods' }), 1);
  assert.equal(requests.count({ verb: 'list', resource: 'deployments.apps' }), 1);
  const [entry] = requests.entries({ verb: 'list', resource: 'pods' });
  assert.deepEqual(entry?.parameters, { limit: '500', resourceVersion: '0' });
  assert.deepEqual([entry?.namespace, entry?.code], ['default', 200]);
  requests.clear();
  assert.equal(requests.count(), 0);
});
