// What docs/clients.md tells clients to do: the service config is one that grpc-js takes, and it does what the page
// says; the lines for TypeScript ask a service as they stand, but for its port. (Those for Go and Python are in
// programs that .ci/go and .ci/python run.)

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, describe, it, test } from 'node:test';
import { promisify } from 'node:util';
import { Client, credentials, status } from '@grpc/grpc-js';
import { Story } from '../stories/story.ts';
import { startFlakyServer } from './flaky-server.ts';
import { ROOT, readText, repositoryFiles } from './repository.ts';

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

test('docs/clients.md names every reason of an error, and the reasons for which fields of a request are refused', () => {
  const page = readText('docs/clients.md');
  const sources = repositoryFiles().filter((file) => /^src\/rpc\/.*\.ts$/.test(file) && !file.includes('/generated/'));
  const reasons = new Set(
    sources.flatMap((file) =>
      [...readText(file).matchAll(/new CallError\(\s*[\w.]+,\s*'([A-Z_]+)'/g)].map((match) => match[1] ?? ''),
    ),
  );
  // Of a caller that has gone, who is told nothing.
  reasons.delete('CANCELLED');
  const fields = /export type ViolationReason =([^;]+);/.exec(readText('src/rpc/errors/call-error.ts'))?.[1] ?? '';
  for (const match of fields.matchAll(/'([A-Z_]+)'/g)) reasons.add(match[1] ?? '');
  assert.ok(reasons.size > 40, `only ${reasons.size} reasons found`);
  assert.deepEqual(
    [...reasons].filter((reason) => !page.includes(`\`${reason}\``)),
    [],
  );
});

describe('the lines for TypeScript', () => {
  let story: Story;
  let address: string;
  before(async () => {
    story = await Story.begin();
    address = (await story.startReadyDigger()).address;
  });
  after(() => story?.end());

  /** Standard output of the program in the first block of `ts`, asking the service of the story. */
  async function run(page: string, before = ''): Promise<string> {
    const lines = readText(page).split('```ts\n')[1]?.split('```')[0] ?? assert.fail(`${page} shows no TypeScript`);
    const program = `${before}\n${lines.replaceAll('127.0.0.1:50051', address)}`
      // As in the package, but of the sources: another test builds dist/ at this time.
      .replaceAll("'digger/client'", `'${new URL('../../src/client/index.ts', import.meta.url).href}'`);
    const args = ['--input-type=module-typescript', '--eval', program];
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: ROOT, timeout: 60_000 });
    return stdout;
  }

  it('of docs/clients.md get an answer', async () => {
    const config = readText('docs/clients.md').split('```json\n')[1]?.split('```')[0] ?? '';
    const printed = await run('docs/clients.md', `const serviceConfig = ${config};`);
    assert.match(printed, /outcome: 'OUTCOME_RESOLVED'/);
    assert.match(printed, /name: 'cart-redis-0'/);
  });

  it('of docs/replica.md print what stands below them', async () => {
    const said = /^It prints `([^`]+)`/m.exec(readText('docs/replica.md'))?.[1] ?? assert.fail('it says nothing');
    assert.equal((await run('docs/replica.md')).trim(), said);
  });
});
