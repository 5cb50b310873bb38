// Patterns of namespaces match what Go's path.Match matches. The table is what Go does with two thousand patterns, see
// test/cluster/control-plane/tables; it is compared with Go in test/cluster/tables.test.ts.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { isPathPattern, matchesPath } from '../../../src/model/namespaces/path-match.ts';

const [HEAD = '', ...LINES] = readFileSync(new URL('../tables/patterns.tsv', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n');
const NAMES = JSON.parse(HEAD) as readonly string[];

test('16.2 a pattern matches, does not match, or is refused as in Go', () => {
  let malformed = 0;
  for (const line of LINES) {
    const [quoted = '', verdicts = ''] = line.split('\t');
    const pattern = JSON.parse(quoted) as string;
    const isMalformed = verdicts.includes('e');
    if (isMalformed) malformed += 1;
    assert.equal(isPathPattern(pattern), !isMalformed, quoted);
    const found = NAMES.map((name) => (matchesPath(pattern, name) ? '1' : '0')).join('');
    assert.equal(found, verdicts.replaceAll('e', '0'), quoted);
  }
  assert.ok(malformed > 100 && malformed < LINES.length - 500, `${malformed} of ${LINES.length} are malformed`);
});
