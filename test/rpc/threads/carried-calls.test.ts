// What the main thread makes of what a thread that carries connections tells it, at the edges: a connection that was
// ended while more of it was on its way, and what one small piece keeps alive.

import assert from 'node:assert/strict';
import { constants } from 'node:http2';
import { describe, it } from 'node:test';

import type { ServedConnection } from '../../../src/rpc/served-connection.ts';
import { CarriedCalls } from '../../../src/rpc/threads/carried-calls.ts';
import type { CarriedStream } from '../../../src/rpc/threads/carried-stream.ts';
import { NoteReader, NoteWriter } from '../../../src/rpc/threads/packed-notes.ts';
import { CONNECTION, SEEN_STREAMS, STREAM, TO_CONNECTION } from '../../../src/rpc/threads/protocol.ts';
import { admitAll } from './in-one-thread.ts';

const HEADERS = { ':method': 'POST', ':path': '/digger.v1.LookupService/ResolveAddress' };

/** A thread of which the test is the other side. */
function begin(): {
  readonly calls: CarriedCalls;
  readonly connections: ServedConnection[];
  readonly streams: CarriedStream[];
  readonly pings: () => number;
  tell(write: (notes: NoteWriter) => void): void;
} {
  const connections: ServedConnection[] = [];
  const streams: CarriedStream[] = [];
  let pings = 0;
  const calls = new CarriedCalls(
    admitAll({
      listener: {
        ...admitAll({}).listener,
        begin(connection, isGone, admitted) {
          connections.push(connection);
          if (!isGone()) admitted();
        },
      },
      onSession: (session) => session.on('ping', () => (pings += 1)),
      takeStream: (stream) => streams.push(stream as unknown as CarriedStream),
    }),
  );
  return {
    calls,
    connections,
    streams,
    pings: () => pings,
    tell(write) {
      const notes = new NoteWriter();
      write(notes);
      calls.take(notes.take());
    },
  };
}

function openConnection(notes: NoteWriter, id: number): void {
  notes.begin(CONNECTION.opened, id);
  notes.text('10.0.0.9');
  notes.number(40_000);
  notes.text('10.0.0.1');
  notes.number(50_051);
  notes.begin(CONNECTION.session, id);
}

function openStream(notes: NoteWriter, id: number, connection: number): void {
  notes.begin(STREAM.opened, id);
  notes.id(connection);
  notes.number(constants.NGHTTP2_FLAG_NONE);
  notes.number(200);
  notes.number(0);
  notes.text(JSON.stringify(HEADERS));
}

describe('a connection that was ended here', () => {
  it('brings no more calls, though they were on their way: another may have its name by then', () => {
    const { tell, connections, streams } = begin();
    tell((notes) => openConnection(notes, 1));
    connections[0]?.destroy();
    tell((notes) => openStream(notes, 2, 1));
    assert.equal(streams.length, 0);
  });

  it('takes no certificate any more that was on its way', () => {
    const { tell, connections } = begin();
    tell((notes) => openConnection(notes, 1));
    connections[0]?.destroy();
    tell((notes) => {
      notes.begin(CONNECTION.secured, 1);
      notes.bytes(Buffer.from(JSON.stringify({ names: ['dns:a.example'], notAfterMs: 1 })));
    });
    assert.equal(connections[0]?.certificate, undefined);
  });

  it('counts what it brings as looked at, which else would hold up the others of its thread', async () => {
    const sent: ArrayBuffer[] = [];
    const calls = new CarriedCalls(admitAll({ send: (notes) => sent.push(notes) }));
    const notes = new NoteWriter();
    // Of a connection that was never admitted.
    openStream(notes, 2, 1);
    openStream(notes, 3, 1);
    calls.take(notes.take());
    await new Promise((resolve) => setImmediate(resolve));
    const reader = new NoteReader(sent[0] as ArrayBuffer);
    assert.ok(reader.next());
    assert.deepEqual([reader.kind, reader.id], [SEEN_STREAMS, 2]);
  });
});

describe('what passes between the threads', () => {
  it('does not stay in memory for one byte of it that a call keeps', () => {
    const { tell, streams } = begin();
    tell((notes) => {
      openConnection(notes, 1);
      openStream(notes, 2, 1);
      openStream(notes, 3, 1);
    });
    const chunks: Buffer[] = [];
    for (const stream of streams) {
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.resume();
    }
    tell((notes) => {
      notes.begin(STREAM.data, 2);
      notes.bytes(Buffer.alloc(1));
      // Of another call, in the same turn.
      notes.begin(STREAM.data, 3);
      notes.bytes(Buffer.alloc(1_000_000));
    });
    const [small, large] = chunks;
    assert.deepEqual([small?.length, large?.length], [1, 1_000_000]);
    assert.ok((small?.buffer.byteLength ?? 0) <= 16_384, `one byte keeps ${small?.buffer.byteLength}`);
  });

  it('is one note for a million pings of a turn, of which as many are counted as end the connection', () => {
    const { tell, pings } = begin();
    tell((notes) => {
      openConnection(notes, 1);
      notes.begin(CONNECTION.control, 1);
      notes.number(3);
    });
    assert.equal(pings(), 3);
    tell((notes) => {
      notes.begin(CONNECTION.control, 1);
      notes.number(1_000_000);
    });
    assert.ok(pings() > 200 && pings() < 2_000, `${pings()}`);
  });

  it('is given up when the thread has ended: what is told to it then is not kept', async () => {
    const sent: ArrayBuffer[] = [];
    const connections: ServedConnection[] = [];
    const calls = new CarriedCalls(
      admitAll({
        send: (notes) => sent.push(notes),
        listener: {
          ...admitAll({}).listener,
          begin(connection, isGone, admitted) {
            connections.push(connection);
            if (!isGone()) admitted();
          },
        },
      }),
    );
    const notes = new NoteWriter();
    openConnection(notes, 1);
    calls.take(notes.take());
    calls.end();
    connections[0]?.destroy();
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(sent, []);
    assert.equal(calls.note(TO_CONNECTION.destroy, 1).take().byteLength, 9);
  });
});
