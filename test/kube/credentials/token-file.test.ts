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

test('a file that cannot be read, is empty or holds what no header can carry keeps the last token, and says why', () => {
  const { disk, file } = rotating();
  file.read();
  disk.nowMs = 100_000;
  for (const [content, reason] of [
    [undefined, 'ENOENT'],
    [' \n', 'it is empty'],
    ['two\nlines', 'it is not one line of visible ASCII'],
    ['not \u{1f600} ascii', 'it is not one line of visible ASCII'],
  ] as const) {
    disk.content = content;
    assert.equal(file.read(), 'first');
    assert.equal(file.trouble, `no token in /token, so the last one is used: ${reason}`);
  }
  // Not only a minute after what could not be used.
  disk.content = 'second';
  assert.equal(file.read(), 'second');
  assert.equal(file.trouble, '');
});

test('a first token that no header can carry is refused without telling it', () => {
  const { disk, file } = rotating();
  disk.content = 'two\nlines';
  assert.throws(() => file.read(), /^Error: no token in \/token: it is not one line of visible ASCII$/);
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
