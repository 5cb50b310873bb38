// What is generated is up to date, and the gates of the wire contract hold: run here too, so that they cannot be
// forgotten.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
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
