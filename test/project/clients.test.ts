// What docs/clients.md tells clients to do: the service config is one that grpc-js takes, and it does what the page
// says.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { Client, credentials, status } from '@grpc/grpc-js';
import { startFlakyServer } from './flaky-server.ts';
import { readText } from './repository.ts';

test('the service config of docs/clients.md makes a client try again while a replica is unavailable', async (t) => {
  const text = /```json\n([\s\S]*?)```/.exec(readText('docs/clients.md'))?.[1];
  assert.ok(text, 'docs/clients.md shows no service config');
  const { address, calls, stop } = await startFlakyServer({ refusals: 2, method: '/digger.v1.LookupService/GetNode' });
  t.after(stop);
  const client = new Client(address, credentials.createInsecure(), { 'grpc.service_config': text });
  t.after(() => client.close());
  const bytes = (value: Buffer): Buffer => value;
  const call = promisify(
    (method: string, done: (error: Error | null, answer?: Buffer) => void) =>
      void client.makeUnaryRequest(method, bytes, bytes, Buffer.alloc(0), done),
  );
  assert.equal((await call('/digger.v1.LookupService/GetNode'))?.length, 0);
  assert.equal(calls(), 3);
  // Other services are not retried: a subscriber goes on by itself, with its token.
  await assert.rejects(call('/digger.v1.StatusService/GetStatus'), { code: status.UNIMPLEMENTED });
});
