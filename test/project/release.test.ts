// A release has one version, said everywhere, and its .proto files are a buf module that stands by itself.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT, readText, repositoryFiles } from './repository.ts';

const { version } = JSON.parse(readText('package.json')) as { version: string };

test('package, lock file, chart, manifests, README and docs name one version, and CHANGELOG.md has a date for it', () => {
  const lock = JSON.parse(readText('package-lock.json')) as {
    version: string;
    packages: Record<string, { version?: string }>;
  };
  assert.equal(lock.version, version);
  assert.equal(lock.packages['']?.version, version);
  const chart = readText('deploy/helm/digger/Chart.yaml');
  assert.equal(/^version: (.+)$/m.exec(chart)?.[1], version);
  assert.equal(/^appVersion: '(.+)'$/m.exec(chart)?.[1], version);

  const named = repositoryFiles()
    .filter((file) => /^(README|docs\/[^/]*|src\/.*README)\.md$|^(deploy|proto)\/.*\.(yaml|md)$/.test(file))
    .flatMap((file) =>
      [...readText(file).matchAll(/\bdigger(?::|-|\/go(?:\/\w+)?@v)(\d+\.\d+\.\d+)/g)].map(([, given]) => ({
        file,
        given,
      })),
    );
  assert.ok(named.length >= 4, `only ${named.length} places found`);
  assert.deepEqual(
    named.filter(({ given }) => given !== version),
    [],
  );

  const [first, second] = [...readText('CHANGELOG.md').matchAll(/^## (.+)$/gm)].map(([, heading]) => heading);
  assert.equal(first, 'Unreleased');
  assert.match(second ?? '', new RegExp(`^${version.replaceAll('.', '\\.')} - \\d{4}-\\d\\d-\\d\\d$`));
});

test('proto/ is a buf workspace whose first module is digger’s contract alone, and all that it imports is beside it', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'digger-proto-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const buf = (...args: string[]) =>
    execFileSync(join(ROOT, 'node_modules/.bin/buf'), args, { cwd: folder, encoding: 'utf8' });
  const modules = buf('config', 'ls-modules', '--format', 'json', '--config', join(ROOT, 'proto/buf.yaml'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { name?: string; includes?: string[] });
  assert.deepEqual(
    modules.map(({ name, includes }) => ({ isNamed: name !== undefined, includes })),
    [
      { isNamed: true, includes: ['digger'] },
      { isNamed: false, includes: ['google', 'grpc'] },
    ],
  );
  buf('export', join(ROOT, 'proto'), '-o', 'exported');
  assert.deepEqual(readdirSync(join(folder, 'exported')).sort(), ['digger', 'google', 'grpc']);
  // What was exported compiles without anything else: no import leads out of it.
  buf('build', 'exported', '-o', 'image.binpb');
});
