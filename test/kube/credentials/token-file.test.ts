// A rotated token file, without a disk.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Clock } from '../../../src/kube/clock.ts';
import { TokenFile } from '../../../src/kube/credentials/token-file.ts';

function rotating() {
  const disk = { content: 'first\n' as string | undefined, reads: 0, nowMs: 0 };
  const clock: Clock = { now: () => disk.nowMs, setTimer: () => () => {} };
  const file = new TokenFile('/token', clock, () => {
    disk.reads += 1;
    if (disk.content === undefined) throw new Error('ENOENT');
    return disk.content;
  });
  return { disk, file };
}

test('the token is trimmed, and read again after a minute', () => {
  const { disk, file } = rotating();
  assert.equal(file.read(), 'first');
  disk.content = 'second';
  disk.nowMs = 59_999;
  assert.deepEqual([file.read(), disk.reads], ['first', 1]);
  disk.nowMs = 60_000;
  assert.deepEqual([file.read(), disk.reads], ['second', 2]);
});

test('an unreadable or empty file keeps the last token', () => {
  const { disk, file } = rotating();
  file.read();
  disk.nowMs = 100_000;
  disk.content = undefined;
  assert.equal(file.read(), 'first');
  disk.content = ' \n';
  assert.equal(file.read(), 'first');
  disk.content = 'second';
  assert.equal(file.read(), 'second');
});

test('a refused token is forgotten: then only the file counts', () => {
  const { disk, file } = rotating();
  file.read();
  disk.content = undefined;
  file.discard();
  assert.throws(() => file.read(), /no token in \/token: ENOENT/);
  disk.content = 'second';
  assert.equal(file.read(), 'second');
});
