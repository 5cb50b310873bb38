// docs/troubleshooting.md shows what digger prints: each of its console blocks is run, and prints that.
//
// Commands run in an empty folder, beside a service in plaintext that stands for the one at port 50051. `…` in the
// document stands for anything.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { ServiceError } from '@grpc/grpc-js';
import type { DiggerProcess } from '../observers/digger-process.ts';
import { Story } from '../stories/story.ts';
import { parseGrpcurl, shownCommands, splitWords } from './readme-commands.ts';
import { ROOT, readText } from './repository.ts';

describe('every command that docs/troubleshooting.md shows prints what stands below it:', () => {
  let story: Story;
  let digger: DiggerProcess;
  let folder: string;
  before(async () => {
    story = await Story.begin();
    digger = await story.startReadyDigger();
    folder = mkdtempSync(join(tmpdir(), 'digger-troubles-'));
  });
  after(async () => {
    await story?.end();
    rmSync(folder, { recursive: true, force: true });
  });

  const shown = shownCommands(readText('docs/troubleshooting.md'));
  it('there are commands', () => assert.ok(shown.length > 10, `only ${shown.length}`));

  for (const { command, output } of shown) {
    it(command, async () => {
      const printed = command.startsWith('grpcurl ') ? await grpcurl(command) : await run(command);
      assert.match(printed.trimEnd(), pattern(output));
    });
  }

  /** Standard output and error of the command. */
  async function run(command: string): Promise<string> {
    const [program, ...words] = splitWords(atPort(command));
    assert.equal(program, 'digger');
    const isServing = words[0] === 'serve' && !words.includes('--kubeconfig');
    const child = spawn(process.execPath, [join(ROOT, 'src/main.ts'), ...words], {
      cwd: folder,
      // Another digger on this machine may have the usual port of the admin listener.
      env: {
        ...process.env,
        NO_COLOR: '1',
        DIGGER_ADMIN_LISTEN: '127.0.0.1:0',
        ...(isServing ? { KUBECONFIG: story.kubeconfig } : {}),
      },
    });
    let printed = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (data: Buffer) => (printed += data.toString()));
    const giveUp = setTimeout(() => child.kill('SIGKILL'), 60_000);
    await once(child, 'close');
    clearTimeout(giveUp);
    return printed;
  }

  /** As grpcurl prints an error. */
  async function grpcurl(command: string): Promise<string> {
    const call = parseGrpcurl(command);
    assert.ok(call?.verb === 'call', command);
    const [service = '', method = ''] = call.method.replace('digger.v1.', '').split('/');
    try {
      return JSON.stringify(await digger.call(service, method, JSON.parse(call.data ?? '{}') as object));
    } catch (thrown) {
      const { code, details } = thrown as ServiceError;
      return `ERROR:\n  Code: ${code === 5 ? 'NotFound' : code}\n  Message: ${details}`;
    }
  }

  function atPort(text: string): string {
    return text
      .replaceAll('50051', digger.address.split(':')[1] ?? '')
      .replaceAll('--output table', `--output table --address ${digger.address}`);
  }

  function pattern(output: string): RegExp {
    const literal = atPort(output).replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
    return new RegExp(`^${literal.replaceAll('…', '[^\\n]*')}$`);
  }
});
