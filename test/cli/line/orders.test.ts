// The command lines that ask a service: what people type, what is asked, and every problem at once.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exitCodesOf } from '../../../src/cli/ask/exit-codes.ts';
import { parseCommandLine } from '../../../src/cli/line/command-line.ts';
import { helpOf } from '../../../src/cli/line/help.ts';
import type { GetOrder, Order, ResolveOrder, StatusOrder, WatchOrder } from '../../../src/cli/line/orders.ts';

const NOW_MS = Date.parse('2026-01-31T12:00:00Z');
const parse = (...args: string[]) => parseCommandLine(args, '1.2.3', NOW_MS);

function orderOf<Wanted extends Order>(...args: string[]): Wanted {
  const line = parse(...args);
  assert.ok(line.action === 'ask', JSON.stringify(line));
  return line.order as Wanted;
}

function problemsOf(...args: string[]): readonly string[] {
  const line = parse(...args);
  assert.ok(line.action === 'refuse', JSON.stringify(line));
  return line.problems;
}

test('an address is given with or without a port; IPv6 with a port is in brackets', () => {
  for (const [text, address, port] of [
    ['10.0.0.1', '10.0.0.1', undefined],
    ['10.0.0.1:80', '10.0.0.1', 80],
    ['fd00::1', 'fd00::1', undefined],
    ['fd00::1:80', 'fd00::1:80', undefined],
    ['[fd00::1]', 'fd00::1', undefined],
    ['[fd00::1]:65535', 'fd00::1', 65_535],
  ] as const) {
    assert.deepEqual(orderOf<ResolveOrder>('resolve', text).question, { address, port }, text);
  }
  for (const text of ['', 'web', 'web:80', '10.0.0', '10.0.0.1:', '10.0.0.1:0', '10.0.0.1:65536', '[10.0.0.1]:80']) {
    assert.match(problemsOf('resolve', text)[0] ?? '', /^address: got .* allowed: an IP address/, text);
  }
});

test('without options the local service is asked about now, and does not wait', () => {
  assert.deepEqual(orderOf('resolve', '10.0.0.1'), {
    command: 'resolve',
    connection: { address: '127.0.0.1:50051', timeoutMs: 10_000 },
    output: 'auto',
    question: { address: '10.0.0.1', port: undefined },
    network: undefined,
    atMs: undefined,
    waitMs: 0,
    otel: false,
    replica: false,
    protocol: undefined,
  });
});

test('a dash takes addresses from standard input, which no line of it can wait for', () => {
  assert.equal(orderOf<ResolveOrder>('resolve', '-', '-o', 'json').question, undefined);
  assert.deepEqual(problemsOf('resolve', '10.0.0.1', '--replica'), [
    '--replica: only with -: digger resolve --replica - < addresses',
  ]);
  assert.equal(orderOf<ResolveOrder>('resolve', '-', '--replica').replica, true);
  assert.deepEqual(problemsOf('resolve', '-', '--wait', '1s'), ['--wait: not with -, which answers each line at once']);
});

test('a moment is a time, or how long ago', () => {
  const at = (text: string) => orderOf<ResolveOrder>('resolve', '10.0.0.1', '--at', text).atMs;
  assert.equal(at('2026-01-31T11:59:00Z'), NOW_MS - 60_000);
  assert.equal(at('2026-01-31T12:59:00.5+01:00'), NOW_MS - 59_500);
  assert.equal(at('90s'), NOW_MS - 90_000);
  assert.match(problemsOf('resolve', '10.0.0.1', '--at', '2026-02-31')[0] ?? '', /^--at: got "2026-02-31"/);
});

test('filters of a watch may be given more than once', () => {
  const order = orderOf<WatchOrder>(
    'watch',
    ...['--kind', 'pod', '--kind=Services', '-n', 'shop', '--node', 'worker-1', '--node', 'worker-2'],
    ...['--namespace-selector', 'env in (prod, test),!legacy', '--with-label', 'app'],
    ...['--label', 'app=web', '-l', 'tier=', '--snapshot-only', '--address', '[::1]:1', '--output', 'json'],
  );
  assert.deepEqual(order, {
    command: 'watch',
    connection: { address: '[::1]:1', timeoutMs: 10_000 },
    output: 'json',
    kinds: ['ENTITY_KIND_POD', 'ENTITY_KIND_SERVICE'],
    namespaces: ['shop'],
    nodes: ['worker-1', 'worker-2'],
    labelSelector: 'app=web,tier=',
    values: { labels: ['app'], annotations: [] },
    namespaceSelector: 'env in (prod, test),!legacy',
    snapshotOnly: true,
  });
});

test('an object is named with its namespace, or with -n; a workload with its kind', () => {
  const object = (...args: string[]) => {
    const { kind, object: named, namespace } = orderOf<GetOrder>('get', ...args);
    return [kind, named.kind, named.group, namespace, named.name];
  };
  assert.deepEqual(object('pod', 'shop/cart-0'), ['pod', '', '', 'shop', 'cart-0']);
  assert.deepEqual(object('pods', 'cart-0', '-n', 'shop'), ['pod', '', '', 'shop', 'cart-0']);
  assert.deepEqual(object('node', 'worker-1'), ['node', '', '', '', 'worker-1']);
  assert.deepEqual(object('namespace', 'shop'), ['namespace', '', '', '', 'shop']);
  assert.deepEqual(object('workload', 'deploy/web', '-n', 'shop'), ['workload', 'Deployment', 'apps', 'shop', 'web']);
  assert.deepEqual(object('workload', 'Job/x', '-n', 'shop'), ['workload', 'Job', 'batch', 'shop', 'x']);
  assert.deepEqual(object('workload', 'Rollout.argoproj.io/web', '-n', 'shop'), [
    'workload',
    'Rollout',
    'argoproj.io',
    'shop',
    'web',
  ]);
  assert.deepEqual(problemsOf('get', 'pod', 'cart-0'), ['a pod has a namespace: digger get pod NAMESPACE/cart-0']);
  assert.deepEqual(problemsOf('get', 'node', 'shop/worker-1'), ['a node has no namespace: digger get node NAME']);
  assert.deepEqual(problemsOf('get', 'secret', 'x'), [
    'kind: got "secret"; allowed: pod, service, node, workload, namespace',
  ]);
  assert.deepEqual(problemsOf('get', 'pod', 'shop/cart-0', '-n', 'other'), [
    '--namespace: got "other", but the name says "shop"; allowed: one of them',
  ]);
  assert.deepEqual(problemsOf('get'), ['a kind and a name are needed: digger get pod shop/cart-0']);
});

test('status takes options only', () => {
  assert.equal(orderOf<StatusOrder>('status', '-o', 'wide').output, 'wide');
  assert.deepEqual(problemsOf('status', 'pods'), ['pods: not expected; digger status takes options only']);
});

test('every problem of a line is named, each with what is allowed', () => {
  assert.deepEqual(problemsOf('resolve', '10.0.0.1', '10.0.0.2', '--wait', '31s', '--protocol', 'icmp', '--bogus'), [
    '--bogus: unknown option; digger resolve --help lists those that are known',
    '10.0.0.2: one address at a time; many: digger resolve - < addresses',
    '--wait: got "31s"; allowed: a duration from 0s to 30s: 500ms, 30s, 10m, 1h30m',
    '--protocol: got "icmp"; allowed: one of tcp, udp, sctp',
  ]);
  assert.deepEqual(problemsOf('resolve'), ['an address is missing: digger resolve 10.0.0.1:80']);
  assert.deepEqual(problemsOf('watch', 'pods', '--label', 'app in', '--kind', 'secret', '--snapshot-only=yes'), [
    '--snapshot-only: takes no value; got "yes"',
    'pods: not expected; filters are options, see digger watch --help',
    '--kind: got "secret"; allowed: one of pod, service, node, workload, namespace',
    "--label: got \"app in\"; allowed: a label selector: env=prod, 'tier in (web, db)', '!legacy' (found the end, expected ()",
  ]);
  assert.deepEqual(problemsOf('watch', '--address'), ['--address: needs a value']);
});

test('a value that looks like an option was forgotten, and the option still counts', () => {
  assert.deepEqual(problemsOf('resolve', '10.0.0.1', '--tls-ca', '--bogus'), [
    '--bogus: unknown option; digger resolve --help lists those that are known',
    '--tls-ca: needs a value',
  ]);
});

test('an option of another command is told to be one, and a misspelt one what was meant', () => {
  assert.deepEqual(problemsOf('resolve', '10.0.0.1', '--history', '5m', '--adress=x:1'), [
    '--history: unknown option (it is an option of digger serve); digger resolve --help lists those that are known',
    '--adress: unknown option (did you mean --address?); digger resolve --help lists those that are known',
  ]);
});

test('the help of each command that asks lists its exit codes and fits 120 columns', () => {
  for (const command of ['resolve', 'history', 'get', 'watch', 'status'] as const) {
    const text = helpOf(command);
    for (const [code, meaning] of exitCodesOf(command)) assert.ok(text.includes(`${code}  ${meaning}`), text);
    // Of its own, and of no other command.
    assert.equal(/^ {2}1 {2}/m.test(text), command === 'resolve' || command === 'history', text);
    assert.deepEqual(
      text.split('\n').filter((line) => line.length > 120),
      [],
    );
    assert.deepEqual(parse(command, 'x', '--help'), { action: 'print', text });
    assert.deepEqual(parse('help', command), { action: 'print', text });
  }
});
