// What callers send is in no line of the log but digger's own.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { eventually, done, notYet } from '../observers/eventually.ts';
import { Story } from '../stories/story.ts';
import { callHeaders, END_HEADERS, END_STREAM, FRAME, frame, header, onFrames, open } from './raw-http2.ts';

const PATHS = ['/digger.v1.LookupService/ResolveAddress', '/grpc.health.v1.Health/Check', '/digger.v1.Nothing/Here'];

describe('a header that is not ASCII', () => {
  it('writes no line to the log of the process, whatever method it is sent to', async (t) => {
    const story = await Story.begin();
    t.after(() => story.end());
    const digger = await story.startReadyDigger();
    const socket = open(digger.address);
    t.after(() => socket.destroy());
    let ended = 0;
    onFrames(socket, ({ type, flags }) => {
      if ((type === FRAME.headers || type === FRAME.data) && (flags & END_STREAM) !== 0) ended += 1;
    });
    for (const [index, path] of PATHS.entries()) {
      const headers = Buffer.concat([
        callHeaders(path),
        header('x-note', 'forged é line'),
        header('grpc-timeout', 'é5S'),
      ]);
      socket.write(frame(FRAME.headers, END_HEADERS, index * 2 + 1, headers));
      socket.write(frame(FRAME.data, END_STREAM, index * 2 + 1, Buffer.alloc(5)));
    }
    await eventually('all are answered', () => (ended === PATHS.length ? done(undefined) : notYet(ended)));
    await digger.stop();
    for (const line of digger.log.split('\n')) {
      assert.doesNotMatch(line, /forged|illegal/);
      if (line !== '') assert.doesNotThrow(() => JSON.parse(line), line);
    }
  });
});
