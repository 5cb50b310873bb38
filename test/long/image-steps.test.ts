// The steps of the Dockerfile, done by hand in an empty folder: what the image is made of builds and starts without
// anything that only a checkout has. Runs npm against the registry, so it is not part of `npm test`.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { test } from 'node:test';
import { ROOT, readText } from '../project/repository.ts';

const COPIED = [
  'package.json',
  'package-lock.json',
  '.npmrc',
  'tsconfig.json',
  '.ci/build.ts',
  '.ci/put-together.ts',
  'proto',
  'src',
];

test('the Dockerfile copies what this test copies', () => {
  const dockerfile = readText('Dockerfile').split('\nFROM ')[1] ?? '';
  const copied = [...dockerfile.matchAll(/^COPY (.+) \S+$/gm)].flatMap(([, sources]) => (sources ?? '').split(' '));
  assert.deepEqual(copied.toSorted(), COPIED.toSorted());
});

test('a locked install, the build and an install without development packages give a service that starts', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'digger-image-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  for (const path of COPIED) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    cpSync(join(ROOT, path), join(folder, path), { recursive: true });
  }
  // As in the image: Node 24 is the machine's own, and no checkout's commands are within reach.
  const path = [dirname(process.execPath), ...(process.env['PATH'] ?? '').split(delimiter)].filter(
    (entry) => !entry.startsWith(join(ROOT, 'node_modules', '.bin')),
  );
  const env = { ...process.env, PATH: path.join(delimiter) };
  const run = (program: string, ...args: string[]) =>
    execFileSync(program, args, { cwd: folder, env, encoding: 'utf8', timeout: 300_000 });
  run('npm', 'ci', '--ignore-scripts');
  run('npm', 'run', 'build');
  run('npm', 'ci', '--omit=dev', '--ignore-scripts');
  assert.ok(!existsSync(join(folder, 'node_modules', 'typescript')), 'development packages are left');
  const { version } = JSON.parse(readText('package.json')) as { version: string };
  assert.equal(run(process.execPath, 'dist/main.js', '--version').trim(), version);
  assert.match(run(process.execPath, 'dist/main.js', '--print-config'), /"listen"/);
});
