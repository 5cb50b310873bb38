// What `npm pack` makes: it holds what the command needs and nothing else, is the same in every byte when it is built
// again, and the command runs from it.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { ROOT } from './repository.ts';

interface Packed {
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}

test('the package holds what the command needs and nothing else, is the same when built again, and the demo runs from the tarball', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'digger-package-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const npm = (...args: string[]) =>
    execFileSync('npm', args, { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  // What `npm pack` would pack is what the build made; `npm ci` has made it, and this makes it of the sources of now.
  npm('run', '--silent', 'build');
  const packed = (JSON.parse(npm('pack', '--json', '--ignore-scripts', '--pack-destination', folder)) as Packed[])[0];
  assert.ok(packed);
  const files = packed.files.map(({ path }) => path);
  for (const needed of [
    'dist/main.js',
    'dist/client/index.js',
    'dist/client/index.d.ts',
    'dist/page/assets/page.html',
    'proto/digger/v1/lookup.proto',
    'proto/buf.yaml',
    'package.json',
    'README.md',
    'LICENSE',
  ]) {
    assert.ok(files.includes(needed), `lacks ${needed}`);
  }
  const isBundled = existsSync(join(ROOT, 'node_modules/.bin/esbuild'));
  assert.equal(
    files.some((file) => file.startsWith('dist/chunks/')),
    isBundled,
    'the program is not a few files',
  );
  const allowed =
    /^(dist\/.*\.(js|js\.map|d\.ts|json)|dist\/page\/assets\/page\.(html|css)|proto\/.*\.proto|proto\/buf\.yaml|proto\/README\.md|package\.json|README\.md|LICENSE|CHANGELOG\.md)$/;
  assert.deepEqual(
    files.filter((file) => !allowed.test(file)),
    [],
  );
  // Built once more, of the same sources: a person who builds it can check what was published.
  npm('run', '--silent', 'build');
  const again = join(folder, 'again');
  mkdirSync(again);
  npm('pack', '--json', '--ignore-scripts', '--pack-destination', again);
  const [first, second] = [folder, again].map((each) => readFileSync(join(each, packed.filename)));
  assert.ok(second && first?.equals(second), 'two builds differ');
  execFileSync('tar', ['xzf', join(folder, packed.filename), '-C', folder]);
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'package', 'node_modules'));
  const args = [
    'demo',
    '--listen',
    '127.0.0.1:0',
    '--admin-listen',
    '127.0.0.1:0',
    '--log-format',
    'json',
    '--admin-page',
  ];
  const demo = spawn(process.execPath, [join(folder, 'package', 'dist', 'main.js'), ...args], { cwd: folder });
  const ended = once(demo, 'exit', { signal: AbortSignal.timeout(60_000) });
  let log = '';
  demo.stderr.on('data', (data: Buffer) => (log += data.toString()));
  for await (const line of createInterface(demo.stdout)) {
    log += `${line}\n`;
    if (line.includes('"serving"')) break;
  }
  demo.stdout.resume();
  demo.kill('SIGTERM');
  assert.deepEqual(await ended, [0, null], log);
  assert.match(log, /"msg":"serving"/);
});
