// What the log says of an API server that cannot be reached.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pino } from 'pino';
import { sleep } from '../../../src/kube/clock.ts';
import { CredentialsError } from '../../../src/kube/credentials/credentials.ts';
import { ServerContact } from '../../../src/kube/reflector/server-contact.ts';
import { type Transport, TransportError } from '../../../src/kube/transport/transport.ts';
import { VirtualClock } from './virtual-clock.ts';

async function outage(wasAccepted: boolean, forMs: number): Promise<readonly { msg: string; forMs?: number }[]> {
  const clock = new VirtualClock();
  const transport: Transport = {
    request: async () => {
      throw new TransportError(new Error('connection refused'));
    },
    close: async () => undefined,
  };
  const lines: { msg: string; forMs?: number }[] = [];
  const logger = pino({}, { write: (line: string) => lines.push(JSON.parse(line) as { msg: string }) });
  const stopping = new AbortController();
  const contact = new ServerContact(transport, clock, () => 0, logger, stopping.signal);
  if (wasAccepted) contact.accepted();
  const waiting = contact.waitUntilReachable('connection refused');
  await clock.advance(forMs);
  stopping.abort();
  await waiting;
  return lines;
}

test('without credentials the server cannot be judged: the wait ends, and nothing is said of the server', async () => {
  const clock = new VirtualClock();
  const outcomes = [new TransportError(new Error('connection refused')), new CredentialsError('no token in /token')];
  const transport: Transport = {
    request: async () => {
      throw outcomes.shift() ?? assert.fail('asked again');
    },
    close: async () => undefined,
  };
  const lines: string[] = [];
  const logger = pino({}, { write: (line: string) => lines.push((JSON.parse(line) as { msg: string }).msg) });
  const contact = new ServerContact(transport, clock, () => 0, logger, new AbortController().signal);
  const waiting = contact.waitUntilReachable('connection refused');
  await clock.advance(10_000);
  await waiting;
  assert.deepEqual(lines.length, 1);
  assert.match(lines[0] ?? '', /cannot be reached/);
});

test('a probe gives the server five seconds, and credentials the time that they take', async () => {
  const clock = new VirtualClock();
  const sentAtMs: number[] = [];
  const endedAfterMs: number[] = [];
  const transport: Transport = {
    request: async ({ signal, onBegin }) => {
      // An exec plugin at work.
      await sleep(clock, 20_000, signal);
      signal.throwIfAborted();
      onBegin?.();
      sentAtMs.push(clock.now());
      await sleep(clock, 60_000, signal);
      endedAfterMs.push(clock.now() - (sentAtMs.at(-1) ?? 0));
      throw signal.reason;
    },
    close: async () => undefined,
  };
  const stopping = new AbortController();
  const contact = new ServerContact(transport, clock, () => 0, pino({ level: 'silent' }), stopping.signal);
  const waiting = contact.waitUntilReachable('connection refused');
  await clock.advance(60_000);
  stopping.abort();
  await waiting;
  assert.deepEqual(endedAfterMs.slice(0, 2), [5_000, 5_000]);
});

test('an outage after the first list says that answers go on; one from the start says that nothing is known', async () => {
  assert.match((await outage(true, 10_000))[0]?.msg ?? '', /answers go on from the last known state$/);
  assert.match((await outage(false, 10_000))[0]?.msg ?? '', /nothing is known yet, so lookups wait$/);
});

test('an outage that lasts is told again every five minutes, with how long it has lasted', async () => {
  const lines = await outage(false, 16 * 60_000);
  assert.equal(lines.length, 4, JSON.stringify(lines));
  assert.ok((lines.at(-1)?.forMs ?? 0) > 15 * 60_000);
});

/** A contact whose looks are over when they are told to be. */
function looking(canTell = true) {
  const clock = new VirtualClock();
  const stopping = new AbortController();
  const transport: Transport = { request: () => assert.fail('asked'), close: async () => undefined };
  const contact = new ServerContact(transport, clock, () => 0, pino({ level: 'silent' }), stopping.signal);
  const looks: (() => void)[] = [];
  const begunMs: number[] = [];
  contact.beforeGoingOn({
    canTell: () => canTell,
    look: () => {
      begunMs.push(clock.now());
      return new Promise((resolve) => looks.push(resolve));
    },
  });
  const goneOn: string[] = [];
  const goOn = (who: string, before = contact.looksBegun) =>
    void contact.lookedAtSince(before).then(() => goneOn.push(who));
  return { clock, stopping, contact, looks, begunMs, goneOn, goOn };
}

test('thirteen watches that end together share one look at the server', async () => {
  const { clock, looks, goneOn, goOn, contact } = looking();
  const before = contact.looksBegun;
  for (let n = 0; n < 13; n++) goOn(`watch ${n}`, before);
  await clock.settle();
  assert.equal(looks.length, 1);
  assert.deepEqual(goneOn, []);
  looks[0]?.();
  await clock.settle();
  assert.equal(goneOn.length, 13);
  // One that ended with them, and comes late.
  goOn('late', before);
  await clock.settle();
  assert.equal(goneOn.length, 14);
  assert.equal(looks.length, 1);
});

test('a look that had begun before a watch ended may have met the server before: another follows it', async () => {
  const { clock, looks, goneOn, goOn } = looking();
  goOn('first');
  await clock.settle();
  goOn('second');
  looks[0]?.();
  await clock.settle();
  assert.deepEqual(goneOn, ['first']);
  await clock.advance(1_000);
  assert.equal(looks.length, 2);
  looks[1]?.();
  await clock.settle();
  assert.deepEqual(goneOn, ['first', 'second']);
});

test('a server that ends every watch at once is looked at once a second, whatever the number of watches', async () => {
  const { clock, looks, begunMs, contact, stopping } = looking();
  const again = async (): Promise<void> => {
    while (!stopping.signal.aborted) await contact.lookedAtSince(contact.looksBegun);
  };
  const watches = Array.from({ length: 20 }, again);
  for (let passed = 0; passed < 10_000; passed += 100) {
    for (const over of looks.splice(0)) over();
    await clock.advance(100);
  }
  assert.ok(begunMs.length <= 11, `${begunMs.length} looks in ten seconds`);
  stopping.abort();
  for (const over of looks.splice(0)) over();
  await Promise.all(watches);
});

test('where there is nothing to compare the server with, nothing waits', async () => {
  const { clock, looks, goneOn, goOn } = looking(false);
  for (let n = 0; n < 3; n++) goOn(`watch ${n}`);
  await clock.settle();
  assert.deepEqual([goneOn.length, looks.length], [3, 0]);
});
