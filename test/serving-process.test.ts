// Every way of starting digger serves with the Node options of the image.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, it } from 'node:test';
import { SERVING_ENVIRONMENT, SERVING_NODE_OPTIONS, servingReplacement } from '../src/serving-process.ts';
import { readText, ROOT } from './project/repository.ts';

const PLAIN = { execPath: '/bin/node', execArgv: [], argv: ['/bin/node', 'main.js', 'serve'], env: { HOME: '/' } };

describe('the serving process', () => {
  it('has the options and the environment of the image', () => {
    const dockerfile = readText('Dockerfile');
    const entryPoint = JSON.parse(/^ENTRYPOINT (\[.*\])$/m.exec(dockerfile)?.[1] ?? '[]') as string[];
    assert.deepEqual(entryPoint.slice(1, -1), [...SERVING_NODE_OPTIONS]);
    for (const [name, value] of Object.entries(SERVING_ENVIRONMENT)) {
      assert.match(dockerfile, new RegExp(`^ENV ${name}=${value}$`, 'm'));
    }
  });

  it('is the same program with what is missing, and no other change', () => {
    assert.deepEqual(servingReplacement({ ...PLAIN, execArgv: ['--inspect'] }), {
      file: '/bin/node',
      args: ['/bin/node', '--inspect', ...SERVING_NODE_OPTIONS, 'main.js', 'serve'],
      env: { HOME: '/', ...SERVING_ENVIRONMENT },
    });
  });

  it('is not replaced a second time', () => {
    const first = servingReplacement(PLAIN);
    assert.ok(first);
    const second = { ...PLAIN, execArgv: first.args.slice(1, 1 + SERVING_NODE_OPTIONS.length), env: first.env };
    assert.deepEqual(second.execArgv, [...SERVING_NODE_OPTIONS]);
    assert.equal(servingReplacement(second), undefined);
  });

  it('keeps a value that was given, on the command line or in NODE_OPTIONS, in either spelling', () => {
    for (const given of [
      { ...PLAIN, execArgv: ['--max_semi_space_size=64'] },
      { ...PLAIN, env: { ...PLAIN.env, NODE_OPTIONS: '--max-old-space-size=64 --max-semi-space-size=64' } },
    ]) {
      const { args } = servingReplacement(given) ?? assert.fail('nothing was missing');
      assert.deepEqual(args, ['/bin/node', ...given.execArgv, 'main.js', 'serve']);
      const env = { ...given.env, MALLOC_MMAP_THRESHOLD_: '1' };
      assert.equal(servingReplacement({ ...given, env }), undefined);
    }
  });

  it('keeps its pid, and serves', async () => {
    const child = spawn(
      process.execPath,
      [join(ROOT, 'src/main.ts'), 'demo', '--listen=127.0.0.1:0', '--admin-listen=127.0.0.1:0'],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    try {
      const lines = createInterface({ input: child.stdout });
      await once(lines, 'line', { signal: AbortSignal.timeout(60_000) });
      const started = readFileSync(`/proc/${child.pid}/cmdline`, 'utf8').split('\0');
      for (const option of SERVING_NODE_OPTIONS) assert.ok(started.includes(option), started.join(' '));
      assert.match(readFileSync(`/proc/${child.pid}/environ`, 'utf8'), /(^|\0)MALLOC_MMAP_THRESHOLD_=65536\0/);
    } finally {
      if (child.exitCode === null && child.kill()) await once(child, 'exit');
    }
  });
});
