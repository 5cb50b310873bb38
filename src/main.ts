#!/usr/bin/env node
// The edge of the process: argv and environment in, exit code out. Of a service: 0: ended as asked; 1: could not start,
// or a bug; 2: the command line or the environment is wrong, with every problem on a line of its own. What the commands
// that ask a service end with stands in cli/exit-codes.ts.

import { parseAskLine } from './cli/ask-line.ts';
import { type CommandLine, parseCommandLine } from './cli/program.ts';
import { runCommand } from './cli/run.ts';
import { describeConfig, parseConfig } from './options/config.ts';
import { VERSION } from './version.ts';

const USAGE_ERROR = 2;

const args = process.argv.slice(2);
const askLine = parseAskLine(args, Date.now());
switch (askLine?.action) {
  case undefined:
    await serve(parseCommandLine(args, VERSION));
    break;
  case 'print':
    process.stdout.write(askLine.text);
    break;
  case 'refuse':
    refuse(askLine.problems);
    break;
  case 'ask': {
    // `digger watch | head`: whoever reads has seen enough.
    process.stdout.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
      process.exit(0);
    });
    const { ask } = await import('./cli/ask.ts');
    process.exitCode = await ask(askLine.order, process);
  }
}

async function serve(line: CommandLine): Promise<void> {
  if (line.action === 'print') {
    process.stdout.write(line.text);
    return;
  }
  const result = parseConfig(line.flags, process.env);
  const problems = [...(line.action === 'refuse' ? line.problems : []), ...(result.ok ? [] : result.problems)];
  if (problems.length > 0 || line.action === 'refuse' || !result.ok) {
    refuse(problems);
  } else if (line.printConfig) {
    process.stdout.write(`${JSON.stringify(describeConfig(result.config, result.sources), null, 2)}\n`);
  } else {
    // Loaded only when needed: `--help` should not wait for gRPC and the Kubernetes client.
    const { startService } = await import('./service.ts');
    await runCommand({ command: line.command, config: result.config, startService, process });
  }
}

function refuse(problems: readonly string[]): void {
  for (const problem of problems) process.stderr.write(`digger: ${problem}\n`);
  process.exitCode = USAGE_ERROR;
}
