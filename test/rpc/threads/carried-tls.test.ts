// TLS where another thread carries connections: the same certificates, client CAs and callers as with one thread, and
// no thread that serves with files that no longer hold.

import assert from 'node:assert/strict';
import { connect as connectTls, Server as TlsServer, type TLSSocket } from 'node:tls';
import { it } from 'node:test';
import { Worker } from 'node:worker_threads';

import { clientCertificateAuthenticator } from '../../../src/rpc/auth/client-certificates.ts';
import { MAX_STARTS_PER_TURN } from '../../../src/rpc/limits/start-queue.ts';
import { Carrier } from '../../../src/rpc/threads/carrier.ts';
import { CONNECTION, type FromCarrier, TO_CONNECTION } from '../../../src/rpc/threads/protocol.ts';
import { NoteReader, NoteWriter } from '../../../src/rpc/threads/packed-notes.ts';
import { Registry } from '@prometheus-io/client';
import { createCertificate } from '../../simulator/server/certificate.ts';
import { done, eventually, notYet } from '../../observers/eventually.ts';
import { toFailure } from '../serving.ts';
import { serveTls } from '../tls/tls-serving.ts';
import { LIMITS } from './in-one-thread.ts';

const SPIFFE_ID = 'spiffe://example.com/sensor';

it('a client certificate is known by its names, and of another CA none gets through', async (t) => {
  const serving = await serveTls({
    mutual: true,
    threads: 2,
    authenticate: (server) =>
      clientCertificateAuthenticator({
        certificateOf: (peer) => server().certificateOf(peer),
        allowed: new Set([`uri:${SPIFFE_ID}`]),
        registry: new Registry(),
        nowMs: Date.now,
      }),
  });
  t.after(() => serving.stop());
  const code = (names: { readonly uris: string[] }, issuer = serving.files.clientCa): Promise<string | undefined> =>
    serving
      .client(createCertificate({ issuer, ...names }))
      .call('ResolveAddress', { address: '10.0.0.1' })
      .then(
        () => 'OK',
        (error: unknown) => toFailure(error).code,
      );
  assert.equal(await code({ uris: [SPIFFE_ID] }), 'OK');
  assert.equal(await code({ uris: ['spiffe://elsewhere'] }), 'PERMISSION_DENIED');
  assert.equal(await code({ uris: [SPIFFE_ID] }, serving.files.ca), 'UNAVAILABLE');
});

it('a thread that does not take new TLS files in two seconds is ended, and the next one has them', async (t) => {
  const serving = await serveTls({ threads: 2 });
  t.after(() => serving.stop());
  const send = Worker.prototype.postMessage;
  t.mock.method(Worker.prototype, 'postMessage', function (this: Worker, ...given: Parameters<typeof send>) {
    // As if it hung at this.
    if (!Object.hasOwn(given[0] as object, 'tls')) send.apply(this, given);
  });
  await serving.client().call('ResolveAddress', { address: '10.0.0.1' });
  serving.files.write(serving.files.issue(3));
  await eventually('the thread was ended for it', async () => {
    const text = await serving.registry.metrics();
    return text.includes('digger_serving_thread_ends_total{reason="tls"} 1') ? done(undefined) : notYet(text);
  });
  await eventually('another one answers', async () => {
    const failure = await serving
      .client()
      .call('ResolveAddress', { address: '10.0.0.1' })
      .then(() => undefined, toFailure);
    return failure === undefined ? done(undefined) : notYet(failure);
  });
});

it('handshakes that come at once begin a few a turn: each takes milliseconds of all that the thread carries', async (t) => {
  const { cert, key } = createCertificate();
  const tls = { cert: Buffer.from(cert), key: Buffer.from(key), clientCa: undefined };
  let bound: (port: number) => void = () => undefined;
  const carrier = new Carrier({ limits: LIMITS, tls }, (message: FromCarrier) => {
    if ('listening' in message) bound(message.listening.port);
    if ('notes' in message) admitAll(message.notes);
  });
  t.after(() => carrier.close());
  const opened: number[] = [];
  const admitAll = (memory: ArrayBuffer): void => {
    const notes = new NoteReader(memory);
    while (notes.next()) {
      if (notes.kind === CONNECTION.opened) {
        notes.text();
        notes.number();
        notes.text();
        notes.number();
        opened.push(notes.id);
      } else if (notes.kind === CONNECTION.secured) notes.bytes();
      else if (notes.kind === CONNECTION.control) notes.number();
    }
    // All at once, as soon as all of them wait.
    if (opened.length < CLIENTS) return;
    const answer = new NoteWriter();
    for (const id of opened.splice(0)) answer.begin(TO_CONNECTION.admit, id);
    carrier.take({ notes: answer.take(), frames: [] });
  };
  const port = await new Promise<number>((resolve) => {
    bound = resolve;
    carrier.take({ listen: { host: '127.0.0.1', port: 0, shared: false } });
  });
  let ofThisTurn = 0;
  let most = 0;
  const { emit } = TlsServer.prototype;
  t.mock.method(TlsServer.prototype, 'emit', function (this: TlsServer, ...given: Parameters<typeof emit>) {
    if ((given[0] as string) === 'connection') {
      ofThisTurn += 1;
      most = Math.max(most, ofThisTurn);
    }
    return emit.apply(this, given);
  });
  let isOver = false;
  const nextTurn = (): void => {
    ofThisTurn = 0;
    if (!isOver) setImmediate(nextTurn);
  };
  nextTurn();
  const clients = Array.from({ length: CLIENTS }, () =>
    connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false, ALPNProtocols: ['h2'] }),
  );
  t.after(() => clients.forEach((each: TLSSocket) => each.destroy()));
  await Promise.all(clients.map((each) => new Promise((resolve) => each.once('secureConnect', resolve))));
  isOver = true;
  assert.ok(most > 0 && most <= MAX_STARTS_PER_TURN, `${most} handshakes began in one turn`);
});

const CLIENTS = 60;
