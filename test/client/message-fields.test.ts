// What replicas read by hand, against protobufjs: numbers at their bounds, packed and single elements, fields that are
// not known, and messages that end in the middle of something.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import { eachField, readIndexes, readMs } from '../../src/client/message-fields.ts';
import { messageType } from '../../src/wire/schema.ts';
import { startMessage } from '../../src/wire/message-writer.ts';

const SPAN = messageType('digger.v1.TimelineSpan');

describe('fields that are read by hand', () => {
  it('are the numbers that were written, before 1970 too, by us and by protobufjs', () => {
    const moment = fc.oneof(
      fc.maxSafeInteger(),
      fc.integer({ min: -2_000, max: 2_000 }),
      fc.constantFrom(-(2 ** 53) + 1, -62_135_596_799_000, -1, 0, 2 ** 32, 2 ** 53 - 1),
    );
    fc.assert(
      fc.property(moment, (ms) => {
        const own = startMessage().int64(ms).finish();
        const theirs = protobuf.Writer.create().int64(ms).finish();
        assert.deepEqual(Buffer.from(own), Buffer.from(theirs));
        const reader = new protobuf.Reader(theirs);
        assert.equal(readMs(reader), ms);
        assert.equal(reader.pos, reader.len);
      }),
    );
  });

  it('are the elements of a list, packed, single and both, whatever stands between them', () => {
    const part = fc.oneof(
      fc.array(fc.nat(2 ** 31)).map((list) => ({ list })),
      fc.nat(2 ** 31).map((one) => ({ one })),
      fc.constantFrom({ unknown: 0 }, { unknown: 1 }, { unknown: 2 }, { unknown: 3 }, { unknown: 5 }),
    );
    const id = SPAN.fields['holders']?.id ?? assert.fail('no such field');
    fc.assert(
      fc.property(fc.array(part), fc.nat(), (parts, cut) => {
        const writer = protobuf.Writer.create();
        for (const each of parts) {
          if ('list' in each) {
            writer.uint32((id << 3) | 2).fork();
            for (const element of each.list) writer.uint32(element);
            writer.ldelim();
          } else if ('one' in each) writer.uint32(id << 3).uint32(each.one);
          else writeUnknown(writer, each.unknown);
        }
        const bytes = Buffer.from(writer.finish());
        const { holders } = SPAN.toObject(SPAN.decode(bytes), { arrays: true }) as { holders: number[] };
        assert.deepEqual(readAll(bytes, id), holders);
        // Cut off anywhere it is either what stands before the cut, or refused.
        const less = bytes.subarray(0, bytes.length === 0 ? 0 : cut % bytes.length);
        let expected: number[] | undefined;
        try {
          expected = (
            SPAN.toObject(SPAN.decode(new protobuf.Reader(less)), { arrays: true }) as typeof SPAN & {
              holders: number[];
            }
          ).holders;
        } catch {
          expected = undefined;
        }
        if (expected === undefined) assert.throws(() => readAll(less, id), RangeError);
        else assert.deepEqual(readAll(less, id), expected);
      }),
    );
  });
});

function writeUnknown(writer: protobuf.Writer, wireType: number): void {
  const tag = 2_000 << 3;
  if (wireType === 0) writer.uint32(tag).uint32(7);
  else if (wireType === 1) writer.uint32(tag | 1).fixed64(7);
  else if (wireType === 2) writer.uint32(tag | 2).string('seven');
  else if (wireType === 3)
    writer
      .uint32(tag | 3)
      .uint32(8)
      .uint32(1)
      .uint32(tag | 4);
  else writer.uint32(tag | 5).fixed32(7);
}

function readAll(bytes: Buffer, id: number): number[] {
  const found: number[] = [];
  const reader = new protobuf.Reader(bytes);
  eachField(reader, reader.len, (field, _, wireType) => {
    if (field !== id) return false;
    readIndexes(reader, wireType, found);
    return true;
  });
  return found;
}
