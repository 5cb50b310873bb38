// README's command lines: npm scripts exist, digger's options are real, and every grpcurl line is run against the demo.
//
// Where grpcurl is not installed, its calls are made by `buf curl`, which likewise knows the services by reflection
// alone; the test's diagnostics say which of the two it was.

import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { parseCommandLine } from '../../src/cli/line/command-line.ts';
import { parseConfig } from '../../src/options/config.ts';
import { type GrpcurlCall, parseGrpcurl, shownCommands, splitWords } from './readme-commands.ts';
import { ROOT, readText } from './repository.ts';

const run = promisify(execFile);
const HAS_GRPCURL = spawnSync('grpcurl', ['-version']).status === 0;

// Streams of the demo do not end by themselves: a call that still runs after this has said what it had to say.
const STREAM_MS = 2_000;

async function startDemo(t: TestContext): Promise<{ readonly address: string; readonly printed: readonly string[] }> {
  const args = [
    'src/main.ts',
    'demo',
    '--listen',
    '127.0.0.1:0',
    '--admin-listen',
    '127.0.0.1:0',
    '--log-format',
    'json',
  ];
  const demo: ChildProcess = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(demo, 'exit');
  t.after(async () => {
    demo.kill('SIGKILL');
    await exited;
  });
  const printed: string[] = [];
  assert.ok(demo.stdout);
  const giveUp = setTimeout(() => demo.kill('SIGKILL'), 60_000);
  try {
    for await (const line of createInterface(demo.stdout)) {
      printed.push(line);
      if (!line.startsWith('{')) continue;
      const entry = JSON.parse(line) as { msg: string; address?: string };
      if (entry.msg === 'serving' && entry.address !== undefined) {
        demo.stdout.resume();
        return { address: entry.address, printed };
      }
    }
  } finally {
    clearTimeout(giveUp);
  }
  throw new Error(`the demo did not serve; it printed:\n${printed.join('\n')}`);
}

/** Output of a call; of one that goes on, what came within STREAM_MS. */
async function call(command: string, parsed: GrpcurlCall, address: string): Promise<string> {
  const stream = parsed.verb === 'call' && parsed.method.endsWith('/Watch');
  const [program, args] = HAS_GRPCURL
    ? ([
        'grpcurl',
        splitWords(command)
          .slice(1)
          .map((word) => (word === parsed.address ? address : word)),
      ] as const)
    : ([join(ROOT, 'node_modules', '.bin', 'buf'), bufArguments(parsed, address)] as const);
  try {
    const { stdout } = await run(program, args, {
      timeout: stream ? STREAM_MS : 20_000,
      cwd: ROOT,
      maxBuffer: 64 << 20,
    });
    return stdout;
  } catch (error) {
    const { killed, stdout, stderr } = error as { killed?: boolean; stdout?: string; stderr?: string };
    if (stream && killed === true && stdout) return stdout;
    throw new Error(`${command}\n${stdout}${stderr}`, { cause: error });
  }
}

function bufArguments(parsed: GrpcurlCall, address: string): string[] {
  const base = ['curl', '--protocol', 'grpc', '--http2-prior-knowledge'];
  if (parsed.verb !== 'call') return [...base, '--list-methods', `http://${address}`];
  return [...base, '-d', parsed.data ?? '{}', `http://${address}/${parsed.method}`];
}

// Values of a living cluster change; the fields that an answer shows do not.
function fieldNames(text: string): Set<string> {
  return new Set([...text.matchAll(/"([A-Za-z@][A-Za-z0-9_.@/-]*)":/g)].map(([, name]) => name ?? ''));
}

test('npm and digger commands of README name scripts and options that exist', () => {
  const { scripts } = JSON.parse(readText('package.json')) as { scripts: Record<string, string> };
  const commands = shownCommands(readText('README.md')).flatMap(({ command }) =>
    command.split('&&').map((part) => part.trim()),
  );
  assert.ok(commands.length > 0, 'README.md shows no commands');
  for (const command of commands) {
    const [program, ...words] = splitWords(command);
    if (program === 'npm') {
      const script = words[0] === 'run' ? words[1] : words[0];
      assert.ok(script === 'ci' || scripts[script ?? ''] !== undefined, `no such script: ${command}`);
    } else if (program === 'npx' && words[0] === 'digger') {
      const line = parseCommandLine(words.slice(1), '0', Date.now());
      assert.notEqual(line.action, 'refuse', `${command}: ${JSON.stringify(line)}`);
      if (line.action === 'serve') {
        const config = parseConfig(line.flags, {});
        assert.ok(config.ok, `${command}: ${config.ok ? '' : config.problems.join('\n')}`);
      }
    }
  }
});

test('every grpcurl line of README and of the demo runs against the demo and shows the fields that it says', async (t) => {
  t.diagnostic(HAS_GRPCURL ? 'calls made by grpcurl' : 'grpcurl is not installed: calls made by buf curl');
  const { address, printed } = await startDemo(t);
  const fromReadme = shownCommands(readText('README.md')).filter(({ command }) => command.startsWith('grpcurl'));
  const fromDemo = printed.filter((line) => line.startsWith('grpcurl')).map((command) => ({ command, output: '' }));
  assert.ok(fromReadme.length >= 3, `README.md shows ${fromReadme.length} grpcurl lines`);
  assert.ok(fromDemo.length >= 10, `the demo printed ${fromDemo.length} grpcurl lines:\n${printed.join('\n')}`);
  for (const { command, output } of [...fromReadme, ...fromDemo]) {
    const parsed = parseGrpcurl(command);
    assert.ok(parsed, `cannot be checked: ${command}`);
    const actual = await call(command, parsed, address);
    assert.notEqual(actual.trim(), '', `${command} printed nothing`);
    const missing = [...fieldNames(output)].filter((name) => !fieldNames(actual).has(name));
    assert.deepEqual(missing, [], `${command}\nREADME shows fields that the answer lacks; the answer:\n${actual}`);
  }
});
