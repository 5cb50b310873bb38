// Which room may import which, and that no files import one another in a circle. The directions stand in one table; an
// edge that is not in it fails with file and import.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { circlesIn, forbiddenImports, type ImportGraph, unknownRooms } from './imports.ts';
import { importSpecifiers, localImports, repositoryFiles } from './repository.ts';

const sources: ImportGraph = new Map(
  repositoryFiles()
    .filter((file) => /^src\/.*\.ts$/.test(file))
    .map((file) => [file, localImports(file)]),
);

test('every folder of src is a room in the table of import directions', () => {
  assert.ok(sources.size > 100, `only ${sources.size} sources found`);
  assert.deepEqual(unknownRooms(sources), []);
});

test('no file imports against the directions', () => {
  const edges = [...sources.values()].reduce((sum, targets) => sum + targets.length, 0);
  assert.ok(edges > 200, `only ${edges} imports found`);
  assert.deepEqual(forbiddenImports(sources), []);
});

test('no files import one another in a circle, types included', () => {
  assert.deepEqual(circlesIn(sources), []);
});

test('a circle is found and named', () => {
  const graph: ImportGraph = new Map([
    ['src/a.ts', ['src/b.ts']],
    ['src/b.ts', ['src/c.ts']],
    ['src/c.ts', ['src/b.ts', 'src/d.ts']],
    ['src/d.ts', []],
  ]);
  assert.deepEqual(circlesIn(graph), ['src/b.ts → src/c.ts → src/b.ts']);
});

test('a forbidden direction and an unknown room are found and named', () => {
  const graph: ImportGraph = new Map([
    ['src/kube/transport/a.ts', ['src/kube/reflector/b.ts']],
    ['src/kube/reflector/b.ts', ['src/catalog/catalog.ts']],
    ['src/rpc/methods/c.ts', ['src/catalog/join.ts', 'src/catalog/reader.ts', 'test/random.ts']],
    ['src/attic/d.ts', []],
  ]);
  assert.deepEqual(forbiddenImports(graph), [
    'src/kube/transport/a.ts imports src/kube/reflector/b.ts: kube/transport may not import kube/reflector',
    'src/kube/reflector/b.ts imports src/catalog/catalog.ts: kube/reflector may not import catalog',
    'src/rpc/methods/c.ts imports src/catalog/join.ts: rpc/methods may import only the reading side of catalog',
    'src/rpc/methods/c.ts imports test/random.ts, which is not in src',
  ]);
  assert.deepEqual(unknownRooms(graph), ['attic']);
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
