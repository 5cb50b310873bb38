// What a person reads when a call failed: the reason in one line, and what to do about the usual ones.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import { type ServiceError, status } from '@grpc/grpc-js';
import { Connection } from '../../../src/cli/ask/connection.ts';
import type { ConnectionSecurity } from '../../../src/grpc-client/connection-security.ts';
import { failureText, toServiceError } from '../../../src/cli/ask/service-error.ts';
import { createCertificate } from '../../simulator/server/certificate.ts';

const CERTIFICATE = createCertificate({ commonName: 'digger.test', dnsNames: ['digger.test'] });

const TLS: ConnectionSecurity = {
  tls: true,
  caPath: undefined,
  certPath: undefined,
  keyPath: undefined,
  tokenPath: undefined,
};

async function listening(t: TestContext, server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return `localhost:${(server.address() as AddressInfo).port}`;
}

async function failure(address: string, security?: ConnectionSecurity): Promise<string> {
  using connection = new Connection({ address, timeoutMs: 10_000, ...(security === undefined ? {} : { security }) });
  try {
    await connection.call('StatusService/GetStatus', {}, 10_000);
  } catch (thrown) {
    return failureText(toServiceError(thrown), address);
  }
  return assert.fail('answered');
}

function file(t: TestContext, text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'digger-error-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'file.pem');
  writeFileSync(path, text);
  return path;
}

const tlsServer = (): Server =>
  createTlsServer({ ...CERTIFICATE, ALPNProtocols: ['h2'] }, (socket) => socket.on('error', () => undefined)).on(
    'tlsClientError',
    () => undefined,
  );

test('where nothing listens, it says how to start something', async () => {
  assert.match(await failure('127.0.0.1:1'), /^127\.0\.0\.1:1: nothing listens there; start `digger serve`/);
});

test('a service without TLS that is asked with TLS', async (t) => {
  // Answers a greeting of TLS with frames of HTTP/2, as a plaintext gRPC server does.
  const server = createServer((socket) =>
    socket.on('error', () => undefined).end(Buffer.from('000000040000000000', 'hex')),
  );
  const address = await listening(t, server);
  assert.match(await failure(address, TLS), /: it speaks no TLS; leave out --tls/);
});

test('a service with TLS that is asked in plaintext', async (t) => {
  assert.match(await failure(await listening(t, tlsServer())), /: it took the connection and said nothing: .*--tls/);
});

test('a certificate of a CA that is not known', async (t) => {
  assert.match(await failure(await listening(t, tlsServer()), TLS), /a CA that is not known here; .*--tls-ca/);
});

test('a certificate for another name', async (t) => {
  const address = await listening(t, tlsServer());
  const text = await failure(address, { ...TLS, caPath: file(t, CERTIFICATE.cert) });
  assert.match(text, /: its certificate is for another name; connect by a name that is in it/);
});

test('what the service says of a refused connection of its own is not taken for ours', () => {
  const details = 'not synced yet, waiting for: list pods: connect ECONNREFUSED 10.0.0.1:6443';
  const error = { code: status.UNAVAILABLE, details } as ServiceError;
  assert.equal(failureText(error, 'digger:50051'), `digger:50051 is not available: ${details}`);
});

test('an unusual reason is told without what gRPC puts around it', () => {
  const details = 'No connection established. Last error: Error: something odd. Resolution note: ';
  const error = { code: status.UNAVAILABLE, details } as ServiceError;
  assert.equal(failureText(error, 'digger:50051'), 'digger:50051 is not available: something odd');
});
