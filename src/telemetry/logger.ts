// The logger's type, and how it is made: pino, one JSON object a line on stdout, pretty on a terminal.
//
// Nothing that is logged can look like a line of its own: JSON escapes what begins a line, the pretty format quotes
// fields, and messages and errors, which it prints as they are, are escaped before it sees them.

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
  const logger = pino({
    ...base,
    serializers: { err: escapeError },
    formatters: { log: escapeFields },
    hooks: { logMethod: logOnOneLine },
    transport: { target: 'pino-pretty', options: { ignore: 'pid,hostname' } },
  });
  // Children inherit this; pino has no formatter for what they are given.
  const { child } = logger;
  logger.child = function (this: Logger, ...[bindings, options]: Parameters<Logger['child']>) {
    return child.call(this, escapeFields(bindings), options);
  } as Logger['child'];
  return logger;
}

function logOnOneLine(this: Logger, given: Parameters<LogFn>, method: LogFn): void {
  const args: unknown[] = given.map((each: unknown) => (typeof each === 'string' ? escapeControls(each) : each));
  const [first] = args;
  // Without a message of its own an error's is taken, as it is.
  if (args.length === 1 && first instanceof Error) args.push(escapeControls(first.message));
  method.apply(this, args as Parameters<LogFn>);
}

/** As pino shows errors; where the pretty format prints the lines of a stack, none of them is a line of a message. */
function escapeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  return escapeTexts({ ...pino.stdSerializers.err(error) }, error);
}

/** Fields are quoted, which leaves what acts on terminals beyond ASCII. */
function escapeFields(fields: Record<string, unknown>): Record<string, unknown> {
  return escapeTexts(fields, undefined) as Record<string, unknown>;
}

/** Deeper than anything that is logged here. */
const MAX_DEPTH = 8;

/** `error`: whose texts they are, lines and all. Other errors have a serializer of their own. */
function escapeTexts(value: unknown, error: Error | undefined, depth = 0): unknown {
  if (typeof value === 'string') {
    if (error === undefined) return escapeControls(value);
    return withoutMessages(value, error).split('\n').map(escapeControls).join('\n');
  }
  if (value === null || typeof value !== 'object' || depth > MAX_DEPTH) return value;
  if (value instanceof Error && error === undefined) return value;
  if (Array.isArray(value)) return value.map((each: unknown) => escapeTexts(each, error, depth + 1));
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, escapeTexts(each, error, depth + 1)]));
}

/** Its message and those of its causes on one line each. */
function withoutMessages(text: string, error: Error): string {
  let escaped = text;
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 10; at = at.cause, depth++) {
    if (at.message.includes('\n')) escaped = escaped.replaceAll(at.message, escapeControls(at.message));
  }
  return escaped;
}
