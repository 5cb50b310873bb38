// Whether lists are asked for with gzip, and what is told of the bytes that come.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { createTransport } from '../../../src/kube/transport/transport.ts';
import { createCertificate } from '../../simulator/server/certificate.ts';
import { GivenCredentials, serveHttp2 } from './serving.ts';

const TEXT = 'a pod like any other, '.repeat(1_000);

for (const compression of [true, false]) {
  test(`with compression ${compression ? 'on' : 'off'} a list is ${compression ? '' : 'not '}asked for with gzip, and its bytes are counted as they came`, async (context) => {
    const certificate = createCertificate();
    const asked: string[] = [];
    const server = await serveHttp2(context, certificate, (stream) => stream.respond({ ':status': 500 }));
    server.server.removeAllListeners('stream');
    server.server.on('stream', (stream, { 'accept-encoding': accepted }) => {
      asked.push(String(accepted));
      const isGzip = accepted === 'gzip';
      stream.respond({ ':status': 200, ...(isGzip ? { 'content-encoding': 'gzip' } : {}) });
      stream.end(isGzip ? gzipSync(TEXT) : TEXT);
    });
    const credentials = new GivenCredentials(server.url, certificate.cert);
    const transport = createTransport({ credentials, userAgent: 'digger/test', compression });
    context.after(() => transport.close());
    const read = async (gzip: boolean): Promise<string> => {
      const { body } = await transport.request({ path: '/', accept: '*/*', gzip, signal: AbortSignal.timeout(60_000) });
      const pieces: Buffer[] = [];
      for await (const piece of body) pieces.push(piece);
      return Buffer.concat(pieces).toString();
    };
    assert.equal(await read(true), TEXT);
    assert.equal(await read(false), TEXT);
    assert.deepEqual(asked, [compression ? 'gzip' : 'identity', 'identity']);
    assert.deepEqual(
      { ...transport.received },
      compression
        ? { identity: TEXT.length, gzip: gzipSync(TEXT).length, inflated: TEXT.length }
        : { identity: 2 * TEXT.length, gzip: 0, inflated: 0 },
    );
  });
}
