// The first bytes of a TLS connection: when are they enough to be given to TLS?

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { connect } from 'node:tls';
import { before, describe, it } from 'node:test';

import { isFirstFlight } from '../../../src/rpc/tls/client-hello.ts';

/** What node's own client says first. */
export async function recordClientHello(): Promise<Buffer> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', ALPNProtocols: ['h2'] });
  client.on('error', () => undefined);
  const [socket] = (await once(server, 'connection')) as [Socket];
  const [hello] = (await once(socket, 'data')) as [Buffer];
  client.destroy();
  socket.destroy();
  server.close();
  return hello;
}

describe('a ClientHello', () => {
  let hello: Buffer;
  before(async () => {
    hello = await recordClientHello();
  });

  it('is waited for to its last byte', () => {
    for (let length = 0; length < hello.length; length++) {
      assert.equal(isFirstFlight(hello.subarray(0, length)), false, `${length} of ${hello.length}`);
    }
    assert.equal(isFirstFlight(hello), true);
    assert.equal(isFirstFlight(Buffer.concat([hello, Buffer.from([20])])), true, 'and more');
  });

  it('may be cut into records, even of one byte', () => {
    const message = hello.subarray(5);
    const cut = Buffer.concat(Array.from(message, (byte) => Buffer.from([22, 3, 1, 0, 1, byte])));
    assert.equal(isFirstFlight(cut.subarray(0, -1)), false);
    assert.equal(isFirstFlight(cut), true);
  });

  it('is not waited for where none can come: another protocol, another message, too long, a record without bytes', () => {
    for (const bytes of [
      Buffer.from('GET / HTTP/1.1'),
      Buffer.from([22, 3, 1, 0, 4, 2]),
      Buffer.from([22, 3, 1, 0, 4, 1, 0xff, 0, 0]),
      Buffer.from([22, 3, 1, 0, 0]),
      Buffer.concat([
        hello.subarray(0, 5),
        Buffer.from([1, 0, 1, 0]),
        Buffer.alloc(hello.readUInt16BE(3) - 4),
        Buffer.from([23]),
      ]),
    ]) {
      assert.equal(isFirstFlight(bytes), true, bytes.toString('hex').slice(0, 40));
    }
  });

  it('has an end: nothing that goes on and on is waited for', () => {
    const endless = Buffer.concat(Array.from({ length: 9_000 }, () => Buffer.from([22, 3, 1, 0, 1, 1])));
    assert.equal(isFirstFlight(endless), true);
  });
});
