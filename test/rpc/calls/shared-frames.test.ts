// Frames go to the HTTP/2 stream as they are; everything else about a call stays what grpc-js makes of it.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:http2';
import { after, before, describe, it } from 'node:test';
import {
  Client,
  credentials,
  Metadata,
  Server,
  ServerCredentials,
  type ServerInterceptingCallInterface,
  type ServerWritableStream,
  status,
} from '@grpc/grpc-js';
import { sharedFrames } from '../../../src/rpc/calls/shared-frames.ts';
import { Frame } from '../../../src/wire/frame.ts';

const PATH = '/test.Feed/Watch';

describe('a frame that many get', () => {
  /** What grpc-js was given to copy. */
  const serialized: Buffer[] = [];
  let onCall: (call: ServerWritableStream<Buffer, Frame | Buffer>) => void = () => undefined;
  const server = new Server({ interceptors: [sharedFrames(PATH)] });
  server.register(
    PATH,
    (call: ServerWritableStream<Buffer, Frame | Buffer>) => onCall(call),
    (message: Buffer) => {
      serialized.push(message);
      return message;
    },
    (bytes: Buffer) => bytes,
    'serverStream',
  );
  let client: Client;
  let port: number;

  before(async () => {
    port = await new Promise<number>((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      );
    });
    client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  });

  after(() => {
    client.close();
    server.forceShutdown();
  });

  const call = (metadata = new Metadata(), options = {}) => {
    const stream = client.makeServerStreamRequest(
      PATH,
      (bytes: Buffer) => bytes,
      (bytes: Buffer) => bytes.toString('latin1'),
      Buffer.alloc(0),
      metadata,
      options,
    );
    const messages: string[] = [];
    stream.on('data', (message: string) => messages.push(message));
    const ended = new Promise<status>((resolve) => {
      stream.on('error', () => undefined);
      stream.once('status', ({ code }: { code: status }) => resolve(code));
    });
    return { messages, ended };
  };

  it('reaches them without a copy by grpc-js, in order with other messages, and the status after all', async () => {
    const frame = frameOf('shared');
    onCall = (served) => {
      served.write(frame);
      served.write(Buffer.from('other'));
      served.write(frame);
      served.end();
    };
    const calls = [call(), call(), call()];
    assert.deepEqual(await Promise.all(calls.map(({ ended }) => ended)), [status.OK, status.OK, status.OK]);
    for (const { messages } of calls) assert.deepEqual(messages, ['shared', 'other', 'shared']);
    assert.deepEqual(serialized.map(String), ['other', 'other', 'other']);
  });

  it('is not written behind the status of a deadline that has passed', async () => {
    let isTaken = false;
    onCall = (served) => {
      served.write(frameOf('before'.padEnd(100)), () => served.write(frameOf('after'), () => (isTaken = true)));
    };
    // Takes ten bytes until the deadline has passed, so that the status stands in line behind the first frame.
    const session = connect(`http://127.0.0.1:${port}`, { settings: { initialWindowSize: 10 } });
    const stream = session.request({
      ':method': 'POST',
      ':path': PATH,
      'content-type': 'application/grpc',
      te: 'trailers',
      'grpc-timeout': '50m',
    });
    stream.end(Buffer.alloc(5));
    await once(stream, 'response');
    // The server's timer is of the same process, older and shorter: it is over when this one is.
    await new Promise((resolve) => setTimeout(resolve, 60));
    const received: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => received.push(chunk));
    const [trailers] = (await once(stream, 'trailers')) as [Record<string, string>];
    assert.equal(Number(trailers['grpc-status']), status.DEADLINE_EXCEEDED);
    assert.deepEqual([Buffer.concat(received).toString('latin1', 5).trim(), isTaken], ['before', false]);
    session.destroy();
  });

  it('goes the way of other messages where its stream is not known', () => {
    const sent: unknown[] = [];
    const below = {
      start: () => undefined,
      sendMetadata: () => undefined,
      sendMessage: (message: unknown) => sent.push(message),
    } as unknown as ServerInterceptingCallInterface;
    const method = { path: PATH } as Parameters<ReturnType<typeof sharedFrames>>[0];
    sharedFrames(PATH)(method, below).sendMessage(frameOf('shared'), () => undefined);
    assert.deepEqual(sent.map(String), ['shared']);
  });

  it('leaves calls of other methods alone', () => {
    const below = {} as ServerInterceptingCallInterface;
    const method = { path: '/test.Feed/Other' } as Parameters<ReturnType<typeof sharedFrames>>[0];
    assert.equal(sharedFrames(PATH)(method, below), below);
  });
});

function frameOf(text: string): Frame {
  const frame = new Frame(text.length);
  frame.message.write(text, 'latin1');
  return frame;
}
