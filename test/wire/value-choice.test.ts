// Labels and annotations that a subscriber chose are cut out of encoded values, and nothing else is.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toByteString } from '../../src/model/byte-string.ts';
import { messageType } from '../../src/wire/schema.ts';
import { ValueChoice } from '../../src/wire/value-choice.ts';

const Pod = messageType('digger.v1.Pod');
const VALUES = {
  labels: { app: 'web', 'example.com/team': 'ä', 'example.com/tier': '', 'ex.com/x': 'y'.repeat(300) },
  annotations: { note: 'ö', 'example.com/hash': '1' },
  omitted: ['labels/secret', 'annotations/example.com/large', 'selector/app', '*'],
};
const WHOLE = toByteString(Pod.encode(VALUES).finish() as Buffer);

function chosen(labels: string[], annotations: string[]): unknown {
  const bytes = Buffer.from(new ValueChoice({ labels, annotations }).of(WHOLE), 'latin1');
  const { labels: l, annotations: a, omitted: o } = Pod.toObject(Pod.decode(bytes), { defaults: true });
  return [Object.keys(l).sort(), Object.keys(a).sort(), o];
}

test('16.3 keys, all keys of a domain, and all keys may be chosen, of labels and of annotations', () => {
  assert.deepEqual(chosen(['app'], []), [['app'], [], ['selector/app', '*']]);
  assert.deepEqual(chosen(['example.com/*'], ['note']), [
    ['example.com/team', 'example.com/tier'],
    ['note'],
    ['selector/app', '*'],
  ]);
  assert.deepEqual(chosen(['secret', 'nothing'], ['example.com/*']), [
    [],
    ['example.com/hash'],
    ['labels/secret', 'annotations/example.com/large', 'selector/app', '*'],
  ]);
  assert.equal(new ValueChoice({ labels: ['*'], annotations: ['*'] }).of(WHOLE), WHOLE, 'all of it is the same text');
});

test('16.3 what is chosen keeps its value to the byte', () => {
  const bytes = Buffer.from(
    new ValueChoice({ labels: ['example.com/team', 'ex.com/x'], annotations: ['note'] }).of(WHOLE),
    'latin1',
  );
  const { labels, annotations } = Pod.toObject(Pod.decode(bytes));
  assert.deepEqual(labels, { 'example.com/team': 'ä', 'ex.com/x': 'y'.repeat(300) });
  assert.deepEqual(annotations, { note: 'ö' });
});

test('16.3 choices of the same keys are the same', () => {
  const [one, other] = [
    new ValueChoice({ labels: ['b', 'a', 'b'], annotations: [] }),
    new ValueChoice({ labels: ['a', 'b'], annotations: [] }),
  ];
  assert.equal(one.key, other.key);
  assert.notEqual(one.key, new ValueChoice({ labels: [], annotations: ['a', 'b'] }).key);
});
