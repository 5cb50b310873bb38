// The logger's type, and how it is made: pino, one JSON object a line on stdout, pretty on a terminal.
//
// JSON escapes what would end a line. Pretty lines do not by themselves, so control characters of messages and fields are
// escaped before they are printed: a caller's text forges no line and moves no cursor. Only stacks keep their lines, which
// are indented.

import { type Logger, pino } from 'pino';

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
    hooks: { logMethod: escapeArguments },
    transport: { target: 'pino-pretty', options: { ignore: 'pid,hostname' } },
  });
}

// oxlint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g;

/** `a\nb` with the two characters of an escape in place of the line's end. */
export function escapeControls(text: string): string {
  return text.replace(CONTROL, (each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function escapeArguments(this: Logger, args: unknown[], method: (...given: never[]) => void): void {
  const escaped = args.map((each) => {
    if (typeof each === 'string') return escapeControls(each);
    if (typeof each !== 'object' || each === null || each instanceof Error) return each;
    const fields = Object.entries(each).map(([key, value]) => [
      key,
      typeof value === 'string' ? escapeControls(value) : value,
    ]);
    return Object.fromEntries(fields) as unknown;
  });
  method.apply(this, escaped as never[]);
}
