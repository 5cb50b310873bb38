// Builds dist/ from src/: compiles with tsc, copies what is not TypeScript, but not the Go module, and puts the
// `digger` command where npx finds it.
//
// dist/ lies as deep as src/, so `../../proto/` means the same folder from both, and the .proto files are not copied.

import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, globSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { putTogether } from './put-together.ts';

const root = join(import.meta.dirname, '..');
process.chdir(root);

rmSync('dist', { recursive: true, force: true });
// The second one: declarations of types for those who import `digger/client`.
for (const project of ['src', join('src', 'client')]) {
  const compiled = spawnSync(join('node_modules', '.bin', 'tsc'), ['-p', project], { stdio: 'inherit' });
  if (compiled.error !== undefined) throw compiled.error;
  if (compiled.status !== 0) process.exit(compiled.status ?? 1);
}

for (const file of globSync('src/**/*', { withFileTypes: true })) {
  if (!file.isFile() || /\.ts$|^tsconfig\.json$/.test(file.name) || /^src.go(\W|$)/.test(file.parentPath)) continue;
  const from = join(file.parentPath, file.name);
  const to = from.replace(/^src/, 'dist');
  mkdirSync(dirname(to), { recursive: true });
  cpSync(from, to);
}

if (existsSync('dist/main.js')) {
  if (!putTogether(root, 'dist')) {
    process.stderr.write('esbuild is not installed: what was built is whole, and takes longer to start\n');
  }
  chmodSync('dist/main.js', 0o755);
  // npx runs what it finds here. A `bin` entry in package.json would not do: for the command of the package itself, npx
  // first installs the checkout into its cache, and what is there then is not the build of this moment.
  const link = join('node_modules', '.bin', 'digger');
  rmSync(link, { force: true });
  symlinkSync(join('..', '..', 'dist', 'main.js'), link);
}
