// TLS at the gRPC port over real sockets: who gets in, who does not, and what the log says of it.

import assert from 'node:assert/strict';
import { connect as connectTcp } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { credentials } from '@grpc/grpc-js';

import { handshakeFailureReason } from '../../../src/rpc/tls/termination.ts';
import { type Certificate, createCertificate } from '../../simulator/server/certificate.ts';
import { eventually, type Failure, type Json, type TestClient } from '../serving.ts';
import { type LogLine, metric, serveTls, type TlsServing } from './tls-serving.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

describe('a server with a certificate', () => {
  let serving: TlsServing;
  before(async () => {
    serving = await serveTls();
  });
  after(() => serving.stop());

  it('serves clients that trust its CA, and tells when the certificate expires', async () => {
    assert.equal(await outcome(serving.client()), 'OUTCOME_UNASSIGNED');
    const expiryMs = 1000 * (await metric(serving.registry, 'digger_tls_certificate_expiry_timestamp_seconds'));
    assert.ok(Math.abs(expiryMs - (Date.now() + DAY_MS)) < 60_000, `expires at ${expiryMs}`);
  });

  it('is refused by a client that trusts another CA, and counts it', async () => {
    const stranger = serving.clientWith(credentials.createSsl(Buffer.from(createCertificate().cert)));
    assert.equal((await failure(stranger)).code, 'UNAVAILABLE');
    // Clients on Node hang up without an alert; those that send one count as `rejected_by_client`.
    await logged(serving, 'gone');
  });

  for (const version of ['TLSv1', 'TLSv1.1'] as const) {
    it(`refuses ${version}`, async () => {
      // SECLEVEL=0, or our own OpenSSL would not even offer it.
      await assert.rejects(
        handshake(serving, { minVersion: version, maxVersion: version, ciphers: 'ALL:@SECLEVEL=0' }),
      );
      await logged(serving, 'protocol_version');
    });
  }

  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    it(`agrees on ${version} and HTTP/2, with an AEAD suite, and gives no ticket to resume by`, async () => {
      const socket = await handshake(serving, { minVersion: version, maxVersion: version });
      try {
        assert.equal(socket.getProtocol(), version);
        assert.equal(socket.alpnProtocol, 'h2');
        assert.match(socket.getCipher().standardName, /GCM|CHACHA20/);
        // TLS 1.3 sends tickets after the handshake; the first settings of HTTP/2 come behind them.
        await new Promise((resolve) => socket.once('data', resolve));
        const session = socket.getSession();
        assert.ok(session);
        const again = await handshake(serving, { minVersion: version, maxVersion: version, session });
        assert.equal(again.isSessionReused(), false);
        again.destroy();
      } finally {
        socket.destroy();
      }
    });
  }

  it('refuses suites without forward secrecy', async () => {
    await assert.rejects(handshake(serving, { maxVersion: 'TLSv1.2', ciphers: 'AES128-GCM-SHA256' }));
    await logged(serving, 'no_common_cipher');
  });

  it('refuses clients that do not speak HTTP/2', async () => {
    await assert.rejects(handshake(serving, { ALPNProtocols: ['http/1.1'] }));
    const silent = await handshake(serving, { ALPNProtocols: [] });
    await new Promise<void>((resolve) => silent.resume().once('close', () => resolve()));
    await logged(serving, 'no_http2');
  });

  it('lets no plaintext in, logs it once however often it comes, and serves the others on', async () => {
    const client = serving.client();
    assert.equal(await outcome(client), 'OUTCOME_UNASSIGNED');
    const started = await metric(serving.registry, LOOKUPS);
    const insecure = serving.clientWith(credentials.createInsecure());
    assert.equal((await failure(insecure)).code, 'UNAVAILABLE');
    const texts = ['GET / HTTP/1.1\r\nHost: x\r\n\r\n', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', '\0\0\0\0\0\0\0\0\0\0'];
    for (let round = 0; round < 5; round++) await Promise.all(texts.map((text) => sendPlaintext(serving, text)));
    await eventually(
      () => serving.lines.some((line) => line['reason'] === 'plaintext'),
      () => JSON.stringify(serving.lines),
    );
    const lines = serving.lines.filter((line) => line['reason'] === 'plaintext');
    assert.equal(lines.length, 1, JSON.stringify(lines));
    assert.equal(lines[0]?.['msg'], 'a client spoke plaintext to the TLS port');
    assert.equal(lines[0]?.['remoteAddress'], '127.0.0.1');
    assert.ok((await metric(serving.registry, 'digger_tls_handshake_failures_total{reason="plaintext"}')) >= 15);
    assert.equal(await metric(serving.registry, LOOKUPS), started, 'no call of theirs reached a method');
    assert.equal(await outcome(client), 'OUTCOME_UNASSIGNED');
  });
});

describe('connections over TLS', () => {
  it('are counted from their handshake to their end, and end with the server, also those that never said a word', async () => {
    const serving = await serveTls();
    const open = (): Promise<number> => metric(serving.registry, 'digger_grpc_connections');
    const untilOpen = async (expected: number): Promise<void> => {
      const until = Date.now() + 5_000;
      while ((await open()) !== expected) {
        assert.ok(Date.now() < until, `${await open()} connections, not ${expected}`);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    };
    const client = serving.client();
    assert.equal(await outcome(client), 'OUTCOME_UNASSIGNED');
    const silent = connectTcp({ host: '127.0.0.1', port: serving.port });
    await untilOpen(2);
    client.close();
    await untilOpen(1);
    silent.destroy();
    await untilOpen(0);
    const [quiet, idle] = [connectTcp({ host: '127.0.0.1', port: serving.port }), serving.client()];
    quiet.on('error', () => undefined);
    assert.equal(await outcome(idle), 'OUTCOME_UNASSIGNED');
    await untilOpen(2);
    // A silent peer is not waited for longer than the deadline.
    await serving.server.drain(AbortSignal.timeout(100));
    await untilOpen(0);
    await serving.stop();
  });
});

describe('a server that asks for client certificates', () => {
  let serving: TlsServing;
  before(async () => {
    serving = await serveTls({ mutual: true });
  });
  after(() => serving.stop());

  it('serves those that its client CA signed', async () => {
    assert.equal(await outcome(serving.client(clientCertificate())), 'OUTCOME_UNASSIGNED');
  });

  const strangers: readonly (readonly [string, () => Certificate | undefined, string])[] = [
    ['no certificate', () => undefined, 'no_client_certificate'],
    ['a certificate of another CA', () => createCertificate(), 'client_certificate_untrusted'],
    [
      'a certificate of a CA with the same name',
      () => createCertificate({ issuer: createCertificate({ commonName: 'client CA' }), commonName: 'client' }),
      'client_certificate_untrusted',
    ],
    [
      'an expired certificate',
      () => clientCertificate({ notBeforeMs: Date.now() - 2 * DAY_MS, notAfterMs: Date.now() - DAY_MS }),
      'client_certificate_expired',
    ],
    [
      'a certificate that is not valid yet',
      () => clientCertificate({ notBeforeMs: Date.now() + DAY_MS, notAfterMs: Date.now() + 2 * DAY_MS }),
      'client_certificate_expired',
    ],
  ];
  for (const [what, certificate, reason] of strangers) {
    it(`lets no client in with ${what}`, async () => {
      const started = await metric(serving.registry, LOOKUPS);
      assert.equal((await failure(serving.client(certificate()))).code, 'UNAVAILABLE');
      await eventually(
        () => serving.lines.some((line) => line['reason'] === reason),
        () => JSON.stringify(serving.lines),
      );
      assert.ok((await metric(serving.registry, `digger_tls_handshake_failures_total{reason="${reason}"}`)) > 0);
      assert.equal(await metric(serving.registry, LOOKUPS), started);
    });
  }

  function clientCertificate(validity: { notBeforeMs?: number; notAfterMs?: number } = {}): Certificate {
    return createCertificate({ issuer: serving.files.clientCa, commonName: 'client', ...validity });
  }
});

it('every reason is one of a fixed set, whatever the code', () => {
  assert.equal(handshakeFailureReason('ERR_SSL_SOMETHING_NEW'), 'other');
  assert.equal(handshakeFailureReason(''), 'other');
  assert.equal(handshakeFailureReason('ERR_SSL_TLSV1_ALERT_UNKNOWN_CA'), 'rejected_by_client');
  assert.equal(handshakeFailureReason('DEPTH_ZERO_SELF_SIGNED_CERT'), 'client_certificate_untrusted');
});

const LOOKUPS =
  'grpc_server_started_total{grpc_type="unary",grpc_service="digger.v1.LookupService",grpc_method="ResolveAddress"}';

async function outcome(client: TestClient): Promise<unknown> {
  const answer = await client.call('ResolveAddress', { address: '10.0.0.1' }, { deadline: Date.now() + 5_000 });
  return (answer['resolution'] as Json)['outcome'];
}

async function failure(client: TestClient): Promise<Failure> {
  return client.failure('ResolveAddress', { address: '10.0.0.1' }, { deadline: Date.now() + 5_000 });
}

async function logged(serving: TlsServing, reason: string): Promise<LogLine> {
  const find = (): LogLine | undefined => serving.lines.find((line) => line['reason'] === reason);
  await eventually(
    () => find() !== undefined,
    () => `no line of ${reason} in ${JSON.stringify(serving.lines)}`,
  );
  return find() as LogLine;
}

function handshake(serving: TlsServing, options: ConnectionOptions): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const { ca } = serving.files;
    const socket = connect({
      host: '127.0.0.1',
      port: serving.port,
      ca: ca.cert,
      ALPNProtocols: ['h2'],
      servername: 'localhost',
      ...options,
    });
    socket.on('error', reject);
    socket.once('close', () => reject(new Error('closed')));
    socket.once('secureConnect', () => resolve(socket));
  });
}

function sendPlaintext(serving: TlsServing, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('still open after 5 s')), 5_000);
    const socket = connectTcp({ host: '127.0.0.1', port: serving.port });
    socket.on('error', () => undefined);
    socket.resume();
    socket.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
    socket.write(text);
  });
}
