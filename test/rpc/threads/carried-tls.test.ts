// TLS where another thread carries connections: the same certificates, client CAs and callers as with one thread, and
// no thread that serves with files that no longer hold.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Worker } from 'node:worker_threads';

import { clientCertificateAuthenticator } from '../../../src/rpc/auth/client-certificates.ts';
import { Registry } from '@prometheus-io/client';
import { createCertificate } from '../../simulator/server/certificate.ts';
import { done, eventually, notYet } from '../../observers/eventually.ts';
import { toFailure } from '../serving.ts';
import { serveTls } from '../tls/tls-serving.ts';

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
