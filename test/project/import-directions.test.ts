// Which folder may import which. The rule stands in one table; an edge that is not in it fails with file and import.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { importSpecifiers, localImports, repositoryFiles } from './repository.ts';

/** Folder of src/ → folders that it may import, beside itself. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  model: [],
  telemetry: [],
  wire: ['model'],
  kube: ['model', 'telemetry'],
  catalog: ['model', 'telemetry', 'wire'],
  addresses: ['model', 'telemetry', 'catalog'],
  feed: ['model', 'telemetry', 'wire'],
  rpc: ['model', 'telemetry', 'wire', 'catalog', 'addresses', 'feed'],
  simulator: ['model', 'telemetry', 'wire'],
};

/** Reading ends: the files of a folder that others may import where they may not have the rest of it. */
const READ_SIDE: Readonly<Record<string, readonly string[]>> = {
  'addresses→catalog': ['src/catalog/reader.ts'],
  'rpc→catalog': ['src/catalog/reader.ts'],
};

/** The process edge, the composition root and the commands cross folders; that is what they are for. */
const CROSSING = new Set(['', 'cli']);

function folderOf(file: string): string {
  const parts = file.split('/');
  return parts.length === 2 ? '' : (parts[1] ?? '');
}

const sources = repositoryFiles().filter((file) => /^src\/.*\.ts$/.test(file));

test('every folder of src is in the table of import directions', () => {
  const folders = new Set(sources.map(folderOf).filter((folder) => !CROSSING.has(folder)));
  assert.ok(folders.size > 0, 'no sources found');
  assert.deepEqual(
    [...folders].filter((folder) => ALLOWED[folder] === undefined),
    [],
  );
});

test('no file imports against the directions', () => {
  const violations: string[] = [];
  let edges = 0;
  for (const file of sources) {
    const from = folderOf(file);
    for (const target of localImports(file)) {
      edges += 1;
      const to = folderOf(target);
      if (!target.startsWith('src/')) violations.push(`${file} imports ${target}, which is not in src`);
      else if (CROSSING.has(from) || from === to) continue;
      else if (ALLOWED[from]?.includes(to) !== true)
        violations.push(`${file} imports ${target}: ${from} may not import ${to || 'the top of src'}`);
      else if (READ_SIDE[`${from}→${to}`]?.includes(target) === false) {
        violations.push(`${file} imports ${target}: ${from} may import of ${to} only what reads`);
      }
    }
  }
  assert.ok(edges > 20, `only ${edges} imports found`);
  assert.deepEqual(violations, []);
});

test('the search for imports finds every form and no commented one', () => {
  const source = `import a, { b } from './a.ts';
import type { C } from "./c.ts";
import './side.ts';
export { d } from './d.ts';
// import { no } from './commented.ts';
/* import './block.ts'; */
const url = 'http://x'; const lazy = await import('./lazy.ts');
import {
  many,
} from './many.ts';`;
  assert.deepEqual(importSpecifiers(source).toSorted(), [
    './a.ts',
    './c.ts',
    './d.ts',
    './lazy.ts',
    './many.ts',
    './side.ts',
  ]);
});
