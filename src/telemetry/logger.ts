// The logger's type, and how it is made: pino, one JSON object a line on stdout, pretty on a terminal.
//
// Nothing that is logged can look like a line of its own: JSON escapes what begins a line, the pretty format quotes
// fields, and messages, which it prints as they are, are escaped before it sees them.

import { type Logger, type LogFn, pino } from 'pino';

import { escapeControls } from './escape-controls.ts';

export type { Logger } from 'pino';

export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent';

export interface LoggerOptions {
  readonly level: LogLevel;
  /** Human-readable lines instead of JSON. */
  readonly pretty: boolean;
}

export function createLogger(options: LoggerOptions): Logger {
  const base = { level: options.level, base: null, timestamp: pino.stdTimeFunctions.isoTime };
  if (!options.pretty) return pino({ ...base, formatters: { level: (label) => ({ level: label }) } });
  return pino({
    ...base,
    hooks: { logMethod: logOnOneLine },
    transport: { target: 'pino-pretty', options: { ignore: 'pid,hostname' } },
  });
}

function logOnOneLine(this: Logger, given: Parameters<LogFn>, method: LogFn): void {
  const args: unknown[] = given.map((each: unknown) => (typeof each === 'string' ? escapeControls(each) : each));
  const [first] = args;
  // Without a message of its own an error's is taken, as it is.
  if (args.length === 1 && first instanceof Error) args.push(escapeControls(first.message));
  method.apply(this, args as Parameters<LogFn>);
}
