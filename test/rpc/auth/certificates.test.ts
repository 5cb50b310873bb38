// Client certificates over real sockets: names on the list may call, others may not, and no caller gets the identity of
// another.

import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { connect as connectTls } from 'node:tls';
import { after, before, describe, it } from 'node:test';
import { Registry } from '@prometheus-io/client';
import fc from 'fast-check';

import { clientCertificateAuthenticator } from '../../../src/rpc/auth/client-certificates.ts';
import { exempting } from '../../../src/rpc/auth/exemptions.ts';
import { alternativeNames, describeClientCertificate } from '../../../src/rpc/tls/client-certificate.ts';
import { type Certificate, type CertificateOptions, createCertificate } from '../../simulator/server/certificate.ts';
import { type TestClient, toFailure } from '../serving.ts';
import { metric, serveTls, type TlsServing } from '../tls/tls-serving.ts';

const SPIFFE_ID = 'spiffe://cluster.local/ns/traffic/sa/sensor';
const registry = new Registry();
let serving: TlsServing;
let nowMs = Date.now();

before(async () => {
  serving = await serveTls({
    mutual: true,
    authenticate: (server) => {
      const certificateOf = (peer: string) => server().certificateOf(peer);
      const allowed = new Set([`uri:${SPIFFE_ID}`, 'dns:sensor.example.org']);
      const options = { certificateOf, allowed, registry, nowMs: () => nowMs };
      return exempting(['reflection'], clientCertificateAuthenticator(options));
    },
  });
});
after(() => serving.stop());

describe('a client certificate', () => {
  for (const [what, names] of [
    ['a URI on the list', { uris: ['spiffe://elsewhere', SPIFFE_ID], dnsNames: [] }],
    ['a DNS name on the list', { dnsNames: ['other.example.org', 'sensor.example.org'] }],
    ['a DNS name on the list in capitals', { dnsNames: ['Sensor.Example.ORG'] }],
  ] as const) {
    it(`with ${what} may look up and ask for the status`, async () => {
      const client = serving.client(issue(names));
      assert.equal(await codeOf(client), 'OK');
      assert.equal(await codeOf(client, 'digger.v1.StatusService/GetStatus'), 'OK');
    });
  }

  for (const [what, names] of [
    ['no name', { dnsNames: [], addresses: [] }],
    ['another name', { dnsNames: ['localhost'] }],
    ['a name of which one on the list is a part', { uris: [`${SPIFFE_ID}-2`], dnsNames: ['a.sensor.example.org'] }],
    ['a URI as DNS name', { dnsNames: [SPIFFE_ID] }],
    ['a DNS name as URI', { uris: ['sensor.example.org'] }],
    ['the name on the list as common name', { commonName: 'sensor.example.org', dnsNames: [] }],
    ['a name that holds another one', { dnsNames: [`x, URI:${SPIFFE_ID}`, 'x, DNS:sensor.example.org'] }],
    ['a URI that holds another one', { uris: [`http://x, URI:${SPIFFE_ID}`] }],
    ['a wildcard', { dnsNames: ['*.example.org'] }],
  ] as const) {
    it(`with ${what} is PERMISSION_DENIED`, async () => {
      const client = serving.client(issue(names));
      assert.equal(await codeOf(client), 'PERMISSION_DENIED');
      assert.equal(await codeOf(client, 'digger.v1.StatusService/GetStatus'), 'PERMISSION_DENIED');
    });
  }

  it('that expires while its connection is open is UNAUTHENTICATED from then on', async () => {
    const client = serving.client(issue({ uris: [SPIFFE_ID], notAfterMs: Date.now() + 60_000 }));
    assert.equal(await codeOf(client), 'OK');
    nowMs = Date.now() + 61_000;
    assert.equal(await codeOf(client), 'UNAUTHENTICATED');
    nowMs = Date.now();
  });

  it('is that of its own connection, however many there are', async () => {
    const [yes, no] = [issue({ uris: [SPIFFE_ID] }), issue({ uris: ['spiffe://elsewhere'] })];
    const clients = Array.from({ length: 20 }, (_, index) => ({
      client: serving.client(index % 2 === 0 ? yes : no),
      expected: index % 2 === 0 ? 'OK' : 'PERMISSION_DENIED',
    }));
    for (let round = 0; round < 3; round++) {
      const codes = await Promise.all(clients.map(({ client }) => codeOf(client)));
      assert.deepEqual(
        codes,
        clients.map(({ expected }) => expected),
      );
    }
    assert.ok((await metric(registry, 'digger_auth_decisions_total{result="allowed"}')) >= 30);
    assert.ok((await metric(registry, 'digger_auth_decisions_total{result="denied"}')) >= 30);
  });

  it('health is asked for without being on the list', async () => {
    const client = serving.client(issue({ dnsNames: ['localhost'] }));
    await client.callBytes('/grpc.health.v1.Health/Check', Buffer.alloc(0));
  });
});

describe('the names of a certificate', () => {
  it('are read back as they were put in, whatever they hold, or not at all', () => {
    const text = fc.string({
      unit: fc.constantFrom('a', 'B', '.', ',', ' ', ':', '"', '\\', '/', 'DNS:', 'URI:', '\n', '\0', 'é'),
    });
    fc.assert(
      fc.property(fc.array(text, { maxLength: 3 }), fc.array(text, { maxLength: 3 }), (dnsNames, uris) => {
        const certificate = createCertificate({ dnsNames: dnsNames.map(ascii), uris: uris.map(ascii) });
        const { names } = describeClientCertificate(new X509Certificate(certificate.cert));
        const expected = [
          ...dnsNames.map((name) => `dns:${ascii(name).toLowerCase()}`),
          ...uris.map((uri) => `uri:${ascii(uri)}`),
        ];
        assert.ok(
          names.every((name) => expected.includes(name)),
          `${JSON.stringify(names)} of ${JSON.stringify(expected)}`,
        );
        const plain = [...dnsNames, ...uris].every((name) => /^[aB./:]*$/.test(name));
        if (plain) assert.deepEqual(names, expected);
      }),
      { numRuns: 200 },
    );
  });

  it('are none when the text has another shape', () => {
    assert.deepEqual(alternativeNames('DNS:a, URI:b'), ['dns:a', 'uri:b']);
    assert.deepEqual(alternativeNames('IP Address:10.0.0.1, DNS:a'), ['dns:a']);
    for (const text of ['DNS', 'DNS:a;URI:b"', 'DNS:"a', 'DNS:a,URI:b', ', DNS:a'])
      assert.deepEqual(alternativeNames(text), []);
  });
});

describe('a second connection from the same address and port, to another address of the server', () => {
  it('is refused, because calls could not tell the two apart', async () => {
    const everywhere = await serveTls({ mutual: true, host: '0.0.0.0' });
    try {
      const certificate = createCertificate({ issuer: everywhere.files.clientCa, commonName: 'client' });
      const tls = { ca: everywhere.files.ca.cert, ...certificate, servername: 'localhost', ALPNProtocols: ['h2'] };
      const open = (host: string, localPort?: number) =>
        new Promise<ReturnType<typeof connectTls>>((resolve, reject) => {
          const where = { host, port: everywhere.port, localAddress: '127.0.0.1' };
          const socket = connectTls({ ...tls, ...where, ...(localPort === undefined ? {} : { localPort }) });
          socket.once('error', reject);
          socket.once('close', () => reject(new Error('closed')));
          socket.once('secureConnect', () => resolve(socket));
        });
      const first = await open('127.0.0.1');
      const { localPort } = first;
      assert.ok(localPort);
      await assert.rejects(open('127.0.0.2', localPort));
      assert.equal(await metric(everywhere.registry, 'digger_grpc_connections_refused_total'), 1);
      assert.equal(first.destroyed, false);
      assert.ok(everywhere.server.certificateOf(`127.0.0.1:${localPort}`));
      first.destroy();
    } finally {
      await everywhere.stop();
    }
  });
});

/** What an IA5String holds of it. */
function ascii(text: string): string {
  return text.replaceAll('é', 'e');
}

function issue(options: CertificateOptions): Certificate {
  return createCertificate({ issuer: serving.files.clientCa, commonName: 'client', ...options });
}

async function codeOf(client: TestClient, method = 'ResolveAddress'): Promise<string | undefined> {
  const request = method === 'ResolveAddress' ? { address: '10.0.0.1' } : {};
  try {
    await client.call(method, request, { deadline: Date.now() + 5_000 });
    return 'OK';
  } catch (error) {
    return toFailure(error).code;
  }
}
