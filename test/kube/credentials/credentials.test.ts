// Kubeconfigs as they come, and what is made of them.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Clock, systemClock } from '../../../src/kube/clock.ts';
import { createCredentials, NoClusterError } from '../../../src/kube/credentials/credentials.ts';

const never = new AbortController().signal;

function folder(context: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'digger-credentials-'));
  context.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

function kubeconfig(directory: string, user: object, cluster: object = {}): string {
  const path = join(directory, 'config');
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:6443/', ...cluster } }],
    users: [{ name: 'u', user }],
    contexts: [{ name: 'here', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'here',
  };
  writeFileSync(path, JSON.stringify(config));
  return path;
}

test('a token travels as a bearer token, trimmed, and the CA comes along', async (context) => {
  const ca = Buffer.from('not really a certificate');
  const cluster = { 'certificate-authority-data': ca.toString('base64') };
  const path = kubeconfig(folder(context), { token: 'secret\n' }, cluster);
  const credentials = createCredentials({ kubeconfig: path, clock: systemClock });
  assert.equal(credentials.server, 'https://127.0.0.1:6443');
  const { headers, tls } = await credentials.current(never);
  assert.equal(headers['authorization'], 'Bearer secret');
  assert.deepEqual(tls.ca, ca);
  assert.equal(tls.rejectUnauthorized, true);
});

test('a token file is read relative to the kubeconfig, and again after a refusal', async (context) => {
  const directory = folder(context);
  writeFileSync(join(directory, 'token'), 'first\n');
  const credentials = createCredentials({
    kubeconfig: kubeconfig(directory, { tokenFile: 'token' }),
    clock: systemClock,
  });
  assert.equal((await credentials.current(never)).headers['authorization'], 'Bearer first');
  writeFileSync(join(directory, 'token'), 'second\n');
  assert.equal((await credentials.current(never)).headers['authorization'], 'Bearer first');
  credentials.refused(await credentials.current(never));
  assert.equal((await credentials.current(never)).headers['authorization'], 'Bearer second');
});

test('an exec plugin runs once for many requests, and again after a refusal', async (context) => {
  const directory = folder(context);
  const runs = join(directory, 'runs');
  const script = `echo run >> ${runs}; echo '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{"token":"from-plugin"}}'`;
  const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: 'sh', args: ['-c', script] };
  const runCount = () => readFileSync(runs, 'utf8').trim().split('\n').length;
  const credentials = createCredentials({ kubeconfig: kubeconfig(directory, { exec }), clock: systemClock });
  const all = await Promise.all([credentials.current(never), credentials.current(never), credentials.current(never)]);
  for (const { headers } of all) assert.equal(headers['authorization'], 'Bearer from-plugin');
  await credentials.current(never);
  assert.equal(runCount(), 1);
  credentials.refused(await credentials.current(never));
  await credentials.current(never);
  assert.equal(runCount(), 2);
});

test('a rewritten kubeconfig is read again, and the old one is kept while the new is half written', async (context) => {
  const directory = folder(context);
  const authority = (text: string) => ({ 'certificate-authority-data': Buffer.from(text).toString('base64') });
  const path = kubeconfig(directory, { token: 'first' }, authority('old'));
  let nowMs = 0;
  const clock: Clock = { ...systemClock, now: () => nowMs };
  const credentials = createCredentials({ kubeconfig: path, clock });
  const seen = async () => {
    // Requests come all the time; the look at the file must not be put off by them.
    for (let passed = 0; passed < 6_000; passed += 500) {
      nowMs += 500;
      await credentials.current(never);
    }
    const { headers, tls } = await credentials.current(never);
    return `${headers['authorization']} ${tls.ca}`;
  };
  assert.equal(await seen(), 'Bearer first old');
  kubeconfig(directory, { token: 'second' }, authority('new'));
  assert.equal(await seen(), 'Bearer second new');
  writeFileSync(path, '{"clusters": [{"na');
  assert.equal(await seen(), 'Bearer second new');
  rmSync(path);
  assert.equal(await seen(), 'Bearer second new');
  kubeconfig(directory, { token: 'third' }, authority('newest'));
  assert.equal(await seen(), 'Bearer third newest');
});

test('the file of a CA is read again by itself', async (context) => {
  const directory = folder(context);
  writeFileSync(join(directory, 'ca.crt'), 'old');
  const path = kubeconfig(directory, { token: 'secret' }, { 'certificate-authority': join(directory, 'ca.crt') });
  const credentials = createCredentials({ kubeconfig: path, clock: systemClock });
  assert.equal((await credentials.current(never)).tls.ca?.toString(), 'old');
  writeFileSync(join(directory, 'ca.crt'), 'new');
  assert.equal((await credentials.current(never)).tls.ca?.toString(), 'new');
});

test('client certificates and plain http need no token', async (context) => {
  const user = {
    'client-certificate-data': Buffer.from('cert').toString('base64'),
    'client-key-data': Buffer.from('key').toString('base64'),
  };
  const path = kubeconfig(folder(context), user, { server: 'http://127.0.0.1:8001' });
  const { headers, tls } = await createCredentials({ kubeconfig: path, clock: systemClock }).current(never);
  assert.deepEqual(headers, {});
  assert.deepEqual([tls.cert?.toString(), tls.key?.toString()], ['cert', 'key']);
});

test('without a cluster the error says what to do', (context) => {
  const path = kubeconfig(folder(context), {});
  const missing = () => createCredentials({ kubeconfig: join(folder(context), 'none'), clock: systemClock });
  assert.throws(missing, (error) => error instanceof NoClusterError && /digger demo/.test(error.message));
  const wrong = () => createCredentials({ kubeconfig: path, context: 'there', clock: systemClock });
  assert.throws(wrong, (error) => error instanceof NoClusterError && /no context there.*here/.test(error.message));
});
