#!/usr/bin/env node
// The edge of the process: argv and environment in, exit code out. 0: ended as asked; 1: could not start, or a bug;
// 2: the command line or the environment is wrong, with every problem on a line of its own.

import { parseCommandLine } from './cli/program.ts';
import { runCommand } from './cli/run.ts';
import { describeConfig, parseConfig } from './config.ts';
import { VERSION } from './version.ts';

const USAGE_ERROR = 2;

const line = parseCommandLine(process.argv.slice(2), VERSION);
if (line.action === 'print') {
  process.stdout.write(line.text);
} else {
  const result = parseConfig(line.flags, process.env);
  const problems = [...(line.action === 'refuse' ? line.problems : []), ...(result.ok ? [] : result.problems)];
  if (problems.length > 0 || line.action === 'refuse' || !result.ok) {
    for (const problem of problems) process.stderr.write(`digger: ${problem}\n`);
    process.exitCode = USAGE_ERROR;
  } else if (line.printConfig) {
    process.stdout.write(`${JSON.stringify(describeConfig(result.config, result.sources), null, 2)}\n`);
  } else {
    // Loaded only when needed: `--help` should not wait for gRPC and the Kubernetes client.
    const { startService } = await import('./service.ts');
    await runCommand({ command: line.command, config: result.config, startService, process });
  }
}
