// What is remembered of the labels of namespaces, and what is said of what is not.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ByteString } from '../../../src/model/byte-string.ts';
import { NamespaceLabelHistory } from '../../../src/feed/log/namespace-labels.ts';

const [A, B] = ['a', 'b'] as ByteString[] as [ByteString, ByteString];

test('tells the labels at a sequence and since, newest first, and that there was none before', () => {
  const history = new NamespaceLabelHistory();
  history.set('shop', 3, A);
  history.set('shop', 5, A);
  history.set('shop', 7, B);
  assert.equal(history.now('shop'), B);
  assert.deepEqual(history.since('shop', 9), [B]);
  assert.deepEqual(history.since('shop', 7), [B]);
  assert.deepEqual(history.since('shop', 6), [B, A]);
  assert.deepEqual(history.since('shop', 2), [B, A, undefined]);
  assert.deepEqual(history.since('other', 0), [undefined]);
});

test('keeps a bounded number of changes, and does not guess what came before', () => {
  const history = new NamespaceLabelHistory();
  for (let at = 1; at <= 100; at++) history.set('shop', at, at % 2 === 0 ? A : B);
  assert.deepEqual(history.since('shop', 99), [A, B]);
  assert.equal(history.since('shop', 50), undefined);
  assert.equal((history.since('shop', 93) ?? []).length, 8);
});

test('forgets a removed namespace with its removal, and does not guess what its successor followed', () => {
  const history = new NamespaceLabelHistory();
  history.set('shop', 3, A);
  history.set('shop', 5, undefined);
  history.forget('shop', 4);
  assert.deepEqual(history.since('shop', 3), [undefined, A], 'an older removal of that name is not this one');
  history.forget('shop', 5);
  assert.equal(history.now('shop'), undefined);
  assert.equal(history.since('shop', 4), undefined, 'it may have been there');
  assert.deepEqual(history.since('shop', 5), [undefined]);
  history.set('shop', 8, B);
  assert.deepEqual(history.since('shop', 8), [B]);
  assert.equal(history.since('shop', 4), undefined);
});
