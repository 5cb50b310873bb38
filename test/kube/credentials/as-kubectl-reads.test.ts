// Kubeconfigs that people really have, and kubectl's word on each: what it takes is taken, what it refuses is refused
// with the name of the field. Each was tried with kubectl 1.32.

import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { systemClock } from '../../../src/kube/clock.ts';
import { createCredentials, NoClusterError } from '../../../src/kube/credentials/credentials.ts';
import { dial } from '../../../src/kube/transport/dial.ts';

const never = new AbortController().signal;

interface Parts {
  readonly user?: object;
  readonly cluster?: object;
  readonly more?: object;
}

function config({ user = { token: 't' }, cluster = {}, more = {} }: Parts = {}): object {
  return {
    clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:6443', ...cluster } }],
    users: [{ name: 'u', user }],
    contexts: [{ name: 'here', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'here',
    ...more,
  };
}

function arrange(context: TestContext) {
  const directory = mkdtempSync(join(tmpdir(), 'digger-kubeconfig-'));
  context.after(() => rmSync(directory, { recursive: true, force: true }));
  const path = join(directory, 'config');
  const open = (content: object | string | Buffer) => {
    writeFileSync(path, typeof content === 'string' || Buffer.isBuffer(content) ? content : JSON.stringify(content));
    return createCredentials({ kubeconfig: path, clock: systemClock });
  };
  const token = async (content: object | string | Buffer) =>
    (await open(content).current(never)).headers['authorization'];
  return { directory, open, token };
}

const YAML = `
current-context: here
clusters:
- name: other
  cluster: &shared {server: https://127.0.0.1:6443, certificate-authority-data: Y2E=}
- name: c
  cluster:
    <<: *shared
    tls-server-name: kubernetes
users:
- name: u
  user: {token: first, token: t}
contexts:
- {name: here, context: {cluster: c, user: u}}
`;

test('a kubeconfig may be UTF-8 or UTF-16 with a byte order mark, have CRLF, and more than one document', async (context) => {
  const { token } = arrange(context);
  const utf16 = Buffer.from(`\uFEFF${YAML}`, 'utf16le');
  for (const content of [
    `\uFEFF${YAML}`,
    YAML.replaceAll('\n', '\r\n'),
    utf16,
    Buffer.from(utf16).swap16(),
    `${YAML}---\n`,
    `---\n${YAML}---\nkind: Config\n`,
    `\uFEFF${JSON.stringify(config(), null, '\t')}`,
  ]) {
    assert.equal(await token(content), 'Bearer t');
  }
});

test('anchors and merge keys of YAML are followed, and of a key that stands twice the last one counts', async (context) => {
  const { open } = arrange(context);
  const credentials = open(YAML);
  assert.equal(credentials.server, 'https://127.0.0.1:6443');
  const { tls, headers } = await credentials.current(never);
  assert.deepEqual([String(tls.ca), tls.serverName, headers['authorization']], ['ca', 'kubernetes', 'Bearer t']);
});

test('a name that stands twice in one file is refused where it is used, and harms nothing elsewhere', async (context) => {
  const { open, token } = arrange(context);
  const twice = { name: 'u', user: { token: 's3cret' } };
  assert.throws(() => open(config({ more: { users: [twice, twice] } })), /user u is in .* more than once/);
  const other = { name: 'other', user: { token: 's3cret' } };
  const users = [other, other, { name: 'u', user: { token: 't' } }];
  assert.equal(await token(config({ more: { users } })), 'Bearer t');
});

test('what says two things at once is refused, with the field that must not be there', (context) => {
  const { open } = arrange(context);
  const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: 'x' };
  const cases: readonly (readonly [Parts, RegExp])[] = [
    [{ user: { token: 't', username: 'joe', password: 's3cret' } }, /user u: username must be unset where/],
    [{ user: { tokenFile: 't', username: 'joe' } }, /user u: username must be unset where/],
    [{ user: { exec, 'auth-provider': { name: 'oidc' } } }, /user u: auth-provider must be unset where/],
    [{ user: { 'client-certificate-data': 'eA==' } }, /user u: client-key must be set where/],
    [
      { cluster: { 'insecure-skip-tls-verify': true, 'certificate-authority-data': 'eA==' } },
      /cluster c: insecure-skip-tls-verify must be false or unset where/,
    ],
  ];
  for (const [parts, problem] of cases) {
    assert.throws(
      () => open(config(parts)),
      (error) => error instanceof NoClusterError && problem.test(error.message) && !/s3cret/.test(error.message),
    );
  }
});

test('what a kubeconfig lacks is named: the server, the current context, base64', (context) => {
  const { open } = arrange(context);
  const pem = '-----BEGIN CERTIFICATE-----\nczNjcmV0\n-----END CERTIFICATE-----\n';
  const cases: readonly (readonly [Parts, RegExp])[] = [
    [{ cluster: { server: '' } }, /cluster c: server must be set/],
    [{ more: { 'current-context': 'gone' } }, /the current context gone is not in the kubeconfig \(it has: here\)/],
    [{ more: { 'current-context': '' } }, /has no current context \(it has: here\)/],
    [{ more: { 'current-context': 7 } }, /current-context must be text/],
    [{ cluster: { 'certificate-authority-data': pem } }, /cluster c: certificate-authority-data must be base64/],
    [{ user: { 'client-key-data': '%s3cret' } }, /user u: client-key-data must be base64/],
  ];
  for (const [parts, problem] of cases) {
    assert.throws(
      () => open(config(parts)),
      (error) => error instanceof NoClusterError && problem.test(error.message) && !/s3cret|czNj/.test(error.message),
    );
  }
});

test('base64 may be broken into lines', async (context) => {
  const { open } = arrange(context);
  const data = Buffer.from('c'.repeat(90))
    .toString('base64')
    .replaceAll(/(.{64})/g, '$1\r\n');
  const { tls } = await open(config({ cluster: { 'certificate-authority-data': data } })).current(never);
  assert.equal(String(tls.ca), 'c'.repeat(90));
});

test('certificates and keys that are none are named before a connection is made', async () => {
  const certificate = Buffer.from('-----BEGIN CERTIFICATE-----\n');
  const material = { ca: undefined, cert: undefined, key: undefined, serverName: undefined, rejectUnauthorized: true };
  for (const [tls, problem] of [
    [{ ...material, ca: Buffer.from('hello') }, /certificate-authority of the kubeconfig holds no certificate/],
    [{ ...material, cert: Buffer.from('hello') }, /client-certificate of the kubeconfig holds no certificate/],
    [{ ...material, cert: certificate, key: certificate }, /client-key of the kubeconfig holds no private key/],
    [
      { ...material, cert: certificate, key: Buffer.from('-----BEGIN ENCRYPTED PRIVATE KEY-----\n') },
      /client-key of the kubeconfig is encrypted/,
    ],
  ] as const) {
    const options = { server: new URL('https://127.0.0.1:1'), tls, proxy: undefined };
    await assert.rejects(dial({ ...options, timeoutMs: 1_000, keepAliveDelayMs: 1_000 }), problem);
  }
});

// https://github.com/kubernetes/kubernetes/issues/133543
test('the token beside a token file counts while the file has none, and that is told', async (context) => {
  const { directory, open, token } = arrange(context);
  const both = config({ user: { token: 'beside', tokenFile: 'token' } });
  const credentials = open(both);
  assert.equal((await credentials.current(never)).headers['authorization'], 'Bearer beside');
  assert.match(credentials.trouble, /no token in .*; the token of the kubeconfig is used/);
  writeFileSync(join(directory, 'token'), '');
  assert.equal(await token(both), 'Bearer beside');
  writeFileSync(join(directory, 'token'), 'of-file');
  assert.equal((await credentials.current(never)).headers['authorization'], 'Bearer of-file');
  assert.equal(credentials.trouble, '');
  await assert.rejects(token(config({ user: { tokenFile: 'none' } })), /no token in .*none/);
});

// client-go, tools/clientcmd/client_config.go: "only try to read the auth information if we are secure".
test('no credential is shown to a server that is reached in the clear, unless it is on this machine', async (context) => {
  const { open, token } = arrange(context);
  const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: '/none' };
  const cluster = { server: 'http://api.example:8080' };
  for (const user of [{ token: 's3cret' }, { tokenFile: 'none' }, { exec }, { username: 'a', password: 's3cret' }]) {
    const credentials = open(config({ user: { ...user, as: 'robot' }, cluster }));
    assert.deepEqual((await credentials.current(never)).headers, { 'impersonate-user': 'robot' });
    assert.match(credentials.trouble, /the server is http:\/\/, so no credentials of user u are shown/);
    assert.doesNotMatch(credentials.trouble, /s3cret/);
  }
  for (const server of ['http://127.0.0.1:8001', 'http://localhost:8001', 'http://[::1]:8001', 'https://api.example']) {
    assert.equal(await token(config({ cluster: { server } })), 'Bearer t');
  }
  assert.equal(open(config({ user: {}, cluster })).trouble, '');
});

test('what an exec plugin prints may be YAML, and may begin with a byte order mark', async (context) => {
  const { directory, token } = arrange(context);
  const plugin = join(directory, 'plugin.sh');
  const apiVersion = 'client.authentication.k8s.io/v1';
  const json = JSON.stringify({ apiVersion, kind: 'ExecCredential', status: { token: 'good' } });
  const yaml = `apiVersion: ${apiVersion}\nkind: ExecCredential\nstatus:\n  token: good`;
  for (const printed of [yaml, `\uFEFF${json}`]) {
    writeFileSync(plugin, `#!/bin/sh\ncat <<'END'\n${printed}\nEND\n`);
    chmodSync(plugin, 0o755);
    const exec = { apiVersion, command: './plugin.sh', interactiveMode: 'Never' };
    assert.equal(await token(config({ user: { exec } })), 'Bearer good');
  }
});
