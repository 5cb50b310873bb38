// The comparison with peers is run by people (`npm run comparison`: it needs Go, and minutes). What is checked here:
// that it compares what docs/comparison.md names, in the versions that the document names.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readText } from './repository.ts';

test('docs/comparison.md names the peers of test/comparison, each in the version that is pinned', () => {
  const page = readText('docs/comparison.md');
  const subjects = [...readText('test/comparison/subjects.ts').matchAll(/\bname: '([^']+)'/g)].map(([, name]) => name);
  assert.equal(subjects.length, 4);
  for (const name of subjects) assert.ok(page.includes(`| ${name} |`), `no row for ${name}`);
  const goMod = readText('test/comparison/peers/go.mod');
  for (const module of ['k8s.io/client-go', 'processor/k8sattributesprocessor']) {
    const version = new RegExp(`${module} (v\\S+)`).exec(goMod)?.[1];
    assert.ok(version && page.includes(version), `${module} ${version}`);
  }
  const lock = JSON.parse(readText('package-lock.json')) as { packages: Record<string, { version: string }> };
  const { version = 'missing' } = lock.packages['node_modules/@kubernetes/client-node'] ?? {};
  assert.ok(page.includes(version), `@kubernetes/client-node ${version}`);
});
