// Label selectors are read as Kubernetes reads them. The table is what its own parser does with two thousand inputs,
// see test/cluster/control-plane/tables; it is compared with that parser in test/cluster/tables.test.ts.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { isLabelKey, type LabelSelector, parseLabelSelector } from '../../../src/model/kubernetes/label-selector.ts';
import { toByteString } from '../../../src/model/byte-string.ts';
import { LabelMatcher } from '../../../src/wire/labels.ts';
import { messageType } from '../../../src/wire/schema.ts';

const TABLE = readFileSync(new URL('../tables/selectors.tsv', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => line.split('\t'));

/** As in tables/main.go. */
const LABELS = [
  {},
  { a: '' },
  { a: 'in' },
  { a: '1', b: 'x' },
  { a: '10', in: 'a' },
  { notin: '1', b: '' },
  { a: 'z', b: '1' },
];

test('a selector is read, or refused, as the parser of Kubernetes does it', () => {
  let valid = 0;
  for (const [input = '', expected = ''] of TABLE) {
    const text = JSON.parse(input) as string;
    const parsed = parseLabelSelector(text);
    assert.equal(parsed.ok ? told(parsed.selector) : 'error', expected, input);
    if (parsed.ok) valid += 1;
    else assert.notEqual(parsed.problem, '');
  }
  assert.ok(valid > 200 && valid < TABLE.length - 200, `${valid} of ${TABLE.length} are selectors`);
});

test('a selector matches the labels that it matches in Kubernetes, read where they lie in an entity', () => {
  const Pod = messageType('digger.v1.Pod');
  const values = LABELS.map((labels) =>
    toByteString(Pod.encode({ labels, annotations: { a: 'not a label' }, omitted: ['labels/x'] }).finish() as Buffer),
  );
  for (const [input = '', expected = '', verdicts] of TABLE) {
    if (expected === 'error') continue;
    const parsed = parseLabelSelector(JSON.parse(input) as string);
    assert.ok(parsed.ok);
    const matcher = new LabelMatcher(parsed.selector);
    assert.equal(values.map((each) => (matcher.matches(each) ? '1' : '0')).join(''), verdicts, input);
    assert.equal(matcher.matches(undefined), false, 'what is not there matches nothing');
  }
});

test('a refused selector says what was found and what is allowed there', () => {
  const problem = (text: string): string => {
    const parsed = parseLabelSelector(text);
    return parsed.ok ? 'ok' : parsed.problem;
  };
  assert.equal(problem('a,'), 'found the end after ",", expected a label\'s key or !');
  assert.equal(problem('a b'), 'found "b", expected =, ==, !=, in, notin, > or <');
  assert.equal(problem('a in b'), 'found "b", expected (');
  assert.equal(problem('a in (b'), 'found the end, expected a value, "," or )');
  assert.equal(problem('a=b c'), 'found "c", expected "," or the end');
  assert.equal(problem('a/b/c=1'), '"a/b/c" cannot be the key of a label');
  assert.equal(problem('a=-'), '"-" cannot be the value of a label');
  assert.equal(problem('a>b'), '"b" is not a number of 64 bits, which > and < compare');
  assert.equal(problem(`a=${'x'.repeat(10_000)}`).length < 200, true, 'it does not repeat all that was given');
  assert.equal(problem('a\u0000'), '"a\\u0000" cannot be the key of a label');
  assert.equal(problem('\ud800=1'), '"\\ud800" cannot be the key of a label');
});

test('selectors that ask the same are the same', () => {
  const [one, other] = ['b!=2,a in (y,x),a in (x,y)', 'a in (x, y) , b notin (2)'].map(parseLabelSelector);
  assert.deepEqual(one, other);
});

test('a key of a label has a name, and before it a domain if any', () => {
  for (const key of ['a', 'a.b_C-d', 'example.com/a', `${'a'.repeat(63)}`]) assert.equal(isLabelKey(key), true, key);
  for (const key of ['', '/', 'a/', '/a', 'a/b/c', 'A.com/a', '-a', 'a-', 'a'.repeat(64), `${'a'.repeat(254)}/b`])
    assert.equal(isLabelKey(key), false, key);
});

/** As the table tells it. */
function told(selector: LabelSelector): string {
  const one = selector.map(({ key, operator, values }) => `${key} ${operator} ${values.join('|')}`);
  return one.sort().join(';');
}
