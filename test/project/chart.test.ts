// What is made of other files in the Helm chart is what they would make now.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CHART, chartFiles } from '../../.ci/chart-files.ts';
import { readText, repositoryFiles } from './repository.ts';

test('the chart’s values, schema, README and copies of manifests are up to date (npm run chart)', () => {
  const made = chartFiles();
  for (const [path, text] of made) assert.equal(readText(path), text, `${path}: run npm run chart`);
  const copies = repositoryFiles().filter((file) => file.startsWith(`${CHART}/files/`));
  assert.deepEqual(
    copies.filter((file) => !made.has(file)),
    [],
  );
});
