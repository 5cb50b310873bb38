// The commands for people against a service with TLS and authentication: who may ask, gets an answer; files that are no
// good are named; a token leaves the machine over TLS only.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, before, describe, it } from 'node:test';

import { ask } from '../../src/cli/ask/ask.ts';
import { parseCommandLine } from '../../src/cli/line/command-line.ts';
import type { CallError } from '../../src/rpc/errors/call-error.ts';
import { permissionDenied, unauthenticated } from '../../src/rpc/errors/outcomes.ts';
import { createCertificate } from '../simulator/server/certificate.ts';
import { done, eventually, notYet } from '../observers/eventually.ts';
import { serve } from '../rpc/serving.ts';
import { serveTls, type TlsServing } from '../rpc/tls/tls-serving.ts';

const TOKEN = 'head.claims.signature';
let serving: TlsServing;
let path: (name: string) => string;

before(async () => {
  serving = await serveTls({
    mutual: true,
    authenticate: () => (call) => {
      const [given] = call.metadata.get('authorization');
      if (given === undefined) return unauthenticated('no token');
      return given === `Bearer ${TOKEN}` ? undefined : permissionDenied('not you', call.method);
    },
  });
  path = (name) => join(serving.files.directory, name);
  const client = createCertificate({ issuer: serving.files.clientCa, commonName: 'client' });
  writeFileSync(path('server-ca.crt'), serving.files.ca.cert);
  writeFileSync(path('client.crt'), client.cert);
  writeFileSync(path('client.key'), client.key);
  writeFileSync(path('token'), `${TOKEN}\n`);
  writeFileSync(path('other-token'), 'other');
  writeFileSync(path('no-token'), 'two words');
});
after(() => serving.stop());

describe('digger resolve', () => {
  it('asks over TLS with certificate and token', async () => {
    const { code, stdout, stderr } = await run(...tls(), `--token-file=${path('token')}`);
    assert.equal(stderr, '');
    assert.match(stdout, /OUTCOME_UNASSIGNED/);
    assert.equal(code, 1);
  });

  it('tells when it is not known, or not allowed', async () => {
    assert.deepEqual(pick(await run(...tls())), [4, 'UNAUTHENTICATED']);
    assert.deepEqual(pick(await run(...tls(), `--token-file=${path('other-token')}`)), [4, 'PERMISSION_DENIED']);
    const { code } = await run(`--tls-ca=${path('server-ca.crt')}`, '--timeout=500ms');
    assert.equal(code, 3, 'without a certificate it does not get in');
  });

  it('holds a service to the name that it is told instead of that of the address, as a port-forward has no other', async (t) => {
    const forwarded = await serveTls();
    t.after(() => forwarded.stop());
    const at = [`--address=${forwarded.target}`, `--tls-ca=${path('forwarded-ca.crt')}`];
    writeFileSync(path('forwarded-ca.crt'), forwarded.files.ca.cert);
    const other = await run(...at, '--tls-server-name=digger.digger.svc');
    assert.equal(other.code, 3, other.stdout);
    assert.match(other.stderr, /its certificate is for another name; .*--tls-server-name/);
    const names = { dnsNames: ['digger.digger.svc'], addresses: [] };
    forwarded.files.write(createCertificate({ issuer: forwarded.files.ca, commonName: 'server', ...names }));
    await eventually('the new certificate is served', async () => {
      const { code, stderr } = await run(...at, '--tls-server-name=digger.digger.svc');
      return code === 1 ? done(undefined) : notYet(stderr);
    });
    assert.equal((await run(...at)).code, 3, 'the address is no name of it');
  });

  it('names the file that is no good, and not what is in it', async () => {
    for (const [args, expected] of [
      [[...tls(), `--token-file=${path('missing')}`], /cannot read .*missing: ENOENT/],
      [[...tls(), `--token-file=${path('no-token')}`], /no-token holds no bearer token/],
      [[`--tls-ca=${path('missing')}`], /cannot read .*missing: ENOENT/],
      [[`--tls-cert=${path('client.crt')}`, `--tls-key=${path('token')}`], /do not match/],
    ] as const) {
      const { code, stderr } = await run(...args);
      assert.equal(code, 2, stderr);
      assert.match(stderr, expected);
      assert.ok(!stderr.includes('two words') && !stderr.includes('claims'), stderr);
    }
  });
});

describe('a proxy that the environment names', () => {
  it('13.8 never sees a call in plaintext, and of one over TLS where it goes, not the token', async (t) => {
    const proxy = await startProxy();
    t.after(() => proxy.close());
    const plain = await serve({ authenticate: ({ metadata }) => expectToken(metadata.get('authorization')[0]) });
    t.after(() => plain.stop());
    const before = { ...process.env };
    t.after(() => {
      process.env = before;
    });
    for (const name of ['no_proxy', 'NO_PROXY', 'no_grpc_proxy']) delete process.env[name];
    for (const name of ['http_proxy', 'https_proxy', 'grpc_proxy']) process.env[name] = proxy.url;

    const token = `--token-file=${path('token')}`;
    const inPlaintext = await run(`--address=${plain.target}`, token);
    assert.deepEqual([inPlaintext.code, inPlaintext.stderr], [1, '']);
    assert.equal(proxy.received.length, 0);

    const overTls = await run(...tls(), token);
    assert.deepEqual([overTls.code, overTls.stderr], [1, '']);
    const [text = ''] = proxy.received;
    assert.match(text, new RegExp(`^CONNECT ${serving.target} HTTP/1.1\r\n`));
    assert.ok(!proxy.received.some((each) => each.includes(TOKEN)), 'the proxy saw the token');
  });
});

describe('the command line', () => {
  it('refuses half a pair, and a token in plaintext to another machine', () => {
    const problems = (...args: string[]): readonly string[] => {
      const line = parseCommandLine(['resolve', '10.0.0.1', ...args], '1.2.3', 0);
      return line?.action === 'refuse' ? line.problems : [];
    };
    assert.match(problems('--tls-cert=a').join(), /^--tls-cert, --tls-key: one without the other/);
    assert.match(
      problems('--token-file=a', '--address=digger.example:50051').join(),
      /^--token-file: allowed only with/,
    );
    for (const address of ['127.0.0.1:1', 'localhost:1', '[::1]:1']) {
      assert.deepEqual(problems('--token-file=a', `--address=${address}`), []);
    }
    assert.deepEqual(problems('--token-file=a', '--tls', '--address=digger.example:50051'), []);
  });
});

function expectToken(given: unknown): CallError | undefined {
  return given === `Bearer ${TOKEN}` ? undefined : unauthenticated('no token');
}

/** A proxy for CONNECT that keeps what clients send. */
async function startProxy(): Promise<{ url: string; received: string[]; close(): void }> {
  const received: string[] = [];
  const server = createServer((client) => {
    client.on('error', () => client.destroy());
    client.once('data', (head) => {
      received.push(head.toString('latin1'));
      const [, port = ''] = /^CONNECT [^:]+:(\d+)/.exec(head.toString('latin1')) ?? [];
      const target = connect(Number(port), '127.0.0.1', () => {
        client.write('HTTP/1.1 200 OK\r\n\r\n');
        client.on('data', (chunk) => received.push(chunk.toString('latin1')));
        client.pipe(target).pipe(client);
      });
      target.on('error', () => client.destroy());
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    close: () => void server.close(),
  };
}

function tls(): readonly string[] {
  const [cert, key] = [path('client.crt'), path('client.key')];
  return [`--tls-ca=${path('server-ca.crt')}`, `--tls-cert=${cert}`, `--tls-key=${key}`];
}

async function run(...args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const line = parseCommandLine(
    ['resolve', '10.0.0.1', `--address=${serving.target}`, '--timeout=5s', ...args],
    '1.2.3',
    0,
  );
  assert.ok(line?.action === 'ask', JSON.stringify(line));
  const [stdout, stderr] = [{ text: '' }, { text: '' }];
  const writer = (into: { text: string }) => ({
    write(text: string) {
      into.text += text;
      return true;
    },
  });
  const code = await ask(line.order, { stdin: Readable.from([]), stdout: writer(stdout), stderr: writer(stderr) });
  return { code, stdout: stdout.text, stderr: stderr.text };
}

function pick({ code, stderr }: { code: number; stderr: string }): readonly [number, string | undefined] {
  return [code, /answered ([A-Z_]+)/.exec(stderr)?.[1]];
}
