// Where a reflector stands, and how each thing that happens moves it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  advanced,
  caughtUp,
  failed,
  listed,
  listVersion,
  paged,
  type Position,
  START,
} from '../../../src/kube/reflector/position.ts';

const at = (version: string): Position => listed(START, version);

test('the first list takes any version, later ones none older than what is in the store', () => {
  assert.equal(listVersion(START), '0');
  assert.equal(listVersion(at('10')), '10');
  assert.equal(listVersion(failed(at('10'), 'expired', 'latest', true)), '');
});

test('a list settles what was due', () => {
  const due = failed(at('10'), 'version_too_large', 'latest', false);
  assert.deepEqual([due.listDue, due.latestDue], [true, true]);
  const done = listed(due, '20');
  assert.deepEqual([done.version, done.listDue, done.latestDue, done.progressed], ['20', false, false, false]);
});

test('that a server pages at any version is remembered over lists', () => {
  assert.equal(listed(paged(START), '10').pagesAtZero, true);
});

test('events and a watch that caught up are progress', () => {
  assert.equal(advanced(at('10'), '11').progressed, true);
  assert.equal(caughtUp(at('10')).progressed, true);
});

test('12.9: the third watch from one version that fails in the same way makes a list due', () => {
  for (const kind of ['undecodable', 'server_error', 'short_watch'] as const) {
    let position = at('10');
    const due = [1, 2, 3].map(() => (position = failed(position, kind, 'same', false)).listDue);
    assert.deepEqual(due, [false, false, true], kind);
  }
});

test('12.9: another kind of failure, and another version, begin the count anew; catching up does not', () => {
  const twice = failed(failed(at('10'), 'undecodable', 'same', false), 'undecodable', 'same', false);
  assert.equal(failed(twice, 'server_error', 'same', false).listDue, false);
  assert.equal(failed(advanced(twice, '11'), 'undecodable', 'same', false).listDue, false);
  assert.equal(failed(caughtUp(twice), 'undecodable', 'same', false).listDue, true);
  // A bookmark at the version where it stands says nothing about the next event.
  assert.equal(failed(advanced(twice, '10'), 'undecodable', 'same', false).listDue, true);
});

test('12.9: outages, throttling and refusals are never a reason to list, however many', () => {
  for (const kind of ['unreachable', 'stalled', 'throttled', 'unauthorized', 'credentials', 'forbidden'] as const) {
    let position = at('10');
    for (let n = 0; n < 20; n++) position = failed(position, kind, 'same', false);
    assert.equal(position.listDue, false, kind);
  }
});

test('12.9: a list that cannot be decoded is tried again, and is no watch that failed', () => {
  const due = failed(START, 'undecodable', 'same', true);
  assert.deepEqual(due, START);
});
