#!/usr/bin/env node
// The edge of the process: argv and environment in, exit code out. Of a service: 0: ended as asked; 1: could not start,
// or a bug; 2: the command line or the environment is wrong, with every problem on a line of its own. What the commands
// that ask a service end with is in cli/ask/exit-codes.ts.

import { type CommandLine, parseCommandLine } from './cli/line/command-line.ts';
import { describeConfig, parseConfig } from './options/config.ts';
import { becomeServingProcess } from './serving-process.ts';
import { VERSION } from './version.ts';

const USAGE_ERROR = 2;

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
// `engines` of package.json. Older ones lack what the drain needs, and would fail only there.
if (major < 22 || (major === 22 && minor < 19)) {
  refuse([`Node.js ${process.versions.node} is too old; allowed: 22.19 or later`]);
} else {
  await run(parseCommandLine(process.argv.slice(2), VERSION, Date.now()));
}

async function run(line: CommandLine): Promise<void> {
  switch (line.action) {
    case 'print':
      process.stdout.write(line.text);
      return;
    case 'refuse': {
      const result = parseConfig(line.flags, process.env);
      // What the environment says matters only to those who serve; their flags tell of it at the same time.
      const isServing = Object.keys(line.flags).length > 0;
      refuse([...line.problems, ...(result.ok || !isServing ? [] : result.problems)]);
      return;
    }
    case 'serve':
      return serve(line);
    case 'ask': {
      // `digger watch | head`: the reader has seen enough.
      process.stdout.on('error', (error: NodeJS.ErrnoException) => {
        if (error.code !== 'EPIPE') throw error;
        process.exit(0);
      });
      // Node warns of names that grpc-js gives to TLS; a person who asks a service cannot change that.
      process.noDeprecation = true;
      const { ask } = await import('./cli/ask/ask.ts');
      process.exitCode = await ask(line.order, process);
    }
  }
}

async function serve(line: CommandLine & { readonly action: 'serve' }): Promise<void> {
  const result = parseConfig(line.flags, process.env);
  if (!result.ok) {
    refuse(result.problems);
  } else if (line.printConfig) {
    process.stdout.write(`${JSON.stringify(describeConfig(result.config, result.sources), null, 2)}\n`);
  } else {
    becomeServingProcess();
    // Loaded only when needed: `--help` should not wait for gRPC and the Kubernetes client.
    const [{ startService }, { runCommand }] = await Promise.all([import('./service.ts'), import('./cli/run.ts')]);
    await runCommand({ command: line.command, config: result.config, startService, process });
  }
}

function refuse(problems: readonly string[]): void {
  for (const problem of problems) process.stderr.write(`digger: ${problem}\n`);
  process.exitCode = USAGE_ERROR;
}
