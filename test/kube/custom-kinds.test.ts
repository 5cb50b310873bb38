// Kinds found by the references of their objects: discovery, the bound, and what is never read.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { pino } from 'pino';
import { CustomKinds, MAX_CUSTOM_KINDS } from '../../src/kube/custom-kinds.ts';
import { collectionPath, type ResourceDescriptor } from '../../src/kube/resources.ts';
import { ServerContact } from '../../src/kube/reflector/server-contact.ts';
import { createTransport } from '../../src/kube/transport/transport.ts';
import type { OwnerRecord } from '../../src/model/kubernetes/records.ts';
import type { Relocation } from '../../src/kube/reflector/whereabouts.ts';
import type { ApiRequest, ApiResponse, Transport } from '../../src/kube/transport/transport.ts';
import { HurriedClock, TestCredentials } from './reflector/reflector-under-test.ts';
import { VirtualClock } from './reflector/virtual-clock.ts';

const ROLLOUTS = [
  { name: 'rollouts/status', kind: 'Rollout', namespaced: true, verbs: ['get'] },
  { name: 'rolloutviews', kind: 'Rollout', namespaced: true, verbs: ['create'] },
  { name: 'rollouts', kind: 'Rollout', namespaced: true, verbs: ['get', 'list', 'watch'] },
  { name: 'fleets', kind: 'Fleet', namespaced: false, verbs: ['list', 'watch'] },
];

const NONE = { gone: 0, givenBack: 0 };

/** An answer that begins and does not end. */
const HANGS = 'hangs';

async function looking(context: TestContext, served: Map<string, unknown>, stops: Promise<void> = Promise.resolve()) {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    if (path !== '/readyz') requests.push(path);
    const found = served.get(path);
    response.writeHead(found === undefined ? 404 : 200, { 'content-type': 'application/json' });
    if (found === HANGS) response.write('{');
    else response.end(JSON.stringify(found ?? { kind: 'Status', code: 404, message: 'not here' }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const clock = new HurriedClock();
  const credentials = new TestCredentials(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const transport = createTransport({ credentials, userAgent: 'digger/test' });
  const stopping = new AbortController();
  const log: string[] = [];
  const logger = pino({ level: 'info' }, { write: (line: string) => void log.push(line) });
  const random = () => 0;
  const contact = new ServerContact(transport, clock, random, logger, stopping.signal);
  const watched: ResourceDescriptor<OwnerRecord>[] = [];
  const relocators: (() => Promise<Relocation<OwnerRecord>>)[] = [];
  const stopped: string[] = [];
  const up = new Set<string>();
  const kinds = new CustomKinds({
    transport,
    contact,
    logger,
    clock,
    random,
    stopping: stopping.signal,
    maxKinds: MAX_CUSTOM_KINDS,
    watch: (resource, relocate) => {
      watched.push(resource);
      relocators.push(relocate);
      return {
        isUp: () => up.has(resource.resource),
        stop: () => {
          stopped.push(resource.resource);
          return stops;
        },
      };
    },
  });
  context.after(async () => {
    stopping.abort();
    await kinds.stopped();
    await transport.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { kinds, requests, watched, relocators, stopped, up, log };
}

async function until(condition: () => boolean, seen: () => unknown): Promise<void> {
  const end = Date.now() + 10_000;
  while (!condition()) {
    if (Date.now() > end) assert.fail(`not in time; seen ${JSON.stringify(seen())}`);
    await delay(5);
  }
}

test('a kind is looked for once, whatever the versions that refer to it, and watched as metadata', async (context) => {
  const { kinds, requests, watched } = await looking(
    context,
    new Map([['/apis/example.dev/v1', { resources: ROLLOUTS }]]),
  );
  for (const version of ['v1', 'v2', 'v1']) kinds.want(`example.dev/${version}`, 'Rollout');
  kinds.want('example.dev/v1', 'Fleet');
  await until(
    () => watched.length === 2,
    () => ({ requests, watched }),
  );
  assert.deepEqual(requests, ['/apis/example.dev/v1', '/apis/example.dev/v1']);
  const found = watched
    .map((each) => `${each.resource} ${collectionPath(each, 'shop')} ${each.metadataOnly}`)
    .toSorted();
  assert.deepEqual(found, [
    'fleets.example.dev /apis/example.dev/v1/fleets true',
    'rollouts.example.dev /apis/example.dev/v1/namespaces/shop/rollouts true',
  ]);
  assert.deepEqual(kinds.watched(), [
    { group: 'example.dev', kind: 'Rollout', namespaced: true },
    { group: 'example.dev', kind: 'Fleet', namespaced: false },
  ]);
  assert.ok(
    watched.every(({ required }) => !required),
    'readiness does not wait for a custom kind',
  );
  assert.deepEqual(kinds.stats(), { ...NONE, watched: 2, undiscovered: 0, ignored: 0 });
});

test('a kind that is not served is said so once, asked for again, and found when it is installed', async (context) => {
  const served = new Map<string, unknown>([['/apis/example.dev/v1', { resources: [] }]]);
  const { kinds, requests, watched, log } = await looking(context, served);
  kinds.want('example.dev/v1', 'Rollout');
  kinds.want('other.dev/v1', 'Thing');
  await until(
    () => requests.length >= 8,
    () => requests,
  );
  assert.deepEqual(kinds.stats(), { ...NONE, watched: 0, undiscovered: 2, ignored: 0 });
  served.set('/apis/example.dev/v1', { resources: ROLLOUTS });
  await until(
    () => watched.length === 1,
    () => requests,
  );
  assert.deepEqual(kinds.stats(), { ...NONE, watched: 1, undiscovered: 1, ignored: 0 });
  assert.equal(log.filter((line) => line.includes('cannot be found')).length, 2, log.join(''));
});

test('where a kind went that was found is asked again: another version, nowhere, or not to be found out', async (context) => {
  const served = new Map<string, unknown>([['/apis/example.dev/v1', { resources: ROLLOUTS }]]);
  const { kinds, requests, watched, relocators } = await looking(context, served);
  kinds.want('example.dev/v1', 'Rollout');
  await until(
    () => watched.length === 1,
    () => requests,
  );
  const relocate = relocators[0] as () => Promise<Relocation<OwnerRecord>>;
  served.clear();
  assert.equal(await relocate(), 'gone', 'its group is not served');
  served.set('/apis/example.dev', { versions: [{ version: 'v2' }] });
  served.set('/apis/example.dev/v2', { resources: [] });
  assert.equal(await relocate(), 'gone', 'its group has no such kind');
  served.set('/apis/example.dev/v2', { resources: ROLLOUTS });
  const before = requests.length;
  const [moved, too] = await Promise.all([relocate(), relocate()]);
  assert.equal(typeof moved === 'object' && collectionPath(moved, undefined), '/apis/example.dev/v2/rollouts');
  assert.equal(too, moved, 'those who ask at the same time ask once');
  assert.deepEqual(requests.slice(before), ['/apis/example.dev/v1', '/apis/example.dev', '/apis/example.dev/v2']);
  served.set('/apis/example.dev/v1', HANGS);
  assert.equal(await relocate(), undefined, 'a server that does not answer says nothing of kinds');
});

test('an answer that does not end is given up, and the kind asked for again', async (context) => {
  const served = new Map<string, unknown>([['/apis/example.dev/v1', HANGS]]);
  const { kinds, requests, watched, log } = await looking(context, served);
  kinds.want('example.dev/v1', 'Rollout');
  await until(
    () => log.some((line) => line.includes('discover /apis/example.dev/v1: no answer within 60000 ms')),
    () => ({ requests, log }),
  );
  served.set('/apis/example.dev/v1', { resources: ROLLOUTS });
  await until(
    () => watched.length === 1,
    () => requests,
  );
});

test('built-in kinds, Secrets and ConfigMaps are never looked for', async (context) => {
  const { kinds, requests } = await looking(context, new Map());
  for (const kind of ['Pod', 'Node', 'ReplicationController', 'Secret', 'ConfigMap']) kinds.want('v1', kind);
  kinds.want('apps/v1', 'Deployment');
  // What old objects refer to by the group in which it is not served any more.
  for (const kind of ['Deployment', 'ReplicaSet', 'DaemonSet']) kinds.want('extensions/v1beta1', kind);
  kinds.want('batch/v2alpha1', 'CronJob');
  for (const odd of ['../../api/v1', 'a/b/c', '', '/v1', 'a/..', 'A/v1?x=']) kinds.want(odd, 'Odd');
  kinds.want('example.dev/v1', 'Asked');
  await until(
    () => requests.length > 0,
    () => requests,
  );
  const asked = new Set(requests);
  asked.delete('/apis/example.dev');
  assert.deepEqual(asked, new Set(['/apis/example.dev/v1']));
  assert.equal(kinds.stats().undiscovered, 1);
});

test('beyond the bound a kind takes the place of one that does not exist, or is counted', async (context) => {
  const served = new Map<string, unknown>([['/apis/example.dev/v1', { resources: ROLLOUTS }]]);
  for (let n = 1; n < MAX_CUSTOM_KINDS; n += 1) {
    served.set(`/apis/g${n}/v1`, { resources: [{ ...ROLLOUTS[2], name: 'things', kind: 'Thing' }] });
  }
  const { kinds, watched, log } = await looking(context, served);
  for (let n = 1; n < MAX_CUSTOM_KINDS; n += 1) kinds.want(`g${n}/v1`, 'Thing');
  kinds.want('nowhere.dev/v1', 'Thing');
  await until(
    () => watched.length === MAX_CUSTOM_KINDS - 1 && log.some((line) => line.includes('nowhere')),
    () => log,
  );
  kinds.want('example.dev/v1', 'Rollout');
  await until(
    () => watched.length === MAX_CUSTOM_KINDS,
    () => log,
  );
  kinds.want('late.dev/v1', 'Thing');
  kinds.want('late.dev/v1', 'Thing');
  assert.deepEqual(kinds.stats(), { ...NONE, watched: MAX_CUSTOM_KINDS, undiscovered: 0, ignored: 2 });
  assert.equal(log.filter((line) => line.includes('too many')).length, 1);
});

/** Every place is taken, the first by `Rollout` of `example.dev`, whose definition is removed then. */
async function fullWithOneGone(context: TestContext, stops?: Promise<void>) {
  const served = new Map<string, unknown>([['/apis/example.dev/v1', { resources: ROLLOUTS }]]);
  for (let n = 1; n <= MAX_CUSTOM_KINDS + 2; n += 1) {
    served.set(`/apis/g${n}/v1`, { resources: [{ ...ROLLOUTS[2], name: 'things', kind: 'Thing' }] });
  }
  const looked = await looking(context, served, stops);
  const { kinds, watched, relocators, log } = looked;
  kinds.want('example.dev/v1', 'Rollout');
  await until(
    () => watched.length === 1,
    () => log,
  );
  for (let n = 1; n < MAX_CUSTOM_KINDS; n += 1) kinds.want(`g${n}/v1`, 'Thing');
  await until(
    () => watched.length === MAX_CUSTOM_KINDS,
    () => log,
  );
  served.delete('/apis/example.dev/v1');
  assert.equal(await relocators[0]?.(), 'gone');
  return { ...looked, served };
}

test('a kind whose definition is gone keeps its place until another needs it, and gives it back then', async (context) => {
  const { kinds, watched, stopped, log } = await fullWithOneGone(context);
  assert.deepEqual(kinds.stats(), {
    watched: MAX_CUSTOM_KINDS - 1,
    gone: 1,
    undiscovered: 0,
    ignored: 0,
    givenBack: 0,
  });
  assert.deepEqual(stopped, []);
  kinds.want(`g${MAX_CUSTOM_KINDS}/v1`, 'Thing');
  await until(
    () => watched.length === MAX_CUSTOM_KINDS + 1,
    () => log,
  );
  assert.deepEqual(stopped, ['rollouts.example.dev']);
  assert.deepEqual(kinds.stats(), { watched: MAX_CUSTOM_KINDS, gone: 0, undiscovered: 0, ignored: 0, givenBack: 1 });
  assert.ok(!kinds.watched().some(({ kind }) => kind === 'Rollout'));
  // Pods that still refer to it do not take the next place at once, and what is there is given to none.
  kinds.want('example.dev/v1', 'Rollout');
  kinds.want(`g${MAX_CUSTOM_KINDS + 1}/v1`, 'Thing');
  assert.deepEqual(kinds.stats(), { watched: MAX_CUSTOM_KINDS, gone: 0, undiscovered: 0, ignored: 2, givenBack: 1 });
  assert.equal(stopped.length, 1);
});

test('a kind that came back under its path keeps its place, whatever was said of it before', async (context) => {
  const { kinds, stopped, up } = await fullWithOneGone(context);
  up.add('rollouts.example.dev');
  kinds.want(`g${MAX_CUSTOM_KINDS}/v1`, 'Thing');
  assert.deepEqual(kinds.stats(), { watched: MAX_CUSTOM_KINDS, gone: 0, undiscovered: 0, ignored: 1, givenBack: 0 });
  assert.deepEqual(stopped, []);
});

test('a kind that gave its place back is watched again only when its watch before has ended', async (context) => {
  const ended = Promise.withResolvers<void>();
  const { kinds, watched, served, relocators, requests, log } = await fullWithOneGone(context, ended.promise);
  kinds.want(`g${MAX_CUSTOM_KINDS}/v1`, 'Thing');
  await until(
    () => watched.length === MAX_CUSTOM_KINDS + 1,
    () => log,
  );
  // Both its definition and a place are there again.
  served.set('/apis/example.dev/v1', { resources: ROLLOUTS });
  served.delete('/apis/g1/v1');
  assert.equal(await relocators[watched.findIndex(({ groupPath }) => groupPath === '/apis/g1/v1')]?.(), 'gone');
  const before = requests.filter((path) => path === '/apis/example.dev/v1').length;
  await until(
    () => {
      kinds.want('example.dev/v1', 'Rollout');
      return requests.filter((path) => path === '/apis/example.dev/v1').length > before;
    },
    () => log,
  );
  assert.equal(watched.length, MAX_CUSTOM_KINDS + 1);
  ended.resolve();
  await until(
    () => watched.length === MAX_CUSTOM_KINDS + 2,
    () => log,
  );
});

test('12.7: a kind whose referenced version is gone is found in a version that the group serves', async (context) => {
  const served = new Map<string, unknown>([
    [
      '/apis/example.dev',
      { versions: [{ version: 'v2beta1' }, { version: 'v1' }], preferredVersion: { version: 'v1' } },
    ],
    ['/apis/example.dev/v2beta1', { resources: [] }],
    ['/apis/example.dev/v1', { resources: ROLLOUTS }],
  ]);
  const { kinds, requests, watched } = await looking(context, served);
  kinds.want('example.dev/v1alpha1', 'Rollout');
  await until(
    () => watched.length === 1,
    () => requests,
  );
  assert.equal(watched[0]?.groupPath, '/apis/example.dev/v1');
  assert.deepEqual(requests, ['/apis/example.dev/v1alpha1', '/apis/example.dev', '/apis/example.dev/v1']);
});

test('12.7: versions that a group names are not believed to be paths', async (context) => {
  const served = new Map<string, unknown>([
    ['/apis/example.dev', { versions: [{ version: '../../api/v1/secrets' }, {}, null, { version: 7 }] }],
  ]);
  const { kinds, requests } = await looking(context, served);
  kinds.want('example.dev/v1', 'Rollout');
  await until(
    () => requests.length >= 4,
    () => requests,
  );
  assert.deepEqual(new Set(requests), new Set(['/apis/example.dev/v1', '/apis/example.dev']));
});

test('12.6: 40 unknown kinds that every pod wants anew cost a question a second at most, and a log line each', async () => {
  const clock = new VirtualClock();
  const asked: string[] = [];
  const transport: Transport = {
    async request({ path }: ApiRequest): Promise<ApiResponse> {
      asked.push(path);
      return {
        status: 404,
        contentType: 'application/json',
        retryAfterMs: 0,
        body: (async function* () {
          yield Buffer.from('{"kind":"Status","code":404}');
        })(),
        lastHeardMs: () => clock.now(),
        discard: () => undefined,
      };
    },
    close: async () => undefined,
  };
  const stopping = new AbortController();
  const log: string[] = [];
  const logger = pino({ level: 'info' }, { write: (line: string) => void log.push(line) });
  const contact = new ServerContact(transport, clock, () => 0, logger, stopping.signal);
  const kinds = new CustomKinds({
    ...{ transport, contact, logger, clock, random: () => 0.5, stopping: stopping.signal },
    maxKinds: MAX_CUSTOM_KINDS,
    watch: () => assert.fail('nothing is served'),
  });
  const minutes = 10;
  for (let ms = 0; ms < minutes * 60_000; ms += 200) {
    for (let n = 0; n < 40; n += 1) kinds.want(`g${n}.dev/v1`, 'Thing');
    await clock.advance(200);
  }
  // A question is two requests: the version, then the group. 40 kinds that back off need far fewer than one a second.
  assert.ok(asked.length <= 2 * (minutes * 60 + 8), `${asked.length} requests in ${minutes} minutes`);
  assert.ok(asked.length >= 2 * 40, `only ${asked.length} requests: some kinds were never asked for`);
  assert.equal(log.filter((line) => line.includes('cannot be found')).length, 40);
  assert.ok(kinds.stats().ignored > 0);
  stopping.abort();
  await kinds.stopped();
});
