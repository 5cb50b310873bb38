// What callers send cannot look like a line that this service logs (13.13).
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ROOT } from '../project/repository.ts';
import { escapeControls } from '../../src/telemetry/escape-controls.ts';

const LOGGER = fileURLToPath(new URL('../../src/telemetry/logger.ts', import.meta.url));
const FORGED = 'x\n[08:00:00.000] INFO: forged\r\u001b[2K\u0085\u2028';

it('a log line in the pretty format cannot be forged, be it by a message, a field, a value in a message, or an error', () => {
  const script = `
    import { createLogger } from ${JSON.stringify(LOGGER)};
    const logger = createLogger({ level: 'debug', pretty: true });
    const forged = ${JSON.stringify(FORGED)};
    logger.info(forged);
    logger.info({ forged, in: { forged: [forged] } }, forged);
    logger.info('a value: %s', forged);
    logger.error(new Error(forged));
    logger.error({ err: new Error(forged) }, 'a call failed');
    logger.error({ err: new Error('outer', { cause: new Error(forged) }) }, 'a call failed');
    logger.error({ err: Object.assign(new Error('outer'), { detail: forged }) }, 'a call failed');
    logger.child({ peer: forged, in: [forged] }).child({ of: 'a child' }).warn('from a child of a child');
  `;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
    encoding: 'utf8',
  });
  const lines = stdout.split('\n');
  assert.equal(lines.filter((line) => line.startsWith('[')).length, 8, stdout + stderr);
  assert.equal(lines.filter((line) => line.startsWith('[08:00:00.000]')).length, 0, stdout);
  assert.match(stdout, /peer: [^]*of: "a child"/);
  for (const line of lines) {
    assert.ok(!/^ *\[08:00/.test(line), line);
    assert.ok(!line.includes('\u001b[2K') && !line.includes('\r') && !line.includes('\u0085'), JSON.stringify(line));
  }
});

it('control characters and separators of lines are shown, all else stays as it is', () => {
  assert.equal(escapeControls(FORGED), 'x\\u000a[08:00:00.000] INFO: forged\\u000d\\u001b[2K\\u0085\\u2028');
  for (const text of ['', 'plain', 'größe – 😀', 'a "quote" \\ here']) assert.equal(escapeControls(text), text);
});
const FORGED_LINE = '[12:00:00.000] INFO: forged';

for (const pretty of [false, true]) {
  it(`13.13 text with line ends stays in its line, ${pretty ? 'pretty' : 'as JSON'}`, () => {
    const script = `
      import { createLogger } from './src/telemetry/logger.ts';
      const logger = createLogger({ level: 'info', pretty: ${pretty} });
      const text = 'x\\n' + ${JSON.stringify(FORGED_LINE)} + '\\r\\u001b[2K';
      logger.warn({ user: text, nested: { deep: text } }, 'a caller: ' + text);
    `;
    const run = spawnSync(process.execPath, ['--input-type=module', '-e', script], { cwd: ROOT, encoding: 'utf8' });
    assert.equal(run.status, 0, run.stderr);
    assert.match(run.stdout, /forged/);
    for (const line of run.stdout.split('\n')) assert.ok(!line.startsWith('[12:00'), run.stdout);
    assert.ok(!run.stdout.includes('\u001b[2K') && !run.stdout.includes('\r'), JSON.stringify(run.stdout));
  });
}
