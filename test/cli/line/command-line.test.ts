// The command line as a whole: commands, options wherever they stand, help, completion, and unknown words.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { COMMAND_NAMES, optionsOf } from '../../../src/cli/line/commands.ts';
import { parseCommandLine } from '../../../src/cli/line/command-line.ts';
import { completionScript } from '../../../src/cli/line/completion.ts';
import { generalHelp, helpOf } from '../../../src/cli/line/help.ts';
import { environmentVariable } from '../../../src/options/option.ts';
import { OPTION_NAMES, OPTIONS } from '../../../src/options/options.ts';

const parse = (...args: string[]) => parseCommandLine(args, '1.2.3', 0);
const KNOWN = 'digger serve --help lists those that are known';

test('serve is the default command', () => {
  assert.deepEqual(parse(), { action: 'serve', command: 'serve', flags: {}, printConfig: false });
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
  const expected = { action: 'serve', command: 'demo', flags, printConfig: false };
  assert.deepEqual(parse('demo', ...options), expected);
  assert.deepEqual(parse(...options, 'demo'), expected);
  assert.deepEqual(parse(...options), { ...expected, command: 'serve' });
  assert.equal(parse('--address', '127.0.0.1:1', 'resolve', '10.0.0.1').action, 'ask');
});

test('a flag without its value is handed on as such, for the configuration to refuse', () => {
  const expected = { action: 'serve', command: 'serve', flags: { listen: true }, printConfig: false };
  assert.deepEqual(parse('--listen'), expected);
  assert.deepEqual(parse('--listen', '--allow-plaintext'), {
    ...expected,
    flags: { listen: true, allowPlaintext: true },
  });
});

test('unknown options and words are all named, and the value of an unknown option is not taken for a command', () => {
  const line = parse('serve', '--bogus', 'x', '--nothing=1', '--history', '5m', 'extra', '--alow-plaintext');
  assert.deepEqual(line.action === 'refuse' && line.problems, [
    `--bogus: unknown option; ${KNOWN}`,
    `--nothing: unknown option; ${KNOWN}`,
    `--alow-plaintext: unknown option (did you mean --allow-plaintext?); ${KNOWN}`,
    'extra: not expected behind digger serve',
  ]);
});

test('an unknown command is refused instead of serving, with the one that was most likely meant', () => {
  const all = COMMAND_NAMES.join(', ');
  for (const [word, hint] of [
    ['sevre', ' (did you mean serve?)'],
    ['wacth', ' (did you mean watch?)'],
    ['frobnicate', ''],
  ] as const) {
    assert.deepEqual(parse(word), {
      action: 'refuse',
      problems: [`${word}: unknown command${hint}; allowed: ${all}`],
      flags: {},
    });
  }
});

test('an option means the same arity and letter in every command', () => {
  const seen = new Map<string, string>();
  for (const command of COMMAND_NAMES) {
    for (const [name, { placeholder }] of Object.entries(optionsOf(command))) {
      const isSwitch = String(placeholder === '');
      assert.equal(seen.get(name) ?? isSwitch, isSwitch, `--${name} of ${command}`);
      seen.set(name, isSwitch);
    }
  }
});

test('help lists every command, option and variable, and fits 120 columns', () => {
  const text = generalHelp();
  for (const name of OPTION_NAMES) {
    assert.ok(text.includes(OPTIONS[name].flag), `help lacks ${OPTIONS[name].flag}`);
    assert.ok(text.includes(environmentVariable(OPTIONS[name])), `help lacks the variable of ${name}`);
  }
  assert.match(text, /^Usage: digger \[command\] \[options\]/);
  for (const command of COMMAND_NAMES) assert.match(text, new RegExp(`^ {2}${command} `, 'm'));
  for (const each of [text, ...COMMAND_NAMES.map(helpOf)]) {
    assert.deepEqual(
      each.split('\n').filter((line) => line.length > 120),
      [],
    );
  }
  for (const args of [['--help'], ['-h'], ['help'], ['--listen', 'x', '--help']]) {
    assert.deepEqual(parse(...args), { action: 'print', text }, args.join(' '));
  }
  assert.deepEqual(parse('demo', '--help'), { action: 'print', text: helpOf('demo') });
  assert.deepEqual(parse('help', 'wach'), {
    action: 'refuse',
    problems: [`wach: unknown command (did you mean watch?); allowed: ${COMMAND_NAMES.join(', ')}`],
    flags: {},
  });
});

test('the version is printed alone', () => {
  for (const flag of ['--version', '-v']) assert.deepEqual(parse(flag), { action: 'print', text: '1.2.3\n' });
});

test('bash completes commands, options and their values from the script', () => {
  const script = completionScript('bash');
  const complete = (...words: string[]): readonly string[] => {
    const { status, stdout, stderr } = spawnSync(
      'bash',
      [
        '-c',
        `${script}\nCOMP_WORDS=("$@"); COMP_CWORD=$(($#-1)); _digger; printf '%s\\n' "\${COMPREPLY[@]}"`,
        'bash',
        'digger',
        ...words,
      ],
      { encoding: 'utf8' },
    );
    assert.equal(status, 0, stderr);
    return stdout.trim().split('\n');
  };
  assert.deepEqual(complete('res'), ['resolve']);
  assert.deepEqual(complete('get', 'n'), ['node', 'namespace']);
  assert.deepEqual(complete('resolve', '--tok'), ['--token-file']);
  assert.deepEqual(complete('watch', '--output', 'j'), ['json']);
  assert.deepEqual(complete('resolve', '--allow'), ['']);
});

test('every shell has a script with every command, and any other is refused', () => {
  for (const shell of ['bash', 'zsh', 'fish'] as const) {
    const line = parse('completion', shell);
    assert.ok(line.action === 'print');
    for (const command of COMMAND_NAMES) assert.ok(line.text.includes(command), `${shell} lacks ${command}`);
  }
  const line = parse('completion', 'tcsh');
  assert.deepEqual(line.action === 'refuse' && line.problems, ['shell: got "tcsh"; allowed: one of bash, zsh, fish']);
});
