// What is generated is up to date, and the gates of the wire contract hold: run here too, so that they cannot be
// forgotten.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { test } from 'node:test';
import { ROOT } from './repository.ts';

function run(...args: string[]): void {
  const result = spawnSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8', timeout: 60_000 });
  assert.equal(result.status, 0, `node ${args.join(' ')}: exit ${result.status}\n${result.stdout}${result.stderr}`);
}

test('the committed types and descriptor set are what the .proto files give', () =>
  run('proto/generate.ts', '--check'));

test('the wire contract is linted, formatted, and breaks no client', () => run('.ci/proto.ts', 'check'));

test('every dependency has a reason and an accepted licence, and docs/dependencies.md says so', () => {
  run('.ci/licenses.ts', 'check');
});

test('an advisory database that is too slow leaves the audit undone, which is told, and fails only who insists', (t) => {
  const place = mkdtempSync(join(tmpdir(), 'digger-audit-'));
  t.after(() => rmSync(place, { recursive: true }));
  writeFileSync(join(place, 'npm'), '#!/bin/sh\nexec sleep 60\n', { mode: 0o755 });
  const path = `${place}${delimiter}${process.env['PATH']}`;
  const audit = (more: Record<string, string>) =>
    spawnSync(process.execPath, ['.ci/audit.ts'], {
      cwd: ROOT,
      encoding: 'utf8',
      env: { ...process.env, PATH: path, AUDIT_TIMEOUT_MS: '200', ...more },
    });
  const { status, stderr } = audit({ AUDIT_REQUIRED: '' });
  assert.match(stderr, /NOT CHECKED, .*: it takes too long/);
  assert.equal(status, 0, stderr);
  assert.equal(audit({ AUDIT_REQUIRED: '1' }).status, 1);
});
