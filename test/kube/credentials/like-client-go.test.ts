// Kubeconfigs as client-go takes them, where client-node differs, and messages that tell nothing of what is in them.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { pino } from 'pino';
import { type Clock, systemClock } from '../../../src/kube/clock.ts';
import { createCredentials, NoClusterError } from '../../../src/kube/credentials/credentials.ts';
import { proxyFromEnvironment } from '../../../src/kube/credentials/environment-proxy.ts';

const never = new AbortController().signal;

interface Config {
  readonly clusters?: unknown;
  readonly users?: unknown;
  readonly contexts?: unknown;
  readonly 'current-context'?: unknown;
}

/** One cluster and one user, with fields of a test. */
function config(user: object, cluster: object = {}): Config {
  return {
    clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:6443', ...cluster } }],
    users: [{ name: 'u', user }],
    contexts: [{ name: 'here', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'here',
  };
}

function arrange(context: TestContext) {
  const directory = mkdtempSync(join(tmpdir(), 'digger-kubeconfig-'));
  context.after(() => rmSync(directory, { recursive: true, force: true }));
  const path = join(directory, 'config');
  let nowMs = 0;
  const clock: Clock = { ...systemClock, now: () => nowMs };
  const write = (what: Config | string, file = path) => {
    writeFileSync(file, typeof what === 'string' ? what : JSON.stringify(what));
    // So that the next request looks at the files.
    nowMs += 10_000;
    return file;
  };
  const open = (options: { readonly context?: string } = {}) =>
    createCredentials({ kubeconfig: path, clock, ...options });
  return { directory, path, write, open, clock };
}

function withEnvironment(context: TestContext, variables: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(variables)) {
    const before = process.env[name];
    process.env[name] = value;
    context.after(() => {
      if (before === undefined) delete process.env[name];
      else process.env[name] = before;
    });
  }
}

test('12.10 missing and empty files in KUBECONFIG are skipped, wherever they stand', (context) => {
  const { directory, write, clock } = arrange(context);
  const good = write(config({}));
  const empty = write('', join(directory, 'empty'));
  const unset = write({ clusters: null, users: [], contexts: [], 'current-context': '' }, join(directory, 'unset'));
  const comment = write('# later\n', join(directory, 'comment'));
  const none = join(directory, 'none');
  for (const list of [
    [none, good],
    [good, none],
    [empty, good],
    [comment, good],
    [unset, good],
    ['', good, ''],
  ]) {
    withEnvironment(context, { KUBECONFIG: list.join(delimiter) });
    assert.equal(createCredentials({ clock }).server, 'https://127.0.0.1:6443');
  }
  withEnvironment(context, { KUBECONFIG: [none, empty].join(delimiter) });
  assert.throws(
    () => createCredentials({ clock }),
    (error) => error instanceof NoClusterError && /looked at .*none/.test(error.message),
  );
  assert.throws(() => createCredentials({ clock, kubeconfig: none }), /cannot read .*none/);
  assert.throws(() => createCredentials({ clock, kubeconfig: empty }), /there is nothing in .*empty/);
});

test('12.10 broken entries that the chosen context does not use harm nothing, used ones are named', (context) => {
  const { write, open } = arrange(context);
  const good = config({ token: 't' });
  const broken = [{ name: 'x' }, { name: 'y', user: 7, cluster: 7, context: 7 }, null, 7, { user: {} }];
  const lists = { clusters: broken, users: broken, contexts: broken } as const;
  for (const key of ['clusters', 'users', 'contexts'] as const) {
    write({ ...good, [key]: [...lists[key], ...(good[key] as unknown[])] });
    assert.equal(open().server, 'https://127.0.0.1:6443');
  }
  write({ ...good, users: [{ name: 'u', user: 7 }] });
  assert.throws(() => open(), /user u is not a map of fields/);
  write(config({ token: 7 }));
  assert.throws(() => open(), /user u: token must be text/);
  write({ ...good, users: [] });
  assert.throws(() => open(), /no user u, which context here names/);
});

test('12.10 data comes before the file of the same thing', async (context) => {
  const { write, open } = arrange(context);
  const data = (text: string) => Buffer.from(text).toString('base64');
  const user = {
    'client-certificate': '/none',
    'client-certificate-data': data('cert'),
    'client-key': '/none',
    'client-key-data': data('key'),
  };
  write(config(user, { 'certificate-authority': '/none', 'certificate-authority-data': data('ca') }));
  const { tls } = await open().current(never);
  assert.deepEqual([tls.ca, tls.cert, tls.key].map(String), ['ca', 'cert', 'key']);
});

test('12.10 a rewrite from a token file to a token and back is followed', async (context) => {
  const { directory, write, open } = arrange(context);
  writeFileSync(join(directory, 'token'), 'from-file');
  write(config({ tokenFile: 'token' }));
  const credentials = open();
  const token = async () => (await credentials.current(never)).headers['authorization'];
  assert.equal(await token(), 'Bearer from-file');
  write(config({ token: 'from-config' }));
  assert.equal(await token(), 'Bearer from-config');
  write(config({ tokenFile: 'token' }));
  assert.equal(await token(), 'Bearer from-file');
});

test('12.10 all of an impersonation is sent, or the kubeconfig is refused', async (context) => {
  const { write, open } = arrange(context);
  const extra = { 'Scopes/a b': ['x', 'y'], 'example.com%': ['z'], 'Example.com%': ['w'] };
  const as = { token: 't', as: 'robot', 'as-uid': '7', 'as-groups': ['one', 'two'], 'as-user-extra': extra };
  write(config(as));
  assert.deepEqual((await open().current(never)).headers, {
    authorization: 'Bearer t',
    'impersonate-user': 'robot',
    'impersonate-uid': '7',
    'impersonate-group': ['one', 'two'],
    'impersonate-extra-scopes%2Fa%20b': ['x', 'y'],
    'impersonate-extra-example.com%25': ['z', 'w'],
  });
  for (const lonely of [{ 'as-groups': ['g'] }, { 'as-uid': '1' }, { 'as-user-extra': { a: ['b'] } }]) {
    write(config(lonely));
    assert.throws(() => open(), /user u: as must be set when/);
  }
  for (const user of [{ as: 'a\nb' }, { as: 'a', 'as-groups': 'g' }, { as: 'a', 'as-user-extra': { a: 'b' } }]) {
    write(config(user));
    assert.throws(() => open(), /user u: as/);
  }
});

test('12.10 a server without a scheme is https where anything about TLS is configured, else http', (context) => {
  const { write, open } = arrange(context);
  const ca = { 'certificate-authority-data': 'Y2E=' };
  for (const [server, more, expected] of [
    ['127.0.0.1:8001', {}, 'http://127.0.0.1:8001'],
    ['localhost:8001', {}, 'http://localhost:8001'],
    ['api.example/k8s/', {}, 'http://api.example/k8s'],
    ['[::1]:6443', ca, 'https://[::1]:6443'],
    ['api.example', { 'insecure-skip-tls-verify': true }, 'https://api.example'],
    ['HTTPS://api.example/', {}, 'HTTPS://api.example'],
  ] as const) {
    write(config({}, { server, ...more }));
    assert.equal(open().server, expected);
  }
  for (const server of ['http://', 'ftp://x', 'a b', 'host:99999']) {
    write(config({}, { server }));
    assert.throws(
      () => open(),
      (error) => error instanceof NoClusterError && /cluster c: server is not a URL/.test(error.message),
    );
  }
});

test('12.10 the proxy is that of the kubeconfig, else that of the environment', (context) => {
  const { write, open } = arrange(context);
  withEnvironment(context, { HTTPS_PROXY: 'http://proxy:3128', NO_PROXY: '' });
  write(config({}, { server: 'https://10.0.0.1' }));
  assert.equal(open().proxyUrl, 'http://proxy:3128');
  write(config({}, { server: 'https://10.0.0.1', 'proxy-url': 'socks5h://other:1080' }));
  assert.equal(open().proxyUrl, 'socks5h://other:1080');
  write(config({}, { server: 'https://10.0.0.1', 'proxy-url': 'gopher://s3cret@other' }));
  assert.throws(
    () => open(),
    (error) => /cluster c: proxy-url must be/.test(String(error)) && !/s3cret/.test(String(error)),
  );
});

test('12.10 HTTPS_PROXY, HTTP_PROXY and NO_PROXY mean what they mean to Go', () => {
  const P = { HTTPS_PROXY: 'secure:1', HTTP_PROXY: 'http://plain:2' };
  const cases: readonly (readonly [string, Readonly<Record<string, string>>, string | undefined])[] = [
    ['https://a.example', P, 'http://secure:1'],
    ['http://a.example', P, 'http://plain:2'],
    ['https://a.example', { https_proxy: 'socks5h://x:1080' }, 'socks5h://x:1080'],
    ['https://a.example', { HTTP_PROXY: 'plain:2' }, undefined],
    ['https://localhost:6443', P, undefined],
    ['https://127.3.2.1', P, undefined],
    ['https://[::1]:6443', P, undefined],
    ['https://a.example', { ...P, NO_PROXY: '*' }, undefined],
    ['https://a.example', { ...P, NO_PROXY: 'b.example, example' }, undefined],
    ['https://a.example', { ...P, NO_PROXY: 'a.example' }, undefined],
    ['https://example', { ...P, NO_PROXY: '.example' }, 'http://secure:1'],
    ['https://a.example', { ...P, NO_PROXY: '*.example' }, undefined],
    ['https://ba.example', { ...P, NO_PROXY: 'a.example' }, 'http://secure:1'],
    ['https://a.example:6443', { ...P, no_proxy: 'a.example:6443' }, undefined],
    ['https://a.example', { ...P, NO_PROXY: 'a.example:6443' }, 'http://secure:1'],
    ['https://a.example', { ...P, NO_PROXY: 'a.example:443' }, undefined],
    ['https://10.1.2.3', { ...P, NO_PROXY: '10.0.0.0/8' }, undefined],
    ['https://11.1.2.3', { ...P, NO_PROXY: '10.0.0.0/8' }, 'http://secure:1'],
    ['https://10.1.2.3', { ...P, NO_PROXY: '10.1.2.3' }, undefined],
    ['https://[fd00::1]', { ...P, NO_PROXY: 'fd00::/8' }, undefined],
    ['https://[fd00::1]', { ...P, NO_PROXY: 'fd00:0::1' }, undefined],
    ['https://a.example', { ...P, NO_PROXY: '10.0.0.0/99,,/8,:1' }, 'http://secure:1'],
  ];
  for (const [server, env, expected] of cases) {
    assert.equal(proxyFromEnvironment(new URL(server), env), expected, `${server} ${JSON.stringify(env)}`);
  }
  assert.throws(
    () => proxyFromEnvironment(new URL('https://a'), { HTTPS_PROXY: 'ftp://s3cret@x' }),
    /^Error: HTTPS_PROXY must be/,
  );
});

test('12.3 a kubeconfig that leads elsewhere keeps the old identity and says so; another current context changes nothing', async (context) => {
  const { path, write, clock } = arrange(context);
  const two = (server: string, current: string, token = 'ours'): Config => ({
    clusters: [
      { name: 'c', cluster: { server } },
      { name: 'd', cluster: { server: 'https://10.9.9.9:6443' } },
    ],
    users: [
      { name: 'u', user: { token } },
      { name: 'v', user: { token: 'theirs' } },
    ],
    contexts: [
      { name: 'here', context: { cluster: 'c', user: 'u' } },
      { name: 'there', context: { cluster: 'd', user: 'v' } },
    ],
    'current-context': current,
  });
  write(two('https://127.0.0.1:6443', 'here'));
  const said: string[] = [];
  const logger = { warn: (_fields: object, message: string) => said.push(message) };
  const credentials = createCredentials({ kubeconfig: path, clock, logger: logger as never });
  const token = async () => (await credentials.current(never)).headers['authorization'];
  assert.equal(await token(), 'Bearer ours');

  // kubectl config use-context there
  write(two('https://127.0.0.1:6443', 'there'));
  assert.equal(await token(), 'Bearer ours');
  credentials.refused(await credentials.current(never));
  assert.equal(await token(), 'Bearer ours');
  assert.deepEqual([credentials.trouble, said], ['', []]);

  write(two('https://127.0.0.1:7443', 'here', 'for-another-server'));
  assert.equal(await token(), 'Bearer ours');
  assert.match(credentials.trouble, /context here leads to another cluster.*127\.0\.0\.1:6443/);
  credentials.refused(await credentials.current(never));
  assert.equal(await token(), 'Bearer ours');
  assert.equal(said.length, 1, 'told once');

  write({ ...two('https://127.0.0.1:6443', 'here'), contexts: [] });
  assert.equal(await token(), 'Bearer ours');
  assert.match(credentials.trouble, /no context here/);

  write(two('https://127.0.0.1:6443', 'there', 'renewed'));
  assert.equal(await token(), 'Bearer renewed');
  assert.equal(credentials.trouble, '');
});

test('12.12 a refusal of what is not current any more discards nothing', async (context) => {
  const { write, open } = arrange(context);
  write(config({ token: 'one' }));
  const credentials = open();
  const old = await credentials.current(never);
  assert.equal(await credentials.current(never), old, 'the same object while nothing changes');
  write(config({ token: 'two' }));
  const current = await credentials.current(never);
  credentials.refused(old);
  assert.equal(await credentials.current(never), current);
});

test('a token file that cannot be used is told as long as its last token is shown, and no longer', async (context) => {
  const { directory, write, clock } = arrange(context);
  const file = join(directory, 'token');
  write('first', file);
  const path = write(config({ tokenFile: 'token' }));
  const said: unknown[] = [];
  const logger = pino({}, { write: (line: string) => said.push((JSON.parse(line) as { msg: string }).msg) });
  const credentials = createCredentials({ kubeconfig: path, clock, logger });
  const first = await credentials.current(never);
  assert.equal(credentials.trouble, '');
  // It is read again after a minute.
  for (let n = 0; n < 7; n += 1) write('', file);
  assert.equal(await credentials.current(never), first);
  assert.equal(credentials.trouble, `no token in ${file}, so the last one is used: it is empty`);
  assert.equal(await credentials.current(never), first);
  assert.deepEqual(said, [credentials.trouble], 'once');
  credentials.refused(first);
  await assert.rejects(credentials.current(never), /no token in .*: it is empty$/);
  assert.equal(credentials.trouble, '', 'no last one is used any more');
  write('second', file);
  assert.deepEqual((await credentials.current(never)).headers, { authorization: 'Bearer second' });
});

test('a token that no header can carry is named without a word of it', async (context) => {
  const { directory, write, open } = arrange(context);
  writeFileSync(join(directory, 'token'), 's3cret one\ns3cret two\n');
  for (const user of [{ token: 's3cret\nx' }, { tokenFile: 'token' }, { token: 's3cret €' }]) {
    write(config(user));
    await assert.rejects(open().current(never), (error) => {
      assert.match(String(error), /is not one line of visible ASCII/);
      assert.doesNotMatch(String(error), /s3cret/);
      return true;
    });
  }
});

test('no message quotes arguments or variables of a plugin that Node would refuse', (context) => {
  const { write, open } = arrange(context);
  const plugin = { apiVersion: 'client.authentication.k8s.io/v1', command: 'x' };
  for (const wrong of [
    { args: ['s3cret\0'] },
    { env: [{ name: 'A', value: 's3cret\0' }] },
    { env: [{ name: 's3cret=' }] },
  ]) {
    write(config({ exec: { ...plugin, ...wrong } }));
    assert.throws(
      () => open(),
      (error) => /user u: exec: (args|env) must/.test(String(error)) && !/s3cret/.test(String(error)),
    );
  }
});

test('no message quotes a kubeconfig that is not valid', (context) => {
  const { write, open } = arrange(context);
  for (const text of [
    'users:\n- name: u\n  user: {token: s3cret',
    'users: [\n  "s3cret": ]',
    '"s3cret"',
    'token: *s3cret',
    'a: !s3cret b',
    'a: 1\na: s3cret: x',
  ]) {
    write(text);
    assert.throws(
      () => open(),
      (error) => error instanceof NoClusterError && !/s3cret/.test(error.message),
      text,
    );
  }
});
