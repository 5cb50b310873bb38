// What digger reads as Go does is compared with Go itself: the tables that the tests of label selectors and of
// namespace rules hold against are what the real parsers do today. Without Go (the binaries came ready made) there is
// nothing to compare with.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';

const MODULE = fileURLToPath(new URL('control-plane', import.meta.url));

const HAS_GO = spawnSync('go', ['version']).status === 0;

for (const table of HAS_GO ? ['selectors', 'patterns'] : []) {
  it(`the table of ${table} is what Go makes of its inputs`, () => {
    const printed = execFileSync('go', ['run', './tables', table], { cwd: MODULE, encoding: 'utf8' });
    assert.equal(readFileSync(new URL(`../model/tables/${table}.tsv`, import.meta.url), 'utf8'), printed);
  });
}
