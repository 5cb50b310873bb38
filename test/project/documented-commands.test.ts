// Every command that README, docs and the READMEs of the chart, of proto/ and of the vectors show is run, by a shell
// and as it stands, or stands with its reason in command-ways.ts. (The calls of README with grpcurl are run by
// readme.test.ts, all of docs/troubleshooting.md by troubleshooting.test.ts.)
//
// What is changed about a command: a service at 127.0.0.1:50051 is one at another port, and digger.example is this
// machine. `npx digger` is the sources instead of dist/, which another test builds at this time; `npm ci` does nothing,
// as everything else runs on what it would take away.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, before, describe, it, test } from 'node:test';
import { parseCommandLine } from '../../src/cli/line/command-line.ts';
import { createCertificate } from '../simulator/server/certificate.ts';
import type { DiggerProcess } from '../observers/digger-process.ts';
import { Story } from '../stories/story.ts';
import { NOT_RUN, RUN_ELSEWHERE } from './command-ways.ts';
import { shownCommands, splitWords } from './readme-commands.ts';
import { ROOT, readText, repositoryFiles } from './repository.ts';

const PAGES = repositoryFiles().filter(
  (file) => file.endsWith('.md') && file !== 'CHANGELOG.md' && file !== 'docs/troubleshooting.md',
);

/** Page and command, each once. */
const shown = new Map(
  PAGES.flatMap((page) =>
    // In a list, a block is indented.
    shownCommands(
      readText(page)
        .replaceAll(/^ +(?=```)/gm, '')
        .replaceAll(/^ {2}(?=\S)/gm, ''),
    ).map(({ command }) => [command, page] as const),
  ),
);

const own = [...shown].filter(
  ([command, page]) =>
    !(command in RUN_ELSEWHERE) &&
    !(command in NOT_RUN) &&
    !(page === 'README.md' && command.startsWith('grpcurl -plaintext')),
);

/** Longer than any of them takes beside a full test run. */
const DEADLINE_MS = 90_000;

test('a command that is run elsewhere, or not at all, is shown in a document, and the test that runs it is there', () => {
  const listed = [...Object.keys(RUN_ELSEWHERE), ...Object.keys(NOT_RUN)];
  assert.deepEqual(
    listed.filter((command) => !shown.has(command)),
    [],
    'no document shows these any more',
  );
  assert.equal(new Set(listed).size, listed.length, 'in both lists');
  for (const [command, [file, words]] of Object.entries(RUN_ELSEWHERE)) {
    assert.ok(readText(file).includes(words), `${file} has no ${words}, which stands for ${command}`);
  }
});

test('what stands in the text as a command names scripts, files and options that exist', () => {
  const { scripts } = JSON.parse(readText('package.json')) as { scripts: Record<string, string> };
  const mentions = PAGES.flatMap((page) =>
    [
      ...readText(page)
        .replaceAll(/```[\s\S]*?```/g, '')
        .matchAll(/`((?:npm|npx|node|digger) [^`]+|\.ci\/\w+)`/g),
    ].map(([, command = '']) => ({ page, command })),
  );
  assert.ok(mentions.length > 50, `only ${mentions.length}`);
  for (const { page, command } of mentions) {
    const [program, ...words] = splitWords(command);
    const where = `${page}: ${command}`;
    if (program === 'npm' && words[0] === 'run') assert.ok(scripts[words[1] ?? ''] !== undefined, where);
    if (program === 'node') {
      const files = words.filter((word) => word.endsWith('.ts'));
      assert.ok(files.length > 0 && files.every((file) => existsSync(join(ROOT, file))), where);
    }
    if (program?.startsWith('.ci/')) assert.ok(existsSync(join(ROOT, program)), where);
    const asked = program === 'digger' ? words : words[0] === 'digger' ? words.slice(1) : undefined;
    // Words in capitals stand for something else; a command alone is a mention.
    if (asked === undefined || asked.length < 2 || asked.some((word) => /^[A-Z]+$|\|/.test(word))) continue;
    const line = parseCommandLine(asked, '0', Date.now());
    if (line.action === 'refuse') assert.match(JSON.stringify(line), /is missing|needs|give /, where);
  }
});

describe('every command that a document shows runs as it stands:', () => {
  let story: Story;
  let plain: DiggerProcess;
  let secured: DiggerProcess;
  let folder: string;
  before(async () => {
    story = await Story.begin();
    folder = mkdtempSync(join(tmpdir(), 'digger-commands-'));
    writeFiles();
    plain = await story.startReadyDigger();
    const server = ['--tls-cert', 'tls.crt', '--tls-key', 'tls.key'].map(inFolder);
    secured = await story.startDigger(...server);
    await secured.untilLogged('ready', DEADLINE_MS);
  });
  after(async () => {
    await story?.end();
    rmSync(folder, { recursive: true, force: true });
  });

  it('there are commands', () => assert.ok(own.length >= 15, `only ${own.length}`));

  for (const [command, page] of own) {
    it(`${page}: ${command}`, async () => {
      const { code, output } = await run(command);
      assert.equal(code, 0, output);
      assert.notEqual(output.trim(), '', 'it printed nothing');
    });
  }

  /** One that does not end by itself is told to, once it said what it has to say. */
  async function run(command: string): Promise<{ readonly code: number | null; readonly output: string }> {
    const isAboutTls = command.includes('digger.example');
    const text = command
      .replaceAll('digger.example:50051', `localhost:${secured.address.split(':')[1]}`)
      .replaceAll(/\bdigger (status|resolve|history|get|watch)\b/g, (asked) =>
        isAboutTls ? asked : `${asked} --address ${plain.address}`,
      );
    const lasting = lastingOutput(command);
    const child = spawn('bash', ['-c', text], {
      cwd: isAboutTls ? folder : ROOT,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: environment(),
    });
    const group = -(child.pid ?? assert.fail('no shell'));
    let output = '';
    let isTold = false;
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (data: Buffer) => {
        output += data.toString();
        if (isTold || lasting === undefined || !lasting.test(output)) return;
        isTold = true;
        process.kill(group, 'SIGTERM');
      });
    }
    const giveUp = setTimeout(() => process.kill(group, 'SIGKILL'), DEADLINE_MS);
    const [code] = (await once(child, 'close')) as [number | null];
    clearTimeout(giveUp);
    // A shell that a signal ends has no code, and what it ran ended with 0 or was told by the same signal.
    return { code: isTold ? 0 : code, output };
  }

  function environment(): NodeJS.ProcessEnv {
    const env: NodeJS.ProcessEnv = {
      ...process.env,
      NO_COLOR: '1',
      PATH: [folder, process.env['PATH']].join(delimiter),
      KUBECONFIG: inFolder('kubeconfig.json'),
      DIGGER_LISTEN: '127.0.0.1:0',
      DIGGER_ADMIN_LISTEN: '127.0.0.1:0',
      DIGGER_LOG_FORMAT: 'json',
    };
    // A test runner within this one is no part of it.
    delete env['NODE_TEST_CONTEXT'];
    return env;
  }

  function inFolder(name: string): string {
    return name.startsWith('--') ? name : join(folder, name);
  }

  function writeFiles(): void {
    const context = { name: 'my-cluster', context: { cluster: 'story', user: 'story' } };
    const kubeconfig = JSON.parse(readFileSync(story.kubeconfig, 'utf8')) as {
      readonly clusters: readonly { readonly cluster: object }[];
      readonly users: readonly { readonly user: object }[];
    };
    const files: Record<string, string> = {
      'kubeconfig.json': JSON.stringify({
        ...{ apiVersion: 'v1', kind: 'Config', contexts: [context], 'current-context': '' },
        clusters: [{ ...kubeconfig.clusters[0], name: 'story' }],
        users: [{ ...kubeconfig.users[0], name: 'story' }],
      }),
      token: 'head.claims.signature\n',
    };
    const ca = createCertificate({ commonName: 'CA of the documents' });
    for (const name of ['tls', 'client']) {
      const { cert, key } = createCertificate({ issuer: ca, commonName: name });
      files[`${name}.crt`] = cert;
      files[`${name}.key`] = key;
    }
    files['ca.crt'] = ca.cert;
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    const program = (name: string, text: string): void => {
      writeFileSync(join(folder, name), `#!/usr/bin/env bash\n${text}\n`);
      chmodSync(join(folder, name), 0o755);
    };
    const real = (name: string): string => spawnSync('which', [name], { encoding: 'utf8' }).stdout.trim();
    const digger = `exec '${process.execPath}' '${join(ROOT, 'src/main.ts')}'`;
    program('digger', `${digger} "$@"`);
    program('npx', `if [ "$1" = digger ]; then shift; ${digger} "$@"; fi\nexec '${real('npx')}' "$@"`);
    program('npm', `if [ "$1" = ci ]; then exit 0; fi\nexec '${real('npm')}' "$@"`);
    // Where grpcurl is not installed: buf, which likewise knows the services by reflection alone.
    const [buf, last] = [join(ROOT, 'node_modules/.bin/buf'), '"${@: -2:1}"'];
    if (real('grpcurl') === '') {
      program(
        'grpcurl',
        `exec '${buf}' curl --protocol grpc --cacert ca.crt -H "$4" -d '{}' https://${last}/"\${@: -1}"`,
      );
    }
  }
});

/** What a command that goes on by itself has said when it works; `undefined`: it ends. */
function lastingOutput(command: string): RegExp | undefined {
  if (/digger (serve|demo)\b|^npm start|npm run demo/.test(command)) return /"msg":"ready"/;
  if (/digger watch\b/.test(command)) return /frontend|cart|synced/i;
  return undefined;
}
