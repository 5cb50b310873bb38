// The uid of kube-system: read once where it may be, and told why it is not known where it may not.

import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { pino } from 'pino';
import { systemClock } from '../../src/kube/clock.ts';
import { ClusterUid } from '../../src/kube/cluster-uid.ts';
import { ServerContact } from '../../src/kube/reflector/server-contact.ts';
import { createTransport } from '../../src/kube/transport/transport.ts';
import { done, eventually, notYet } from '../observers/eventually.ts';
import { HurriedClock, TestCredentials } from './reflector/reflector-under-test.ts';

const UID = '5d0b5d5e-0f0b-4a52-8f55-5f7f9f0f4c11';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

const json =
  (status: number, body: unknown): Answer =>
  (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };
const found = json(200, {
  kind: 'PartialObjectMetadataList',
  items: [{ metadata: { name: 'kube-public', uid: 'another' } }, { metadata: { name: 'kube-system', uid: UID } }],
});
const forbidden = json(403, {
  kind: 'Status',
  code: 403,
  reason: 'Forbidden',
  message: 'namespaces is forbidden: User "digger" cannot list resource "namespaces" in API group ""',
});

/** Hurries waits, and gives a request its time on a busy machine, unless told otherwise. */
class PatientClock extends HurriedClock {
  requestLimitMs = 5_000;

  override setTimer(callback: () => void, delayMs: number): () => void {
    return delayMs === 5_000 ? systemClock.setTimer(callback, this.requestLimitMs) : super.setTimer(callback, delayMs);
  }
}

async function asking(context: TestContext, ...answers: Answer[]) {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    if (request.url === '/readyz') return void response.end('ok');
    requests.push(request.url ?? '');
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    answer?.(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const credentials = new TestCredentials(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const transport = createTransport({ credentials, userAgent: 'digger/test' });
  const stopping = new AbortController();
  const log: string[] = [];
  const logger = pino({ level: 'info' }, { write: (line: string) => void log.push(line) });
  const clock = new PatientClock();
  const random = () => 0;
  const contact = new ServerContact(transport, clock, random, logger, stopping.signal);
  let changes = 0;
  const others: string[] = [];
  const uid = new ClusterUid({
    transport,
    contact,
    logger,
    clock,
    random,
    stopping: stopping.signal,
    onChange: () => (changes += 1),
    onOtherCluster: ({ was, is }) => others.push(`${was} → ${is}`),
  });
  context.after(async () => {
    stopping.abort();
    await uid.stopped();
    await transport.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  uid.start();
  return { uid, requests, log, contact, others, clock, changes: () => changes };
}

test('it is read once, as a list of the one namespace, and found among others', async (context) => {
  const { uid, requests, changes } = await asking(context, found);
  await uid.answered();
  assert.equal(uid.uid, UID);
  assert.equal(uid.problem, '');
  assert.equal(changes(), 1);
  assert.deepEqual(requests, ['/api/v1/namespaces?fieldSelector=metadata.name%3Dkube-system&resourceVersion=0']);
});

const another = json(200, { items: [{ metadata: { name: 'kube-system', uid: 'another' } }] });

test('after a failure to reach the server it is compared before anything goes on', async (context) => {
  const { uid, requests, contact, others } = await asking(context, found, found, another);
  await uid.answered();
  await contact.waitUntilReachable('connection refused');
  assert.equal(requests.length, 2);
  assert.deepEqual(others, []);
  let goesOn = false;
  void contact.waitUntilReachable('connection refused').then(() => (goesOn = true));
  await eventually('another cluster is noticed', () => (others.length > 0 ? done(undefined) : notYet(requests)));
  assert.deepEqual(others, [`${UID} → another`]);
  assert.equal(goesOn, false, 'no watch goes on at another cluster');
  assert.equal(uid.uid, UID);
});

test('where it cannot be compared the watches go on, and it is asked for until it can be', async (context) => {
  const { uid, requests, contact, others } = await asking(
    context,
    found,
    forbidden,
    json(500, 'no'),
    forbidden,
    another,
  );
  await uid.answered();
  await contact.waitUntilReachable('connection refused');
  void contact.waitUntilReachable('connection refused');
  await eventually('another cluster is noticed', () => (others.length > 0 ? done(undefined) : notYet(requests)));
  assert.deepEqual(others, [`${UID} → another`]);
});

test('where the comparison is refused the picture is believed, and the problem told', async (context) => {
  const { uid, contact, log } = await asking(context, found, forbidden, forbidden, found);
  await uid.answered();
  await contact.waitUntilReachable('connection refused');
  assert.equal(uid.isDoubted, false);
  assert.match(uid.problem, /^not compared since the API server came back: .*403 Forbidden/);
  await eventually('the right is back', () => (uid.problem === '' ? done(undefined) : notYet(uid.problem)));
  assert.equal(uid.uid, UID);
  assert.equal(log.filter((line) => line.includes('can no longer be compared')).length, 1, log.join('\n'));
});

const hangs: Answer = (_request, response) => {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.write('{"items":[');
};
const noneYet = json(200, { items: [] });

for (const [name, answer, message] of [
  ['a comparison that hangs', hangs, /no answer within 5000 ms/],
  ['a cluster without kube-system, as one is in its first second,', noneYet, /knows no namespace kube-system/],
  ['a server error', json(500, 'no'), /500/],
] as const) {
  test(`${name} leaves a doubt: watches go on, and the doubt ends with a comparison`, async (context) => {
    const { uid, contact, others, log, clock } = await asking(context, found, answer, answer, found);
    await uid.answered();
    if (answer === hangs) clock.requestLimitMs = 200;
    await contact.waitUntilReachable('connection refused');
    assert.equal(uid.isDoubted, true);
    assert.match(uid.problem, message);
    await eventually('it is compared', () => (uid.isDoubted ? notYet(uid.problem) : done(undefined)));
    assert.equal(uid.problem, '');
    assert.deepEqual(others, []);
    assert.equal(log.filter((line) => line.includes('may be that of another cluster')).length, 1, log.join('\n'));
  });

  test(`${name} puts nothing off for good: another cluster is noticed, and told once`, async (context) => {
    const { uid, contact, others, clock } = await asking(context, found, answer, answer, another);
    await uid.answered();
    if (answer === hangs) clock.requestLimitMs = 200;
    await contact.waitUntilReachable('connection refused');
    await eventually('another cluster is noticed', () => (others.length > 0 ? done(undefined) : notYet(uid.problem)));
    void contact.waitUntilReachable('connection refused');
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(others, [`${UID} → another`]);
    assert.equal(uid.isDoubted, true);
  });
}

test('a comparison after the next outage ends the doubt of the one before', async (context) => {
  const { uid, contact } = await asking(context, found, json(500, 'no'), found);
  await uid.answered();
  await contact.waitUntilReachable('connection refused');
  await contact.waitUntilReachable('connection refused');
  assert.equal(uid.isDoubted, false);
});

test('without the right it stays unknown, says which right is missing, and is known once it is granted', async (context) => {
  const { uid, log } = await asking(context, forbidden, forbidden, forbidden, found);
  await uid.answered();
  await eventually('the right is granted', () => (uid.uid === UID ? done(undefined) : notYet(uid.problem)));
  assert.equal(uid.problem, '');
  const warnings = log.filter((line) => line.includes('the uid of the cluster is not known'));
  assert.equal(warnings.length, 1, warnings.join('\n'));
  assert.match(warnings[0] ?? '', /cannot list resource \\"namespaces\\"/);
});

for (const [name, answer, problem] of [
  ['an answer that is not JSON', json(200, '<html>'), /is not JSON/],
  ['no such namespace', json(200, { items: [] }), /knows no namespace kube-system/],
  ['a uid that is not text', json(200, { items: [{ metadata: { name: 'kube-system', uid: 7 } }] }), /knows no/],
  [
    'a uid that is a book',
    json(200, { items: [{ metadata: { name: 'kube-system', uid: 'x'.repeat(200) } }] }),
    /knows no/,
  ],
  ['an answer without end', json(200, 'x'.repeat(2_000_000)), /more than 1048576 bytes/],
  ['a server error', json(500, 'no'), /500/],
] as const) {
  test(`${name} leaves it unknown, and the start does not wait any longer`, async (context) => {
    const { uid } = await asking(context, answer);
    await uid.answered();
    assert.equal(uid.uid, '');
    assert.match(uid.problem, problem);
  });
}

test('an answer that is cut off is asked for again', async (context) => {
  const cut: Answer = (_request, response) => {
    response.writeHead(200, { 'content-length': '1000' });
    response.write('{');
    setImmediate(() => response.destroy());
  };
  const { uid, requests } = await asking(context, cut, found);
  await uid.answered();
  assert.equal(uid.uid, UID);
  assert.equal(requests.length, 2);
});
