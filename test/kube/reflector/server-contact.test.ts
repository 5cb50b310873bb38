// What the log says of an API server that cannot be reached.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pino } from 'pino';
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

test('an outage after the first list says that answers go on; one from the start says that nothing is known', async () => {
  assert.match((await outage(true, 10_000))[0]?.msg ?? '', /answers go on from the last known state$/);
  assert.match((await outage(false, 10_000))[0]?.msg ?? '', /nothing is known yet, so lookups wait$/);
});

test('an outage that lasts is told again every five minutes, with how long it has lasted', async () => {
  const lines = await outage(false, 16 * 60_000);
  assert.equal(lines.length, 4, JSON.stringify(lines));
  assert.ok((lines.at(-1)?.forMs ?? 0) > 15 * 60_000);
});
