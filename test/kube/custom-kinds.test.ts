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
import type { OwnerRecord } from '../../src/model/records.ts';
import { HurriedClock, TestCredentials } from './reflector/reflecting.ts';

const ROLLOUTS = [
  { name: 'rollouts/status', kind: 'Rollout', namespaced: true, verbs: ['get'] },
  { name: 'rolloutviews', kind: 'Rollout', namespaced: true, verbs: ['create'] },
  { name: 'rollouts', kind: 'Rollout', namespaced: true, verbs: ['get', 'list', 'watch'] },
  { name: 'fleets', kind: 'Fleet', namespaced: false, verbs: ['list', 'watch'] },
];

async function looking(context: TestContext, served: Map<string, unknown>) {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    if (path !== '/readyz') requests.push(path);
    const found = served.get(path);
    response.writeHead(found === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(found ?? { kind: 'Status', code: 404, message: 'not here' }));
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
  const kinds = new CustomKinds({
    transport,
    contact,
    logger,
    clock,
    random,
    stopping: stopping.signal,
    maxKinds: MAX_CUSTOM_KINDS,
    watch: (resource) => watched.push(resource),
  });
  context.after(async () => {
    stopping.abort();
    await kinds.stopped();
    await transport.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { kinds, requests, watched, log };
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
  assert.ok(
    watched.every(({ required }) => !required),
    'nobody waits for a custom kind',
  );
  assert.deepEqual(kinds.stats(), { watched: 2, undiscovered: 0, ignored: 0 });
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
  assert.deepEqual(kinds.stats(), { watched: 0, undiscovered: 2, ignored: 0 });
  served.set('/apis/example.dev/v1', { resources: ROLLOUTS });
  await until(
    () => watched.length === 1,
    () => requests,
  );
  assert.deepEqual(kinds.stats(), { watched: 1, undiscovered: 1, ignored: 0 });
  assert.equal(log.filter((line) => line.includes('cannot be found')).length, 2, log.join(''));
});

test('built-in kinds, Secrets and ConfigMaps are never looked for', async (context) => {
  const { kinds, requests } = await looking(context, new Map());
  for (const kind of ['Pod', 'Node', 'ReplicationController', 'Secret', 'ConfigMap']) kinds.want('v1', kind);
  kinds.want('apps/v1', 'Deployment');
  for (const odd of ['../../api/v1', 'a/b/c', '', '/v1', 'a/..', 'A/v1?x=']) kinds.want(odd, 'Odd');
  kinds.want('example.dev/v1', 'Asked');
  await until(
    () => requests.length > 0,
    () => requests,
  );
  assert.deepEqual(new Set(requests), new Set(['/apis/example.dev/v1']));
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
  assert.deepEqual(kinds.stats(), { watched: MAX_CUSTOM_KINDS, undiscovered: 0, ignored: 2 });
  assert.equal(log.filter((line) => line.includes('too many')).length, 1);
});
