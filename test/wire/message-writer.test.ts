// Messages written into kept memory are the messages that protobufjs writes.

import assert from 'node:assert/strict';
import { it } from 'node:test';

import fc from 'fast-check';
import protobuf from 'protobufjs';

import { type MessageWriter, startMessage } from '../../src/wire/message-writer.ts';

type Field =
  | { readonly kind: 'uint32'; readonly value: number }
  | { readonly kind: 'bool'; readonly value: boolean }
  | { readonly kind: 'int64'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'bytes'; readonly value: Uint8Array }
  | { readonly kind: 'message'; readonly value: readonly Field[] };

// Well-formed text: for a lone surrogate there is no UTF-8, and neither writer promises anything.
const text = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 300 }), fc.string({ unit: 'binary', maxLength: 50 }));

const { message } = fc.letrec<{ field: Field; message: readonly Field[] }>((tie) => ({
  field: fc.oneof(
    { maxDepth: 4 },
    fc.record({ kind: fc.constant('uint32' as const), value: fc.integer({ min: 0, max: 0xffff_ffff }) }),
    fc.record({ kind: fc.constant('bool' as const), value: fc.boolean() }),
    fc.record({ kind: fc.constant('int64' as const), value: fc.maxSafeInteger() }),
    fc.record({ kind: fc.constant('string' as const), value: text }),
    fc.record({ kind: fc.constant('bytes' as const), value: fc.uint8Array({ maxLength: 20_000 }) }),
    fc.record({ kind: fc.constant('message' as const), value: tie('message') }),
  ),
  message: fc.array(tie('field'), { maxLength: 12 }),
}));

it('writes what protobufjs writes, whatever is embedded in what', () => {
  fc.assert(
    fc.property(message, (fields) => {
      const reference = protobuf.Writer.create();
      writeReference(reference, fields);
      const writer = startMessage();
      write(writer, fields);
      assert.deepEqual(Buffer.from(writer.finish()), Buffer.from(reference.finish()));
    }),
    { numRuns: 500 },
  );
});

it('gives bytes away that the next message leaves alone, and forgets what was not finished', () => {
  const first = startMessage().string('first').finish();
  startMessage().string('begun, never finished');
  const second = startMessage().string('other').finish();
  assert.equal(first.toString('latin1'), '\x05first');
  assert.equal(second.toString('latin1'), '\x05other');
});

it('grows for a message of many MB', () => {
  const writer = startMessage();
  const begun = writer.begin();
  const block = new Uint8Array(100_000).fill(7);
  for (let count = 0; count < 100; count += 1) writer.bytes(block);
  const length = 100 * (3 + block.length);
  const bytes = writer.end(begun).finish();
  assert.equal(protobuf.Reader.create(bytes).uint32(), length);
  assert.equal(bytes.length, 4 + length);
  assert.equal(bytes.at(-1), 7);
});

function write(writer: MessageWriter, fields: readonly Field[]): void {
  for (const field of fields) {
    switch (field.kind) {
      case 'uint32':
        writer.uint32(field.value);
        break;
      case 'bool':
        writer.bool(field.value);
        break;
      case 'int64':
        writer.int64(field.value);
        break;
      case 'string':
        writer.string(field.value);
        break;
      case 'bytes':
        writer.bytes(field.value);
        break;
      case 'message': {
        const begun = writer.begin();
        write(writer, field.value);
        writer.end(begun);
        break;
      }
    }
  }
}

function writeReference(writer: protobuf.Writer, fields: readonly Field[]): void {
  for (const field of fields) {
    switch (field.kind) {
      case 'uint32':
        writer.uint32(field.value);
        break;
      case 'bool':
        writer.bool(field.value);
        break;
      case 'int64':
        writer.int64(field.value);
        break;
      case 'string':
        writer.string(field.value);
        break;
      case 'bytes':
        writer.bytes(field.value);
        break;
      case 'message':
        writer.fork();
        writeReference(writer, field.value);
        writer.ldelim();
        break;
    }
  }
}
