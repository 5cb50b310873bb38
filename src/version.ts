// The version that runs, read from package.json, which lies as far from dist/ as from src/.

import { readFileSync } from 'node:fs';

interface PackageJson {
  readonly version: string;
}

export const VERSION: string = (
  JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as PackageJson
).version;
