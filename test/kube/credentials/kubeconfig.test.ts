// Kubeconfigs of every kind, read by us and by @kubernetes/client-node: both have to show the same to the same server.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { KubeConfig } from '@kubernetes/client-node';
import { systemClock } from '../../../src/kube/clock.ts';
import { createCredentials } from '../../../src/kube/credentials/credentials.ts';
import { choose, podAccount } from '../../../src/kube/credentials/kubeconfig.ts';
import { readKubeconfigs } from '../../../src/kube/credentials/kubeconfig-files.ts';

const text = (value: string): string => Buffer.from(value).toString('base64');

/** A token that says of itself that it is good for another hour. */
function idToken(): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'none' })}.${part({ exp: Math.floor(Date.now() / 1000) + 3600 })}.x`;
}

function plugin(status: object): object {
  const credential = JSON.stringify({ apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status });
  const env = [{ name: 'ANSWER', value: credential }];
  return {
    exec: { apiVersion: 'client.authentication.k8s.io/v1', command: 'sh', args: ['-c', 'echo "$ANSWER"'], env },
  };
}

const OIDC = {
  name: 'oidc',
  config: { 'idp-issuer-url': 'https://127.0.0.1:1', 'client-id': 'x', 'id-token': idToken() },
};

const USERS: Readonly<Record<string, object>> = {
  'a token': { token: 'secret' },
  'a client certificate': { 'client-certificate-data': text('cert'), 'client-key-data': text('key') },
  'files of a client certificate': { 'client-certificate': 'client.crt', 'client-key': 'client.key' },
  'a name and a password': { username: 'alice', password: 'pass:word' },
  'an impersonated user': { token: 'secret', as: 'bob' },
  'a plugin with a token': plugin({ token: 'from-plugin' }),
  'a plugin with a certificate': plugin({ clientCertificateData: 'cert', clientKeyData: 'key' }),
  'an OIDC provider': { 'auth-provider': OIDC },
};

const CLUSTERS: Readonly<Record<string, object>> = {
  'a CA': { 'certificate-authority-data': text('ca') },
  'the file of a CA': { 'certificate-authority': 'ca.crt' },
  'no verification': { 'insecure-skip-tls-verify': true },
  'another server name': { 'certificate-authority-data': text('ca'), 'tls-server-name': 'api.example' },
  'a proxy': { 'proxy-url': 'http://127.0.0.1:3128' },
};

for (const [userTitle, user] of Object.entries(USERS)) {
  for (const [clusterTitle, cluster] of Object.entries(CLUSTERS)) {
    test(`${userTitle}, and ${clusterTitle}: as client-node has it`, async (context) => {
      const directory = folder(context);
      for (const name of ['client.crt', 'client.key', 'ca.crt']) writeFileSync(join(directory, name), name);
      const path = write(directory, 'config', { users: { u: user }, clusters: { c: cluster } });
      const theirs = new KubeConfig();
      theirs.loadFromFile(path);
      const applied: Record<string, unknown> = { headers: {} };
      await theirs.applyToHTTPSOptions(applied);

      const ours = createCredentials({ kubeconfig: path, clock: systemClock });
      const { headers, tls } = await ours.current(new AbortController().signal);
      assert.equal(ours.server, theirs.getCurrentCluster()?.server);
      assert.equal(ours.proxyUrl, theirs.getCurrentCluster()?.proxyUrl);
      const expected = Object.entries(applied['headers'] as Record<string, string>).map(([k, v]) => [
        k.toLowerCase(),
        v,
      ]);
      const basic = applied['auth'];
      if (typeof basic === 'string') expected.push(['authorization', `Basic ${text(basic)}`]);
      assert.deepEqual(headers, Object.fromEntries(expected));
      for (const [name, value] of [
        ['ca', tls.ca],
        ['cert', tls.cert],
        ['key', tls.key],
      ] as const) {
        assert.equal(value?.toString(), applied[name]?.toString(), name);
      }
      assert.equal(tls.serverName, applied['servername']);
      assert.equal(tls.rejectUnauthorized, applied['rejectUnauthorized'] !== false);
    });
  }
}

test('of several kubeconfigs the first that has a name counts, as with kubectl', (context) => {
  const directory = folder(context);
  const one = write(directory, 'one', { users: { u: { token: 'first' } }, clusters: {} });
  const two = write(directory, 'two', { users: { u: { token: 'second' }, v: {} }, clusters: { c: {} } }, 'other');
  const config = readKubeconfigs([one, two], false);
  assert.ok(config);
  assert.ok(config.users.has('v'));
  assert.deepEqual([...config.clusters.keys()], ['c']);
  assert.equal(config.currentContext, 'here');
  const { context: chosen, user } = choose(config, undefined);
  assert.deepEqual([chosen, user?.token], ['here', 'first']);
});

test('the account that the kubelet mounts is found in a pod, and only there', (context) => {
  const directory = folder(context);
  const env = { KUBERNETES_SERVICE_HOST: 'fd00:10:96::1', KUBERNETES_SERVICE_PORT: '443' };
  assert.equal(podAccount(env, directory), undefined);
  writeFileSync(join(directory, 'token'), 'secret');
  assert.equal(podAccount({}, directory), undefined);
  const account = podAccount(env, directory);
  assert.equal(account?.cluster.server, 'https://[fd00:10:96::1]:443');
  assert.deepEqual(account?.cluster.ca, { file: join(directory, 'ca.crt') });
  assert.equal(account?.user?.tokenFile, join(directory, 'token'));
});

function folder(context: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'digger-kubeconfig-'));
  context.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

function write(
  directory: string,
  name: string,
  { users, clusters }: Record<'users' | 'clusters', Readonly<Record<string, object>>>,
  context = 'here',
): string {
  const path = join(directory, name);
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: Object.entries(clusters).map(([key, cluster]) => ({
      name: key,
      cluster: { server: 'https://127.0.0.1:6443', ...cluster },
    })),
    users: Object.entries(users).map(([key, user]) => ({ name: key, user })),
    contexts: [{ name: context, context: { cluster: 'c', user: 'u' } }],
    'current-context': context,
  };
  writeFileSync(path, JSON.stringify(config));
  return path;
}
