// Builds dist/ from src/: compiles with tsc, copies what is not TypeScript, and puts the `digger` command where npx finds it.
//
// dist/ lies as deep as src/, so `../../proto/` means the same folder from both, and the .proto files are not copied.

import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, globSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';

const root = join(import.meta.dirname, '..');
process.chdir(root);

rmSync('dist', { recursive: true, force: true });
const compiled = spawnSync(join('node_modules', '.bin', 'tsc'), ['-p', 'src'], { stdio: 'inherit' });
if (compiled.error !== undefined) throw compiled.error;
if (compiled.status !== 0) process.exit(compiled.status ?? 1);

for (const file of globSync('src/**/*', { withFileTypes: true })) {
  if (!file.isFile() || /\.ts$|^tsconfig\.json$/.test(file.name)) continue;
  const from = join(file.parentPath, file.name);
  const to = from.replace(/^src/, 'dist');
  mkdirSync(dirname(to), { recursive: true });
  cpSync(from, to);
}

if (existsSync('dist/main.js')) {
  chmodSync('dist/main.js', 0o755);
  // npm links the commands of dependencies, never those of the package itself. With this link `npx digger` runs the
  // checkout's build at once; without it npx would install the checkout into its cache first.
  const link = join('node_modules', '.bin', 'digger');
  rmSync(link, { force: true });
  symlinkSync(join('..', '..', 'dist', 'main.js'), link);
}
