// The command lines that ask a service: what people type, what is asked, and every problem at once.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { askHelp, parseAskLine, type ResolveOrder, type WatchOrder } from '../../src/cli/ask-line.ts';
import { EXIT_CODES } from '../../src/cli/exit-codes.ts';

const NOW_MS = Date.parse('2026-01-31T12:00:00Z');
const parse = (...args: string[]) => parseAskLine(args, NOW_MS);

function orderOf<Order extends ResolveOrder | WatchOrder>(...args: string[]): Order {
  const line = parse(...args);
  assert.ok(line?.action === 'ask', JSON.stringify(line));
  return line.order as Order;
}

function problemsOf(...args: string[]): readonly string[] {
  const line = parse(...args);
  assert.ok(line?.action === 'refuse', JSON.stringify(line));
  return line.problems;
}

test('what is no command of these is left to others', () => {
  for (const args of [[], ['serve'], ['--listen', 'x', 'resolve'], ['toString'], ['--help']]) {
    assert.equal(parse(...args), undefined, args.join(' '));
  }
});

test('an address stands with or without a port; IPv6 with a port stands in brackets', () => {
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
    assert.match(problemsOf('resolve', text)[0] ?? '', /^address: got .* allowed is an IP address/, text);
  }
});

test('without options the local service is asked about now, and does not wait', () => {
  assert.deepEqual(orderOf('resolve', '10.0.0.1'), {
    command: 'resolve',
    connection: { address: '127.0.0.1:50051', timeoutMs: 10_000 },
    output: 'auto',
    question: { address: '10.0.0.1', port: undefined },
    atMs: undefined,
    waitMs: 0,
    protocol: undefined,
  });
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
    ...['--kind', 'pod', '--kind=Services', '--namespace', 'shop', '--node', 'worker-1', '--node', 'worker-2'],
    ...['--label', 'app=web', '--label', 'tier=', '--snapshot-only', '--address', '[::1]:1', '--output', 'json'],
  );
  assert.deepEqual(order, {
    command: 'watch',
    connection: { address: '[::1]:1', timeoutMs: 10_000 },
    output: 'json',
    kinds: ['ENTITY_KIND_POD', 'ENTITY_KIND_SERVICE'],
    namespaces: ['shop'],
    nodes: ['worker-1', 'worker-2'],
    labels: [
      ['app', 'web'],
      ['tier', ''],
    ],
    snapshotOnly: true,
  });
});

test('every problem of a line is named, each with what is allowed', () => {
  assert.deepEqual(problemsOf('resolve', '10.0.0.1', '10.0.0.2', '--wait', '31s', '--protocol', 'icmp', '--bogus'), [
    '--bogus: unknown option; allowed are those that digger resolve --help lists',
    '10.0.0.2: one address at a time',
    '--wait: got "31s", allowed is a duration from 0s to 30s: 500ms, 30s, 10m, 1h30m',
    '--protocol: got "icmp", allowed is one of tcp, udp, sctp',
  ]);
  assert.deepEqual(problemsOf('resolve'), ['an address is missing: digger resolve 10.0.0.1:80']);
  assert.deepEqual(problemsOf('watch', 'pods', '--label', 'app', '--kind', 'secret', '--snapshot-only=yes'), [
    '--snapshot-only: takes no value',
    'pods: not expected; filters are options, see --help',
    '--kind: got "secret", allowed is one of pod, service, node, workload',
    '--label: got "app", allowed is a label with its value: app=web',
  ]);
  assert.deepEqual(problemsOf('watch', '--address'), ['--address: needs a value']);
});

test('the help of each command lists its exit codes and fits 120 columns', () => {
  for (const command of ['resolve', 'watch'] as const) {
    const text = askHelp(command);
    for (const [code, meaning] of EXIT_CODES) assert.ok(text.includes(`${code}  ${meaning}`), text);
    assert.deepEqual(
      text.split('\n').filter((line) => line.length > 120),
      [],
    );
    assert.deepEqual(parse(command, 'x', '--help'), { action: 'print', text });
  }
});
