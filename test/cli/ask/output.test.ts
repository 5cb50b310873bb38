// In which form an answer is shown.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { coloured, objectText, shownForm } from '../../../src/cli/ask/output.ts';

const stdout = (isTTY: boolean) => ({ stdout: { isTTY, write: () => true } });

test('a terminal gets a table, a pipe JSON, and both what they asked for', () => {
  assert.equal(shownForm('auto', stdout(true)), 'table');
  assert.equal(shownForm('auto', stdout(false)), 'json');
  assert.equal(shownForm('yaml', stdout(true)), 'yaml');
  assert.equal(shownForm('wide', stdout(false)), 'wide');
});

test('there is colour on a terminal only, and not where NO_COLOR is set or the terminal is dumb', () => {
  assert.equal(coloured('x', 'green', stdout(true)), '\u001b[32mx\u001b[39m');
  assert.equal(coloured('x', 'green', stdout(false)), 'x');
  assert.equal(coloured('x', 'green', { ...stdout(true), env: { NO_COLOR: '1' } }), 'x');
  assert.equal(coloured('x', 'green', { ...stdout(true), env: { NO_COLOR: '' } }), '\u001b[32mx\u001b[39m');
  assert.equal(coloured('x', 'green', { ...stdout(true), env: { TERM: 'dumb' } }), 'x');
});

test('YAML objects are documents of one stream', () => {
  assert.equal(objectText('yaml', { a: 1 }) + objectText('yaml', { b: ['x'] }), '---\na: 1\n---\nb:\n  - x\n');
  assert.equal(objectText('json', { a: 1 }), '{"a":1}\n');
});
