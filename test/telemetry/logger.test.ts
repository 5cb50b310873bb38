// Lines of the log cannot be forged by what somebody sends, in either format.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { ROOT } from '../project/repository.ts';

const FORGED = '[12:00:00.000] INFO: forged';

for (const pretty of [false, true]) {
  test(`13.13 text with line ends stays in its line, ${pretty ? 'pretty' : 'as JSON'}`, () => {
    const script = `
      import { createLogger } from './src/telemetry/logger.ts';
      const logger = createLogger({ level: 'info', pretty: ${pretty} });
      const text = 'x\\n' + ${JSON.stringify(FORGED)} + '\\r\\u001b[2K';
      logger.warn({ user: text, nested: { deep: text } }, 'a caller: ' + text);
    `;
    const run = spawnSync(process.execPath, ['--input-type=module', '-e', script], { cwd: ROOT, encoding: 'utf8' });
    assert.equal(run.status, 0, run.stderr);
    assert.match(run.stdout, /forged/);
    for (const line of run.stdout.split('\n')) assert.ok(!line.startsWith('[12:00'), run.stdout);
    assert.ok(!run.stdout.includes('\u001b[2K') && !run.stdout.includes('\r'), JSON.stringify(run.stdout));
  });
}
