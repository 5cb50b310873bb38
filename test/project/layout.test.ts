// The layout that stays: what lies at the top, how each file begins, how long it may be, and what must not be in it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { optionsDocument } from '../../src/cli/options-document.ts';
import { isGenerated, readText, repositoryFiles } from './repository.ts';

const TOP_LEVEL = [
  'CHANGELOG.md',
  'Dockerfile',
  'LICENSE',
  'README.md',
  'deploy',
  'docs',
  'package-lock.json',
  'package.json',
  'proto',
  'src',
  'test',
  'tsconfig.json',
];

// A file of one idea has 50 to 300 lines; beyond 450 it surely has two.
const LONG_LINES = 300;
const MAX_LINES = 450;

const files = repositoryFiles();
const written = files.filter((file) => file.endsWith('.ts') && !isGenerated(file));

test('the top of the repository holds what is agreed and nothing else, dotfiles aside', () => {
  const top = new Set(files.map((file) => file.split('/')[0] ?? '').filter((name) => !name.startsWith('.')));
  assert.deepEqual([...top].sort(), TOP_LEVEL);
});

test('every file begins with a comment that says what it is', () => {
  assert.ok(written.length > 30, `only ${written.length} files found`);
  const bare = written.filter((file) => !/^(#!.*\n)?\s*\/\//.test(readText(file)));
  assert.deepEqual(bare, []);
});

test(`no source file is longer than ${MAX_LINES} lines; those beyond ${LONG_LINES} are named`, (t) => {
  const lengths = written
    .filter((file) => file.startsWith('src/'))
    .map((file) => ({ file, lines: readText(file).split('\n').length - 1 }));
  for (const { file, lines } of lengths) {
    if (lines > LONG_LINES) t.diagnostic(`${file} has ${lines} lines: more than one idea?`);
  }
  assert.deepEqual(
    lengths.filter(({ lines }) => lines > MAX_LINES),
    [],
  );
});

test('sources have named exports only, no silenced type errors, and no test is left out', () => {
  const forbidden: readonly (readonly [string, RegExp])[] = [
    ['default export', /^export default\b/m],
    ['silenced type error', new RegExp('@ts-' + '(?:ignore|nocheck|expect-error)')],
    ['skipped or exclusive test', /\b(?:describe|test|it)\.(?:only|skip|todo)\b/],
    ['note to finish later', new RegExp('\\b(?:TO' + 'DO|FIX' + 'ME|XX' + 'X)\\b')],
  ];
  const found = written.flatMap((file) => {
    const code = readText(file);
    return forbidden.filter(([, pattern]) => pattern.test(code)).map(([what]) => `${file}: ${what}`);
  });
  assert.deepEqual(found, []);
});

test('no file is named after a drawer: utils, helpers, common, manager', () => {
  assert.deepEqual(
    files.filter((file) => /(^|\/)(utils?|helpers?|common|manager)(\.|\/|-)/.test(file)),
    [],
  );
});

test('no file carries a path of the machine on which it was written', () => {
  const paths = new RegExp(['/ro' + 'ot/', '/wo' + 'rk/(?:main|shared)', '/ho' + 'me/[a-z]'].join('|'));
  const text = files.filter((file) => !/\.(?:binpb|sum)$/.test(file));
  assert.deepEqual(
    text.filter((file) => paths.test(readText(file))),
    [],
  );
});

test('the lock file carries integrity hashes, not addresses', () => {
  assert.doesNotMatch(readText('package-lock.json'), /"resolved"/);
});

test('docs/architecture.md names every room, and only files that are there', () => {
  const page = readText('docs/architecture.md');
  const named = [...page.matchAll(/`((?:src|test|proto|deploy)\/[\w./-]*)`/g)].map((match) => match[1] ?? '');
  assert.ok(named.length > 30, `only ${named.length} paths found`);
  const isThere = (path: string) =>
    files.some((file) => file === path || file.startsWith(`${path.replace(/\/$/, '')}/`));
  assert.deepEqual(
    named.filter((path) => !isThere(path)),
    [],
  );
  const rooms = new Set(
    written.filter((file) => /^src\/.+\//.test(file)).map((file) => file.split('/').slice(0, -1).join('/')),
  );
  // A room that only holds rooms needs no line of its own.
  assert.deepEqual(
    [...rooms].filter((room) => !page.includes(`\`${room}/\``)),
    [],
  );
});

test('docs/options.md lists the options that the program has', () => {
  assert.equal(readText('docs/options.md'), optionsDocument(), 'out of date: npm run options');
});
