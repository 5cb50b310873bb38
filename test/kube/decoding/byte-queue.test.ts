// Bytes in pieces: what comes out is what went in, and only what spans pieces is copied.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ByteQueue } from '../../../src/kube/decoding/byte-queue.ts';

const anyPieces = fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 12 });
const anyWish = fc.record({
  verb: fc.constantFrom('peek', 'skip', 'take', 'push'),
  share: fc.double({ min: 0, max: 1, noNaN: true }),
});

test('whatever is pushed comes out in order, in whatever lengths it is taken', () => {
  fc.assert(
    fc.property(anyPieces, fc.array(anyWish, { maxLength: 40 }), (pieces, wishes) => {
      const queue = new ByteQueue();
      let model = Buffer.alloc(0);
      const waiting = pieces.map((piece) => Buffer.from(piece));
      const push = (): void => {
        const piece = waiting.shift();
        if (piece === undefined) return;
        queue.push(piece);
        model = Buffer.concat([model, piece]);
      };
      push();
      for (const { verb, share } of wishes) {
        const length = Math.round(share * model.length);
        switch (verb) {
          case 'push':
            push();
            break;
          case 'peek': {
            const bytes = queue.peek(length);
            assert.ok(bytes.length >= length);
            assert.ok(bytes.equals(model.subarray(0, bytes.length)));
            break;
          }
          case 'skip':
            queue.skip(length);
            model = model.subarray(length);
            break;
          case 'take':
            assert.ok(queue.take(length).equals(model.subarray(0, length)));
            model = model.subarray(length);
            break;
          default:
            verb satisfies never;
        }
        assert.equal(queue.length, model.length);
      }
      assert.ok(queue.take(model.length).equals(model));
      assert.equal(queue.length, 0);
    }),
    { numRuns: 2_000 },
  );
});

test('what is not there can be neither taken nor skipped', () => {
  const queue = new ByteQueue();
  queue.push(Buffer.from('abc'));
  queue.push(Buffer.from('de'));
  assert.throws(() => queue.peek(6), RangeError);
  assert.throws(() => queue.take(6), RangeError);
  assert.equal(queue.take(5).toString(), 'abcde');
  assert.throws(() => queue.skip(1), RangeError);
});

test('an element that spans two pieces is copied by itself; the rest of the pieces stays where it is', () => {
  const first = Buffer.from('aaab');
  const second = Buffer.from('bbcccc');
  const queue = new ByteQueue();
  queue.push(first);
  queue.push(second);
  assert.equal(queue.take(3).buffer, first.buffer);
  assert.equal(queue.take(3).toString(), 'bbb');
  const rest = queue.take(4);
  assert.equal(rest.toString(), 'cccc');
  assert.equal(rest.buffer, second.buffer);
  assert.equal(rest.byteOffset, second.byteOffset + 2);
});
