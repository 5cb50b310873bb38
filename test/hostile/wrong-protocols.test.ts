// What comes to a port that speaks something else: it is sent away, counted where TLS is spoken, and leaves nothing.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import { describe, it } from 'node:test';
import type { Registry } from '@prometheus-io/client';

import { done, eventually, notYet } from '../observers/eventually.ts';
import { serve } from '../rpc/serving.ts';
import { recordClientHello } from '../rpc/tls/client-hello.test.ts';
import { metric, serveTls } from '../rpc/tls/tls-serving.ts';
import { frame, FRAME, PREFACE } from './raw-http2.ts';

const FAILURES = 'digger_tls_handshake_failures_total';

const HELLO = await recordClientHello();
const STRANGERS: readonly (readonly [string, Buffer])[] = [
  ['a proxy that tells whom it speaks for', Buffer.from('PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n')],
  ['HTTP/1', Buffer.from('GET /livez HTTP/1.1\r\nHost: digger\r\n\r\n')],
];

describe('a port without TLS', () => {
  for (const [name, bytes] of [...STRANGERS, ['a client of TLS', HELLO] as const]) {
    it(`sends ${name} away`, async (t) => {
      const serving = await serve();
      t.after(() => serving.stop());
      const socket = send(Number(serving.target.split(':')[1]), bytes);
      await untilEnded(socket);
      await untilNothingIsLeft(serving.registry);
    });
  }

  it('lets go of one that says hello in HTTP/2 and closes its side', async (t) => {
    const serving = await serve();
    t.after(() => serving.stop());
    const socket = send(Number(serving.target.split(':')[1]), Buffer.concat([PREFACE, frame(FRAME.settings, 0, 0)]));
    socket.end();
    await untilEnded(socket);
    await untilNothingIsLeft(serving.registry);
  });
});

describe('a port with TLS', () => {
  for (const [name, bytes] of [...STRANGERS, ['HTTP/2 without TLS', PREFACE] as const]) {
    it(`sends ${name} away, and counts it as plaintext`, async (t) => {
      const serving = await serveTls();
      t.after(() => serving.stop());
      await untilEnded(send(serving.port, bytes));
      await untilCounted(serving.registry, `${FAILURES}{reason="plaintext"}`);
      await untilNothingIsLeft(serving.registry);
    });
  }

  for (const [name, options] of [
    ['offers no protocol by ALPN', {}],
    ['offers HTTP/1.1 by ALPN', { ALPNProtocols: ['http/1.1'] }],
  ] as const) {
    it(`sends a client away that ${name}, and counts it`, async (t) => {
      const serving = await serveTls();
      t.after(() => serving.stop());
      await untilEnded(secure(serving.port, options));
      await untilCounted(serving.registry, `${FAILURES}{reason="no_http2"}`);
      await untilNothingIsLeft(serving.registry);
    });
  }

  it('does not negotiate TLS 1.2 anew', async (t) => {
    const serving = await serveTls();
    t.after(() => serving.stop());
    const socket = secure(serving.port, { ALPNProtocols: ['h2'], maxVersion: 'TLSv1.2' });
    await once(socket, 'secureConnect');
    const refused = new Promise<boolean>((resolve) => {
      socket.once('close', () => resolve(true));
      socket.renegotiate({}, (error) => resolve(error !== null));
    });
    assert.equal(await refused, true);
    socket.destroy();
    await untilNothingIsLeft(serving.registry);
  });

  it('gives no session that could be resumed without the certificate of its client', async (t) => {
    const serving = await serveTls();
    t.after(() => serving.stop());
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      const first = secure(serving.port, { ALPNProtocols: ['h2'], maxVersion });
      let session: Buffer | undefined;
      first.on('session', (given: Buffer) => (session = given));
      await once(first, 'secureConnect');
      // The settings, behind which a ticket would have come.
      first.write(PREFACE);
      await once(first, 'data');
      session ??= first.getSession();
      const again = secure(serving.port, { ALPNProtocols: ['h2'], maxVersion, ...(session && { session }) });
      await once(again, 'secureConnect');
      assert.equal(again.isSessionReused(), false);
      first.destroy();
      again.destroy();
    }
    await untilNothingIsLeft(serving.registry);
  });
});

function send(port: number, bytes: Buffer): Socket {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.on('error', () => socket.destroy());
  socket.resume();
  socket.write(bytes);
  return socket;
}

function secure(port: number, options: ConnectionOptions): TLSSocket {
  const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options });
  socket.on('error', () => socket.destroy());
  socket.resume();
  return socket;
}

/** Closed by the other side, with an alert or without. */
async function untilEnded(socket: Socket): Promise<void> {
  await eventually('it has closed', () => (socket.closed ? done(undefined) : notYet('open')), { intervalMs: 5 });
}

async function untilCounted(registry: Registry, line: string): Promise<void> {
  await eventually('it is counted', async () => {
    const count = await metric(registry, line);
    return count === 1 ? done(undefined) : notYet(count);
  });
}

async function untilNothingIsLeft(registry: Registry): Promise<void> {
  await eventually('no connection is left', async () => {
    const count = await metric(registry, 'digger_grpc_connections');
    return count === 0 ? done(undefined) : notYet(count);
  });
}
