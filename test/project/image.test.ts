// What the image is made of: bases by digest, labels, and a list of what it contains.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { readText, ROOT } from './repository.ts';

test('13.6 the image builds on bases by digest, and says what it is', () => {
  const dockerfile = readText('Dockerfile');
  const bases = [...dockerfile.matchAll(/^FROM (\S+)/gm)].map(([, base = '']) => base);
  assert.equal(bases.length, 2);
  for (const base of bases) assert.match(base, /^[a-z0-9./-]+:[a-z0-9-]+@sha256:[0-9a-f]{64}$/);
  const { version, license } = JSON.parse(readText('package.json')) as { version: string; license: string };
  assert.match(dockerfile, new RegExp(`^ARG VERSION=${version}$`, 'm'));
  assert.match(dockerfile, new RegExp(`image\\.licenses="${license}"`));
});

test('13.6 npm run sbom lists every package of production with its version, and none of development', () => {
  const made = spawnSync('npm', ['run', '--silent', 'sbom'], { cwd: ROOT, encoding: 'utf8', timeout: 60_000 });
  assert.equal(made.status, 0, made.stderr);
  const sbom = JSON.parse(made.stdout) as { bomFormat: string; components: { name: string; version: string }[] };
  assert.equal(sbom.bomFormat, 'CycloneDX');
  const listed = new Set(sbom.components.map(({ name, version }) => `${name}@${version}`));
  const { packages } = JSON.parse(readText('package-lock.json')) as {
    packages: Record<string, { version?: string; dev?: boolean; optional?: boolean }>;
  };
  const locked = Object.entries(packages).filter(([path]) => path !== '');
  const nameOf = (path: string): string => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
  // Declarations of types are no code.
  const shipped = locked.filter(([path, { dev }]) => dev !== true && !/@types\/|-types$/.test(path));
  const expected = shipped.map(([path, each]) => `${nameOf(path)}@${each.version}`);
  assert.ok(expected.length > 20);
  assert.deepEqual(
    [...new Set(expected)].filter((each) => !listed.has(each)),
    [],
  );
  assert.ok(!sbom.components.some(({ name }) => name === 'typescript' || name === '@biomejs/biome'));
});
