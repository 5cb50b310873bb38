// What the gate and grpc-js may rely on of a stream that another thread carries, whatever comes in whichever order: a
// cancellation before the end, two ends, bytes for what has gone.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';

import { CarriedSession, CarriedStream, type CarrierEnd } from '../../../src/rpc/threads/carried-stream.ts';
import { NoteReader, NoteWriter } from '../../../src/rpc/threads/packed-notes.ts';
import { TO_CONNECTION, TO_STREAM } from '../../../src/rpc/threads/protocol.ts';

const ENDS = { remoteAddress: '10.0.0.9', remotePort: 1, localAddress: '10.0.0.1', localPort: 2 };

function carrierEnd(): CarrierEnd & { readonly writer: NoteWriter } {
  const writer = new NoteWriter();
  return {
    writer,
    note(kind, id) {
      writer.begin(kind, id);
      return writer;
    },
    frame: () => 0,
  };
}

it('notes are read as they were written, in their order', () => {
  const note = fc.record({
    kind: fc.integer({ min: 1, max: 255 }),
    id: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
    parts: fc.array(
      fc.oneof(
        fc.nat({ max: 2 ** 32 - 1 }),
        fc.uint8Array({ maxLength: 40_000 }),
        fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)), maxLength: 300 }),
      ),
      { maxLength: 5 },
    ),
  });
  fc.assert(
    fc.property(fc.array(fc.array(note, { maxLength: 8 }), { maxLength: 4 }), (batches) => {
      const writer = new NoteWriter();
      for (const notes of batches) {
        for (const { kind, id, parts } of notes) {
          writer.begin(kind, id);
          for (const part of parts) {
            if (typeof part === 'number') writer.number(part);
            else if (typeof part === 'string') writer.text(part);
            else writer.bytes(part);
          }
        }
        assert.equal(writer.isEmpty, notes.length === 0);
        const reader = new NoteReader(writer.take());
        for (const { kind, id, parts } of notes) {
          assert.ok(reader.next());
          assert.deepEqual([reader.kind, reader.id], [kind, id]);
          for (const part of parts) {
            if (typeof part === 'number') assert.equal(reader.number(), part);
            else if (typeof part === 'string') assert.equal(reader.text(), part);
            else assert.deepEqual(new Uint8Array(reader.bytes()), part);
          }
        }
        assert.equal(reader.next(), false);
      }
    }),
  );
});

type Step =
  | { readonly does: 'data'; readonly bytes: number }
  | { readonly does: 'write'; readonly bytes: number }
  | { readonly does: 'close'; readonly code: number }
  | {
      readonly does:
        | 'end'
        | 'aborted'
        | 'taken'
        | 'wantsTrailers'
        | 'closed'
        | 'pause'
        | 'resume'
        | 'respond'
        | 'finish'
        | 'trailers'
        | 'destroy'
        | 'turn';
    };

const steps = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({ does: fc.constant('data' as const), bytes: fc.integer({ min: 1, max: 70_000 }) }),
    },
    { weight: 3, arbitrary: fc.record({ does: fc.constant('write' as const), bytes: fc.nat({ max: 5_000 }) }) },
    { weight: 1, arbitrary: fc.record({ does: fc.constant('close' as const), code: fc.nat({ max: 13 }) }) },
    {
      weight: 8,
      arbitrary: fc.record({
        does: fc.constantFrom(
          'end' as const,
          'aborted' as const,
          'taken' as const,
          'wantsTrailers' as const,
          'closed' as const,
          'pause' as const,
          'resume' as const,
          'respond' as const,
          'finish' as const,
          'trailers' as const,
          'destroy' as const,
          'turn' as const,
        ),
      }),
    },
  ) as fc.Arbitrary<Step>,
  { maxLength: 60 },
);

it('a carried stream closes once, ends once after all of its bytes, and tells nothing after it was closed', async () => {
  await fc.assert(
    fc.asyncProperty(steps, fc.boolean(), async (run, answersOnce) => {
      const end = carrierEnd();
      const stream = new CarriedStream(7, new CarriedSession(1, ENDS, end), end);
      stream.answersOnce = answersOnce;
      let sent = 0;
      let received = 0;
      let ends = 0;
      let closes = 0;
      let isTold = false;
      const written: number[] = [];
      const taken: number[] = [];
      stream.on('data', (chunk: Buffer) => {
        assert.equal(ends + closes, 0, 'bytes after the end');
        received += chunk.length;
      });
      stream.on('end', () => {
        assert.equal(received, sent, 'the end before all bytes');
        ends += 1;
      });
      stream.on('close', () => (closes += 1));
      let writes = 0;
      for (const step of run) {
        switch (step.does) {
          case 'data':
            if (isTold || ends > 0) break;
            if (closes === 0) sent += step.bytes;
            stream.onData(Buffer.alloc(step.bytes));
            break;
          case 'end':
            // It is the last thing of a request.
            isTold = true;
            stream.onEnd();
            break;
          case 'write': {
            const number = writes++;
            if (!stream.closed && !stream.writableEnded) written.push(number);
            stream.write(Buffer.alloc(step.bytes), () => taken.push(number));
            break;
          }
          case 'taken':
            stream.onTaken();
            break;
          case 'close':
            stream.close(step.code);
            break;
          case 'aborted':
            stream.onAborted(8);
            break;
          case 'wantsTrailers':
            stream.onWantsTrailers();
            break;
          case 'closed':
            stream.onClosed(8);
            break;
          case 'pause':
            stream.pause();
            break;
          case 'resume':
            stream.resume();
            break;
          case 'respond':
            stream.respond({ ':status': 200 });
            break;
          case 'finish':
            stream.end();
            break;
          case 'trailers':
            stream.sendTrailers({ 'grpc-status': 0 });
            break;
          case 'destroy':
            stream.destroy();
            break;
          case 'turn':
            await new Promise((resolve) => process.nextTick(resolve));
        }
        assert.ok(stream.writableLength >= 0);
      }
      stream.onClosed(0);
      await new Promise((resolve) => process.nextTick(resolve));
      assert.equal(closes, 1);
      assert.ok(ends <= 1 && received <= sent);
      // In the order in which they were written.
      assert.deepEqual(taken, written.slice(0, taken.length));
      // What is taken is told, also what is dropped with the stream: else its connection would be held back for ever.
      const credited = readAll(end.writer.take());
      assert.ok(credited <= sent && sent - credited < 16_384, `${credited} of ${sent}`);
    }),
    { numRuns: 500 },
  );
});

/** Every note is whole, and nothing follows the one that closes the stream; the bytes that were told to be taken. */
function readAll(memory: ArrayBuffer): number {
  const notes = new NoteReader(memory);
  let credited = 0;
  let isClosed = false;
  while (notes.next()) {
    if (notes.kind === TO_CONNECTION.credit) {
      assert.equal(notes.id, 1);
      credited += notes.number();
      continue;
    }
    assert.equal(notes.id, 7);
    assert.equal(isClosed, false, `${notes.kind} after it was closed`);
    switch (notes.kind) {
      case TO_STREAM.respond:
        notes.number();
        JSON.parse(notes.text());
        break;
      case TO_STREAM.write:
        notes.bytes();
        break;
      case TO_STREAM.answer:
        JSON.parse(notes.text());
        notes.bytes();
        JSON.parse(notes.text());
        break;
      case TO_STREAM.trailers:
        JSON.parse(notes.text());
        break;
      case TO_STREAM.close:
        notes.number();
        isClosed = true;
        break;
      default:
        assert.equal(notes.kind, TO_STREAM.end);
    }
  }
  return credited;
}
