// Where the files are that come with the program: the .proto files, package.json, what a thread begins with.
//
// Says it by the nearest package.json above this file, and not by the place of the module that needs a file: what a
// build makes may have been put together from many modules, and lies elsewhere than they did.

import { existsSync } from 'node:fs';
import { dirname, extname, join, relative, sep } from 'node:path';

const ROOT = findRoot(import.meta.dirname);
/** `src` or `dist`. */
const [CODE = ''] = relative(ROOT, import.meta.dirname).split(sep);
const EXTENSION = extname(import.meta.filename);

/** Path of a file beside the code: `package.json`. */
export function packageFile(path: string): string {
  return join(ROOT, path);
}

/** Path of a file among the code that is no module: `page/assets/page.html`. */
export function codeFile(path: string): string {
  return join(ROOT, CODE, path);
}

/** Path of a module, given without extension: TypeScript among the sources, JavaScript once compiled. */
export function moduleFile(path: string): string {
  return codeFile(`${path}${EXTENSION}`);
}

function findRoot(folder: string): string {
  if (existsSync(join(folder, 'package.json'))) return folder;
  const parent = dirname(folder);
  if (parent === folder) throw new Error(`no package.json above ${import.meta.dirname}: files of digger are missing`);
  return findRoot(parent);
}
