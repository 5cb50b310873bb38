// The configuration: defaults, precedence, and that every problem is reported at once with what was given and allowed.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeConfig, type Flags, parseConfig } from '../../src/options/config.ts';
import type { Config } from '../../src/options/options.ts';

function accepted(flags: Flags, env: Record<string, string> = {}): Config {
  const result = parseConfig(flags, env);
  assert.ok(result.ok, `refused: ${result.ok ? '' : result.problems.join('\n')}`);
  return result.config;
}

function refused(flags: Flags, env: Record<string, string> = {}): readonly string[] {
  const result = parseConfig(flags, env);
  assert.ok(!result.ok, `accepted: ${JSON.stringify(result.ok ? result.config : {})}`);
  return result.problems;
}

test('without flags and environment it listens on loopback only, and every value is its default', () => {
  const config = accepted({});
  assert.deepEqual(config, {
    listen: { host: '127.0.0.1', port: 50_051 },
    adminListen: { host: '127.0.0.1', port: 9464 },
    adminPage: false,
    allowPlaintext: false,
    tlsCert: undefined,
    tlsKey: undefined,
    tlsClientCa: undefined,
    auth: 'none',
    allowClients: [],
    authExempt: [],
    authCacheTtlMs: 30_000,
    authRecheckIntervalMs: 60_000,
    kubeconfig: undefined,
    context: undefined,
    clusterEncoding: 'protobuf',
    clusterCompression: 'auto',
    namespaces: [],
    namespaceRules: [],
    clusterRanges: [],
    clusterName: undefined,
    resolveLoadBalancers: false,
    dnsServers: [],
    namedRanges: [],
    denyAnnotations: [],
    allowAnnotations: [],
    denyLabels: [],
    allowLabels: [],
    maxValueBytes: 1024,
    historyRetentionMs: 600_000,
    maxHistoryClaims: 100_000,
    maxHistoryMemoryBytes: 48 * 1024 * 1024,
    historyFrom: [],
    historyFromWaitMs: 10_000,
    historyFromTls: false,
    historyFromTlsCa: undefined,
    historyFromTlsCert: undefined,
    historyFromTlsKey: undefined,
    historyFromServerName: undefined,
    historyFromTokenFile: undefined,
    maxConnections: 3_000,
    maxConnectionsPerAddress: 1_000,
    connectionIdleMs: 600_000,
    connectionAgeMs: 1_800_000,
    connectionAgeGraceMs: 60_000,
    servingThreads: 1,
    maxConnectionStreams: 100,
    maxCallMemoryBytes: 96 * 1024 * 1024,
    maxCallerMemoryBytes: 32 * 1024 * 1024,
    maxWaiters: 5_000,
    callerRate: 0,
    maxSubscribers: 3_000,
    maxSubscribersPerCaller: 1_000,
    subscriberStallTimeoutMs: 60_000,
    feedRetentionMs: 600_000,
    maxFeedRemovals: 30_000,
    drainTimeoutMs: 20_000,
    logLevel: 'info',
    logFormat: 'auto',
  } satisfies Config);
});

test('a flag wins over its variable, a variable over the default, and an empty variable counts as unset', () => {
  assert.equal(accepted({}, { DIGGER_HISTORY: '5m' }).historyRetentionMs, 300_000);
  assert.equal(accepted({ historyRetentionMs: '1h30m' }, { DIGGER_HISTORY: '5m' }).historyRetentionMs, 5_400_000);
  assert.equal(accepted({}, { DIGGER_HISTORY: '' }).historyRetentionMs, 600_000);
  assert.equal(accepted({ allowPlaintext: true }).allowPlaintext, true);
  assert.equal(accepted({}, { DIGGER_ALLOW_PLAINTEXT: 'true' }).allowPlaintext, true);
});

test('a repeatable option takes several flags, or several values from its variable', () => {
  const ranges = ['10.244.0.0/16', 'fd00::/8'];
  assert.deepEqual(accepted({ clusterRanges: ranges }).clusterRanges, ranges);
  assert.deepEqual(accepted({}, { DIGGER_CLUSTER_RANGE: '10.244.0.0/16, fd00::/8' }).clusterRanges, ranges);
});

test('all problems are reported at once, each with where it stands, what was given and what is allowed', () => {
  const problems = refused(
    { listen: '127.0.0.1', historyRetentionMs: '10', clusterRanges: ['10.0.0.0/8', '010.0.0.0/8'], kubeconfig: true },
    { DIGGER_LOG_LEVEL: 'loud', DIGGER_MAX_SUBSCRIBERS: '1e3' },
  );
  assert.deepEqual(problems, [
    '--listen: got "127.0.0.1"; allowed: an IP address or localhost, then a colon and a port from 0 to 65535: 127.0.0.1:50051, [::]:50051',
    '--kubeconfig: needs a value',
    '--cluster-range: got "010.0.0.0/8"; allowed: an address range: 10.96.0.0/12, fd00:10:96::/112',
    '--history: got "10"; allowed: a duration from 0s to 24h: 500ms, 30s, 10m, 1h30m',
    'DIGGER_MAX_SUBSCRIBERS: got "1e3"; allowed: a whole number from 1 to 100000',
    'DIGGER_LOG_LEVEL: got "loud"; allowed: one of fatal, error, warn, info, debug, trace, silent',
  ]);
});

test('plaintext beyond loopback is refused unless it is allowed explicitly; TLS is not', () => {
  for (const listen of ['0.0.0.0:50051', '[::]:50051', '192.0.2.7:50051', '[::ffff:192.0.2.7]:1']) {
    assert.match(refused({ listen }).join('\n'), /^--listen: got .* use .* --tls-key, .* --allow-plaintext$/);
    assert.equal(accepted({ listen, tlsCert: 'tls.crt', tlsKey: 'tls.key' }).allowPlaintext, false);
    assert.equal(accepted({ listen, allowPlaintext: true }).allowPlaintext, true);
  }
  for (const listen of ['127.0.0.1:0', '127.9.9.9:1', '[::1]:50051', 'localhost:50051']) accepted({ listen });
});

test('keys of labels and annotations are whole, or all of a domain', () => {
  const keys = ['app', 'example.com/team', 'example.com/*'];
  assert.deepEqual(accepted({ denyLabels: keys, allowAnnotations: keys }).denyLabels, keys);
  for (const key of ['', '*', 'app*', 'example.com/', 'example.com/a*', '/*', 'a/b/*', 'a b']) {
    assert.equal(refused({ allowLabels: [key] }).length, 1, key);
  }
});

test('16.2 rules of namespaces are an action and a pattern, and allow something', () => {
  const rules = ['deny kube-*', ' allow  team-[a-c]-? ', 'allow *'];
  assert.deepEqual(accepted({ namespaceRules: rules }).namespaceRules, [
    { action: 'deny', pattern: 'kube-*' },
    { action: 'allow', pattern: 'team-[a-c]-?' },
    { action: 'allow', pattern: '*' },
  ]);
  assert.equal(accepted({}, { DIGGER_NAMESPACE_RULE: 'deny kube-*,allow *' }).namespaceRules.length, 2);
  assert.equal(refused({ namespaceRules: ['hide x', 'deny', 'deny [', 'allow a b', '*', ''] }).length, 6);
  assert.match(refused({ namespaceRules: ['deny kube-*'] })[0] ?? '', /no rule that allows.*end with 'allow \*'/);
  assert.match(refused({ namespaceRules: Array.from({ length: 101 }, () => 'allow *') })[0] ?? '', /at most 100/);
  const both = { namespaces: ['shop', 'kube-system'], namespaceRules: ['deny kube-*', 'allow *'] };
  assert.deepEqual(refused(both), [
    '--namespace: got kube-system, which --namespace-rule hides; watch what is published',
  ]);
});

test('namespaces are named one by one, and not too many of them', () => {
  assert.deepEqual(accepted({ namespaces: ['shop', 'kube-system'] }).namespaces, ['shop', 'kube-system']);
  assert.deepEqual(accepted({}, { DIGGER_NAMESPACE: 'shop, bank' }).namespaces, ['shop', 'bank']);
  assert.equal(refused({ namespaces: ['Shop', '-a', '*', ''] }).length, 4);
  const many = Array.from({ length: 17 }, (_, n) => `n${n}`);
  assert.deepEqual(refused({ namespaces: many }), [
    '--namespace: got 17 namespaces; at most 16 are allowed, or none to watch all',
  ]);
});

test('options of TLS and authentication that do not go together are refused, all at once', () => {
  const tls = { tlsCert: 'tls.crt', tlsKey: 'tls.key' };
  const mutual = { ...tls, tlsClientCa: 'ca.crt' };
  const byName = { auth: 'client-certificate', allowClients: ['sensor.example.org'] };
  const cases: readonly (readonly [Flags, ...string[]])[] = [
    [{ tlsCert: 'tls.crt' }, '--tls-cert'],
    [{ tlsKey: 'tls.key', listen: '0.0.0.0:1' }, '--tls-key'],
    [{ tlsClientCa: 'ca.crt' }, '--tls-client-ca'],
    [{ ...tls, allowPlaintext: true }, '--allow-plaintext'],
    [{ ...tls, ...byName }, '--auth'],
    [{ ...mutual, auth: 'client-certificate' }, '--auth'],
    [{ ...mutual, allowClients: ['sensor.example.org'] }, '--allow-client'],
    [{ ...mutual, auth: 'token-review', allowClients: ['sensor.example.org'] }, '--allow-client'],
    [{ authExempt: ['status'] }, '--auth-exempt'],
    [{ ...mutual, auth: 'everybody' }, '--auth'],
    [
      { tlsCert: 'tls.crt', allowPlaintext: true, auth: 'client-certificate' },
      '--tls-cert',
      '--allow-plaintext',
      '--auth',
    ],
  ];
  for (const [flags, ...expected] of cases) {
    const flagsOfProblems = refused(flags).map((problem) => problem.split(':')[0]);
    assert.deepEqual(flagsOfProblems, expected, JSON.stringify(flags));
  }
  accepted({ ...mutual, ...byName, authExempt: ['status', 'reflection'] });
  accepted({ ...mutual, auth: 'token-review' });
});

test('clients are named by DNS name or URI, and nothing in between', () => {
  const allow = (...allowClients: string[]): Flags => ({
    ...{ tlsCert: 'tls.crt', tlsKey: 'tls.key', tlsClientCa: 'ca.crt', auth: 'client-certificate' },
    allowClients,
  });
  const names = ['Sensor.Example.org', 'spiffe://cluster.local/ns/traffic/sa/sensor', 'localhost'];
  assert.deepEqual(accepted(allow(...names)).allowClients, [
    'dns:sensor.example.org',
    'uri:spiffe://cluster.local/ns/traffic/sa/sensor',
    'dns:localhost',
  ]);
  for (const name of [
    '',
    '*',
    '*.example.org',
    'a b',
    'dns:a',
    'CN=sensor',
    'a..b',
    '.a',
    'x@example.org',
    'spiffe:a',
  ]) {
    assert.equal(refused(allow(name)).length >= 1, true, name);
  }
});

test('listen addresses that could be misread are refused', () => {
  for (const listen of [
    '',
    ':50051',
    '50051',
    '::1:50051',
    '010.0.0.1:80',
    '127.0.0.1:65536',
    '127.0.0.1:-1',
    'a:b:1',
    'example.com:1',
  ]) {
    assert.equal(refused({ listen }).length, 1, listen);
  }
});

test('a misspelt variable is a problem, the variables that Kubernetes sets for a Service are not', () => {
  assert.deepEqual(refused({}, { DIGGER_HISTROY: '5m' }), [
    'DIGGER_HISTROY: unknown variable (did you mean DIGGER_HISTORY?); --help lists those that are known',
  ]);
  accepted(
    {},
    {
      DIGGER_SERVICE_HOST: '10.96.0.9',
      DIGGER_SERVICE_PORT_GRPC: '50051',
      DIGGER_PORT: 'tcp://10.96.0.9:50051',
      DIGGER_PORT_50051_TCP_ADDR: '10.96.0.9',
      DIGGER_ADMIN_SERVICE_HOST: '10.96.0.10',
      DIGGER_ADMIN_PORT_9464_TCP: 'tcp://10.96.0.10:9464',
    },
  );
});

test('the printed configuration names every value and where it comes from', () => {
  const result = parseConfig({ listen: '127.0.0.1:0' }, { DIGGER_HISTORY: '5m' });
  assert.ok(result.ok);
  const described = describeConfig(result.config, result.sources);
  assert.deepEqual(Object.keys(described), Object.keys(result.config));
  assert.deepEqual(described['listen'], { value: { host: '127.0.0.1', port: 0 }, source: 'flag', flag: '--listen' });
  assert.deepEqual(described['historyRetentionMs'], { value: 300_000, source: 'DIGGER_HISTORY', flag: '--history' });
  assert.deepEqual(described['kubeconfig'], { value: null, source: 'default', flag: '--kubeconfig' });
});

test('a conflict names the variable where the environment gave the option', () => {
  const result = parseConfig({ tlsCert: 'a.pem' }, { DIGGER_ALLOW_PLAINTEXT: 'true', DIGGER_TLS_KEY: 'a.key' });
  assert.deepEqual(result.ok ? [] : result.problems, [
    'DIGGER_ALLOW_PLAINTEXT: given together with --tls-cert; set only one of them',
  ]);
});
