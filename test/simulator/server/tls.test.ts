// The simulated API server over HTTPS: a client that trusts its certificate lists and watches, another one does not.

import assert from 'node:assert/strict';
import { get, type RequestOptions } from 'node:https';
import { test } from 'node:test';
import { createSimulator } from '../../../src/simulator/server/simulator.ts';
import { createCertificate } from './certificate.ts';
import { createPods, createRandom } from './fixture.ts';

test('a client that trusts the certificate gets answers, another one refuses the server', async (t) => {
  const simulator = createSimulator({ random: createRandom(1), now: () => 0 });
  createPods(simulator, ['a']);
  const tls = createCertificate();
  const server = await simulator.listen({ port: 0, tls });
  t.after(() => server.close());
  const list = `${server.url}/api/v1/pods`;
  assert.match(await body(list, { ca: tls.cert }), /"kind":"PodList".*"name":"a"/);
  assert.match(await body(`${list}?watch=1&timeoutSeconds=1`, { ca: tls.cert }), /"type":"ADDED".*"name":"a"/);
  await assert.rejects(body(list, {}), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
  await assert.rejects(body(list, { ca: createCertificate().cert }));
});

function body(url: string, options: RequestOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    get(url, { ...options, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => resolve(Buffer.concat(chunks).toString()));
      response.on('error', reject);
    }).on('error', reject);
  });
}
