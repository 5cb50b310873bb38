// Notes at the limits of what they can say. That they are read as they were written is in carried-stream.test.ts.

import assert from 'node:assert/strict';
import { it } from 'node:test';

import { NoteReader, NoteWriter } from '../../../src/rpc/threads/packed-notes.ts';

it('a note holds what is empty, what is longer than 64 KiB, and the last ids and numbers that there are', () => {
  const writer = new NoteWriter();
  const long = Buffer.alloc(3 * 65_536 + 1, 0xfe);
  writer.begin(255, Number.MAX_SAFE_INTEGER);
  writer.text('');
  writer.bytes(new Uint8Array());
  writer.text('\u00ff'.repeat(70_000));
  writer.bytes(long);
  writer.number(2 ** 32 - 1);
  writer.id(Number.MAX_SAFE_INTEGER);
  const reader = new NoteReader(writer.take());
  assert.ok(reader.next());
  assert.deepEqual([reader.kind, reader.id], [255, Number.MAX_SAFE_INTEGER]);
  assert.equal(reader.text(), '');
  assert.equal(reader.bytes().length, 0);
  assert.equal(reader.text(), '\u00ff'.repeat(70_000));
  assert.ok(reader.bytes().equals(long));
  assert.equal(reader.number(), 2 ** 32 - 1);
  assert.equal(reader.readId(), Number.MAX_SAFE_INTEGER);
  assert.equal(reader.next(), false);
});

it('what a note cannot hold is an error where it is written, not another value where it is read', () => {
  const writer = new NoteWriter();
  writer.begin(1, 1);
  assert.throws(() => writer.number(2 ** 32), RangeError);
  assert.throws(() => writer.number(-1), RangeError);
  assert.throws(() => writer.text('\u0100'), RangeError);
  assert.throws(() => writer.text('\u{1f600}'), RangeError);
});

it('a piece of many notes has memory of its own, one that is most of them does not', () => {
  const sizes = (...lengths: readonly number[]): number[] => {
    const writer = new NoteWriter();
    writer.begin(1, 1);
    for (const length of lengths) writer.bytes(Buffer.alloc(length, 1));
    const reader = new NoteReader(writer.take());
    reader.next();
    return lengths.map(() => reader.bytes().buffer.byteLength);
  };
  assert.deepEqual(sizes(10, 100_000), [10, 100_027]);
  assert.deepEqual(sizes(10, 1_000), [1_027, 1_027]);
});
