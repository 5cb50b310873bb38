// The version that runs, read from package.json.

import { readFileSync } from 'node:fs';
import { packageFile } from './package/own-files.ts';

interface PackageJson {
  readonly version: string;
}

export const VERSION: string = (JSON.parse(readFileSync(packageFile('package.json'), 'utf8')) as PackageJson).version;
