// Files that come with the program are found from the sources and from what a build puts together, wherever that lies.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { codeFile, moduleFile, packageFile } from '../../src/package/own-files.ts';
import { ROOT } from '../project/repository.ts';

describe('files that come with the program', () => {
  it('are there, seen from the sources', () => {
    assert.equal(packageFile('package.json'), join(ROOT, 'package.json'));
    for (const path of ['proto/digger/v1/lookup.proto', 'proto/kubernetes/core.proto']) {
      assert.ok(existsSync(packageFile(path)), path);
    }
    assert.ok(existsSync(codeFile('page/assets/page.html')));
    assert.ok(existsSync(moduleFile('rpc/threads/carrier-thread')));
  });

  for (const place of ['dist/chunks', 'dist/rpc/threads', 'dist']) {
    it(`are found by code that a build put into ${place}`, (t) => {
      const folder = mkdtempSync(join(tmpdir(), 'digger-own-'));
      t.after(() => rmSync(folder, { recursive: true, force: true }));
      mkdirSync(join(folder, place), { recursive: true });
      writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
      assert.deepEqual(found(folder, place), ['proto/a.proto', 'dist/page/a.html', 'dist/rpc/a.ts']);
    });
  }

  it('are missed loudly where there is no package.json', (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'digger-own-'));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    mkdirSync(join(folder, 'dist'));
    assert.throws(() => found(folder, 'dist'), /no package\.json above \S+: files of digger are missing/);
  });
});

/** What the module says of three files when it lies there, relative to the folder. */
function found(folder: string, place: string): string[] {
  const file = join(folder, place, 'x.ts');
  copyFileSync(join(ROOT, 'src/package/own-files.ts'), file);
  const ask = `const { codeFile, moduleFile, packageFile } = await import(${JSON.stringify(file)});
    console.log(JSON.stringify([packageFile('proto/a.proto'), codeFile('page/a.html'), moduleFile('rpc/a')]));`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', ask], { encoding: 'utf8' });
  if (stdout === '') throw new Error(stderr);
  return (JSON.parse(stdout) as string[]).map((path) => path.slice(folder.length + 1));
}
