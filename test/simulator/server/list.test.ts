// Lists of the simulated API server: versions, pages, encodings and refusals, as kube-apiserver 1.37 was seen to give.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPods, start } from './fixture.ts';
import { PROTOBUF, request } from './watch-client.ts';

const PARTIAL_LIST = 'as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';

test('a list comes whole, in the order of its keys, under the newest resourceVersion', async (t) => {
  const { simulator, url } = await start(t);
  createPods(simulator, ['b', 'a']);
  createPods(simulator, ['c'], 'alpha');
  const { body, headers } = await request(`${url}/api/v1/pods`);
  assert.deepEqual(
    body.items?.map(({ metadata }) => metadata.name),
    ['c', 'a', 'b'],
  );
  assert.equal(body.metadata.resourceVersion, simulator.cluster.resourceVersion.toString());
  assert.equal(body.kind, 'PodList');
  assert.equal(headers['content-type'], 'application/json');
  assert.equal(body.items?.[0]?.kind, undefined, 'items of a list carry no kind');
  const inDefault = await request(`${url}/api/v1/namespaces/default/pods`);
  assert.deepEqual(
    inDefault.body.items?.map(({ metadata }) => metadata.name),
    ['a', 'b'],
  );
});

test('pages show the state of the first page, whatever is written in between', async (t) => {
  const { simulator, url } = await start(t);
  createPods(simulator, ['a', 'b', 'c']);
  const first = (await request(`${url}/api/v1/pods?limit=2`)).body;
  assert.equal(first.metadata.remainingItemCount, 1);
  simulator.cluster.delete('pods', 'default', 'c');
  createPods(simulator, ['d']);
  const second = (await request(`${url}/api/v1/pods?limit=2&continue=${first.metadata.continue}`)).body;
  assert.deepEqual(
    second.items?.map(({ metadata }) => metadata.name),
    ['c'],
  );
  assert.equal(second.metadata.resourceVersion, first.metadata.resourceVersion);
  assert.equal(second.metadata.continue, undefined);
});

test('an expired continue is a 410 whose token goes on in the present', async (t) => {
  const { simulator, url } = await start(t);
  createPods(simulator, ['a', 'b', 'c']);
  const first = (await request(`${url}/api/v1/namespaces/default/pods?limit=1`)).body;
  createPods(simulator, ['d']);
  simulator.cluster.compact();
  const expired = await request(`${url}/api/v1/namespaces/default/pods?limit=1&continue=${first.metadata.continue}`);
  assert.equal(expired.code, 410);
  assert.equal(expired.body.reason, 'Expired');
  const inconsistent = await request(
    `${url}/api/v1/namespaces/default/pods?continue=${expired.body.metadata.continue}`,
  );
  assert.deepEqual(
    inconsistent.body.items?.map(({ metadata }) => metadata.name),
    ['b', 'c', 'd'],
  );
  assert.equal(inconsistent.body.metadata.resourceVersion, simulator.cluster.resourceVersion.toString());
});

test('resourceVersion "0" ignores the limit unless the server pages there', async (t) => {
  const { simulator, url } = await start(t);
  createPods(simulator, ['a', 'b', 'c']);
  assert.equal((await request(`${url}/api/v1/pods?limit=1&resourceVersion=0`)).body.items?.length, 3);
  simulator.faults.pageAtZero = true;
  const paged = (await request(`${url}/api/v1/pods?limit=1&resourceVersion=0`)).body;
  assert.equal(paged.items?.length, 1);
  assert.notEqual(paged.metadata.continue, undefined);
});

test('a version means "not older" without a limit and "exactly" with one', async (t) => {
  const { simulator, url } = await start(t);
  createPods(simulator, ['a']);
  const past = simulator.cluster.resourceVersion;
  createPods(simulator, ['b']);
  assert.equal((await request(`${url}/api/v1/pods?resourceVersion=${past}`)).body.items?.length, 2);
  const exact = (await request(`${url}/api/v1/pods?resourceVersion=${past}&limit=500`)).body;
  assert.equal(exact.items?.length, 1);
  assert.equal(exact.metadata.resourceVersion, past.toString());
  simulator.cluster.compact();
  assert.equal((await request(`${url}/api/v1/pods?resourceVersion=${past}&limit=500`)).code, 410);
  assert.equal((await request(`${url}/api/v1/pods?resourceVersion=${past}`)).code, 200);
});

test('a version from the future is a 504 with the cause that clients look for', async (t) => {
  const { url } = await start(t);
  for (const accept of ['application/json', PROTOBUF]) {
    const { code, body, headers } = await request(`${url}/api/v1/pods?resourceVersion=99999999`, { accept });
    assert.equal(code, 504);
    assert.equal(headers['content-type'], accept);
    assert.equal(headers['retry-after'], '1');
    assert.equal(body.reason, 'Timeout');
    assert.equal(body.details?.causes?.[0]?.reason, 'ResourceVersionTooLarge');
  }
});

test('protobuf says the same as JSON, whole and as metadata only', async (t) => {
  const { simulator, url } = await start(t);
  createPods(simulator, ['a', 'b']);
  for (const suffix of ['', `;${PARTIAL_LIST}`]) {
    const json = await request(`${url}/api/v1/pods?limit=1`, { accept: `application/json${suffix}` });
    const binary = await request(`${url}/api/v1/pods?limit=1`, { accept: `${PROTOBUF}${suffix}, application/json` });
    assert.equal(binary.headers['content-type'], PROTOBUF);
    assert.equal(binary.body.kind, json.body.kind);
    assert.equal(json.body.kind, suffix === '' ? 'PodList' : 'PartialObjectMetadataList');
    assert.deepEqual(binary.body.metadata, json.body.metadata);
    assert.equal(binary.body.items?.[0]?.metadata.uid, json.body.items?.[0]?.metadata.uid);
    assert.notEqual(binary.body.items?.[0]?.metadata.uid, undefined);
  }
});

test('custom resources come as JSON even where protobuf is asked for first', async (t) => {
  const { simulator, url } = await start(t);
  simulator.cluster.registerCustomResource({
    group: 'example.com',
    version: 'v1',
    plural: 'rollouts',
    kind: 'Rollout',
  });
  simulator.cluster.create('rollouts.example.com', { metadata: { namespace: 'default', name: 'a' } });
  const path = `${url}/apis/example.com/v1/rollouts`;
  const fallback = await request(path, { accept: `${PROTOBUF}, application/json` });
  assert.equal(fallback.headers['content-type'], 'application/json');
  assert.equal(fallback.body.items?.[0]?.kind, 'Rollout', 'items of custom resources carry their kind');
  assert.equal((await request(path, { accept: PROTOBUF })).code, 406);
  const partial = await request(path, { accept: `${PROTOBUF};${PARTIAL_LIST}` });
  assert.equal(partial.headers['content-type'], PROTOBUF);
});

test('what kube-apiserver refuses is refused with its status', async (t) => {
  const { url } = await start(t);
  const cases: readonly (readonly [string, number, string | undefined])[] = [
    ['/api/v1/pods?resourceVersion=abc', 400, 'BadRequest'],
    ['/api/v1/pods?continue=abc', 400, 'BadRequest'],
    ['/api/v1/pods?limit=abc', 400, 'BadRequest'],
    ['/api/v1/pods?resourceVersion=0&resourceVersionMatch=Exact', 422, 'Invalid'],
    ['/api/v1/pods?resourceVersionMatch=NotOlderThan', 422, 'Invalid'],
    ['/api/v1/pods?sendInitialEvents=true', 422, 'Invalid'],
    ['/api/v1/pods?watch=true&sendInitialEvents=true', 422, 'Invalid'],
    ['/api/v1/pods?watch=true&resourceVersionMatch=NotOlderThan', 422, 'Invalid'],
    ['/api/v1/pods?watch=true&resourceVersion=abc', 500, undefined],
    ['/api/v1/namespaces/default/pods/none', 404, 'NotFound'],
    ['/api/v1/foos', 404, 'NotFound'],
    ['/apis/apps/v2/deployments', 404, 'NotFound'],
    ['/apis/foo/v1/bars', 404, undefined],
    ['/api/v1/%zz', 404, 'NotFound'],
    ['/api/v1/%ff', 404, 'NotFound'],
    ['/api/v1/pods?watch=true&continue=abc', 422, 'Invalid'],
  ];
  for (const [path, code, reason] of cases) {
    const answer = await request(url + path);
    assert.deepEqual([path, answer.code, answer.body.reason], [path, code, reason]);
  }
});

test('a big list is compressed for those who accept it', async (t) => {
  const { simulator, url } = await start(t);
  createPods(
    simulator,
    Array.from({ length: 600 }, (_, index) => `pod-${index}`),
  );
  const plain = await fetch(`${url}/api/v1/pods`, { headers: { 'accept-encoding': 'identity' } });
  const zipped = await fetch(`${url}/api/v1/pods`, { headers: { 'accept-encoding': 'gzip' } });
  assert.equal(plain.headers.get('content-encoding'), null);
  assert.equal(zipped.headers.get('content-encoding'), 'gzip');
  assert.equal(await zipped.text(), await plain.text());
});
