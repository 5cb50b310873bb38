// The command line: commands, options wherever they stand, help, and unknown words.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { helpText, parseCommandLine } from '../../src/cli/program.ts';
import { environmentVariable, OPTION_NAMES, OPTIONS } from '../../src/options/options.ts';

const parse = (...args: string[]) => parseCommandLine(args, '1.2.3');

test('serve is the default command', () => {
  assert.deepEqual(parse(), { action: 'run', command: 'serve', flags: {}, printConfig: false });
  assert.deepEqual(parse('serve'), parse());
});

test('options may stand before or behind the command', () => {
  const flags = { listen: '127.0.0.1:0', allowPlaintext: true, clusterRanges: ['10.0.0.0/8', 'fd00::/8'] };
  const options = [
    '--listen',
    '127.0.0.1:0',
    '--allow-plaintext',
    '--cluster-range=10.0.0.0/8',
    '--cluster-range',
    'fd00::/8',
  ];
  const expected = { action: 'run', command: 'demo', flags, printConfig: false };
  assert.deepEqual(parse('demo', ...options), expected);
  assert.deepEqual(parse(...options, 'demo'), expected);
  assert.deepEqual(parse(...options), { ...expected, command: 'serve' });
});

test('a flag without its value is handed on as such, for the configuration to refuse', () => {
  assert.deepEqual(parse('--listen'), { action: 'run', command: 'serve', flags: { listen: true }, printConfig: false });
});

test('unknown options and commands are all named, and the value of an unknown option is not taken for a command', () => {
  const line = parse('--bogus', 'x', '--nothing=1', '--history', '5m', 'extra');
  assert.equal(line.action, 'refuse');
  assert.deepEqual(line.action === 'refuse' && line.problems, [
    '--bogus: unknown option; allowed are those that --help lists',
    '--nothing: unknown option; allowed are those that --help lists',
    'extra: unknown command; allowed is one of serve, demo, resolve, watch',
  ]);
});

test('an unknown command is refused instead of serving', () => {
  assert.deepEqual(parse('sevre'), {
    action: 'refuse',
    problems: ['sevre: unknown command; allowed is one of serve, demo, resolve, watch'],
    flags: {},
  });
});

test('a command that asks a service has to stand first', () => {
  const line = parse('--log-level', 'debug', 'resolve', '10.0.0.1');
  assert.deepEqual(line.action === 'refuse' && line.problems[0], 'resolve: stands first: digger resolve …');
});

test('help lists every command, option and variable, and fits 120 columns', () => {
  const text = helpText('1.2.3');
  for (const name of OPTION_NAMES) {
    assert.ok(text.includes(OPTIONS[name].flag), `help lacks ${OPTIONS[name].flag}`);
    assert.ok(text.includes(environmentVariable(OPTIONS[name])), `help lacks the variable of ${name}`);
  }
  assert.match(text, /^Usage: digger \[command\] \[options\]/);
  assert.match(text, /^ {2}serve /m);
  assert.match(text, /^ {2}demo /m);
  assert.match(text, /^ {2}resolve /m);
  assert.match(text, /^ {2}watch /m);
  assert.deepEqual(
    text.split('\n').filter((line) => line.length > 120),
    [],
  );
  assert.deepEqual(parse('demo', '--help'), { action: 'print', text });
});

test('the version is printed alone', () => {
  assert.deepEqual(parse('--version'), { action: 'print', text: '1.2.3\n' });
});
