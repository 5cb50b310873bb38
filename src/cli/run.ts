// One run of the service, from start to exit: starts it, hands signals to it, and makes every end visible.
//
// The first SIGTERM or SIGINT drains and exits 0 (1 when the drain overruns its time); a second one exits at once with
// 128 + its number. An unhandled error is a bug: it is logged as fatal, and the process ends with 1; so it does when
// the service says that it must not go on.

import type { Config } from '../options/options.ts';
import type { RunningService, StartService } from '../service.ts';
import { createLogger, type Logger } from '../telemetry/logger.ts';
import { StartError } from '../start-error.ts';
import type { ServingCommand } from './line/command-line.ts';

/** What a run needs of the process; tests give their own. */
export interface ProcessEdge {
  readonly stdout: { readonly isTTY?: boolean; write(text: string): boolean };
  readonly stderr: { write(text: string): boolean };
  on(event: 'SIGTERM' | 'SIGINT', listener: (signal: NodeJS.Signals) => void): unknown;
  on(event: 'uncaughtException', listener: (error: unknown) => void): unknown;
  exit(code: number): void;
}

export interface RunOptions {
  readonly command: ServingCommand;
  readonly config: Config;
  readonly startService: StartService;
  readonly process: ProcessEdge;
  readonly logger?: Logger;
}

// stop() keeps the drain timeout itself; this much later the process no longer believes it.
const STOP_GRACE_MS = 5_000;

const SIGNAL_NUMBERS = { SIGINT: 2, SIGTERM: 15 } as const;

/** Resolves when the service runs, or when its start was given up; the process ends through `process.exit`. */
export async function runCommand(options: RunOptions): Promise<void> {
  const { config, process: edge } = options;
  const pretty = config.logFormat === 'pretty' || (config.logFormat === 'auto' && edge.stdout.isTTY === true);
  const logger = options.logger ?? createLogger({ level: config.logLevel, pretty });
  const giveUp = new AbortController();
  let running: RunningService | undefined;
  let stopping = false;

  const stop = (): void => {
    const overrun = setTimeout(() => {
      logger.fatal({ drainTimeoutMs: config.drainTimeoutMs }, 'did not stop in time');
      edge.exit(1);
    }, config.drainTimeoutMs + STOP_GRACE_MS);
    Promise.resolve(running?.stop()).then(
      () => {
        clearTimeout(overrun);
        logger.info('stopped');
        edge.exit(0);
      },
      (error: unknown) => {
        clearTimeout(overrun);
        logger.fatal({ err: error }, 'failed to stop');
        edge.exit(1);
      },
    );
  };

  const fail = (problem: string): void => {
    logger.fatal(problem);
    edge.exit(1);
  };

  const onSignal = (signal: NodeJS.Signals): void => {
    if (stopping) {
      edge.exit(128 + SIGNAL_NUMBERS[signal as keyof typeof SIGNAL_NUMBERS]);
      return;
    }
    stopping = true;
    logger.info({ signal, drainTimeoutMs: config.drainTimeoutMs }, 'stopping');
    giveUp.abort(new Error(`${signal} before the start was complete`));
    // While starting, the start below ends first and then stops what it got.
    if (running !== undefined) stop();
  };
  edge.on('SIGTERM', onSignal);
  edge.on('SIGINT', onSignal);
  // Unhandled rejections arrive here too.
  edge.on('uncaughtException', (error) => {
    logger.fatal({ err: error }, 'bug: an unhandled error');
    edge.exit(1);
  });

  try {
    const serviceOptions = { config, logger, signal: giveUp.signal, fail };
    switch (options.command) {
      case 'serve':
        running = await options.startService(serviceOptions);
        break;
      case 'demo': {
        // Loaded only here: what serves a real cluster has no use for a simulated one.
        const { startDemo } = await import('./demo.ts');
        running = await startDemo({ ...serviceOptions, startService: options.startService, out: edge.stdout });
      }
    }
  } catch (error) {
    if (stopping) {
      stop();
      return;
    }
    // What the person who started it can fix is told in a line; anything else is a bug, with its stack.
    if (error instanceof StartError) edge.stderr.write(`digger: ${error.message}\n`);
    else logger.fatal({ err: error }, 'could not start');
    edge.exit(1);
    return;
  }
  if (stopping) {
    stop();
    return;
  }
  const { address, adminAddress, cluster } = running;
  logger.info({ address, adminAddress, ...(cluster === undefined ? {} : { cluster }) }, 'serving');
}
