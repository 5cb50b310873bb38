// Writes docs/options.md, the table of all options, from the table in src/options/options.ts. A test fails when it is
// out of date.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { optionsDocument } from '../src/cli/options-document.ts';

writeFileSync(join(import.meta.dirname, '..', 'docs', 'options.md'), optionsDocument());
