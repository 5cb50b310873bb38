// The command line as a whole: what is to be done, or everything that is wrong with it.

import type { Flags } from '../../options/config.ts';
import { OPTION_NAMES, OPTIONS } from '../../options/options.ts';
import { oneOf } from '../../options/values.ts';
import { COMMAND_NAMES, isCommand, SHELLS } from './commands.ts';
import { completionScript } from './completion.ts';
import { generalHelp, helpOf } from './help.ts';
import { type Order, readOrder } from './orders.ts';
import { didYouMean } from '../../options/suggestion.ts';
import { Words } from './words.ts';

export type ServingCommand = 'serve' | 'demo';

export type CommandLine =
  | { readonly action: 'serve'; readonly command: ServingCommand; readonly flags: Flags; readonly printConfig: boolean }
  | { readonly action: 'ask'; readonly order: Order }
  /** To be printed on stdout, then exit 0. */
  | { readonly action: 'print'; readonly text: string }
  /** `flags`: of a service, so that their problems are told at the same time. */
  | { readonly action: 'refuse'; readonly problems: readonly string[]; readonly flags: Flags };

/** `args`: without the node binary and the script. Never throws for what the user typed. */
export function parseCommandLine(args: readonly string[], version: string, nowMs: number): CommandLine {
  const words = new Words(args);
  const { command, rest, problems } = words;
  if (words.given('help')) return { action: 'print', text: args.some(isCommand) ? helpOf(command) : generalHelp() };
  if (words.given('version')) return { action: 'print', text: `${version}\n` };
  switch (command) {
    case 'serve':
    case 'demo': {
      for (const word of rest)
        problems.push(`${word}: not expected behind digger ${command}${didYouMean(word, COMMAND_NAMES)}`);
      const flags = toFlags(words);
      if (problems.length > 0) return { action: 'refuse', problems, flags };
      return { action: 'serve', command, flags, printConfig: words.given('print-config') };
    }
    case 'help': {
      const [about, ...more] = rest;
      for (const word of more) problems.push(`${word}: one command at a time`);
      if (about !== undefined && !isCommand(about)) {
        problems.push(
          `${about}: unknown command${didYouMean(about, COMMAND_NAMES)}; allowed: ${COMMAND_NAMES.join(', ')}`,
        );
      }
      if (problems.length > 0) return { action: 'refuse', problems, flags: {} };
      return { action: 'print', text: isCommand(about) ? helpOf(about) : generalHelp() };
    }
    case 'completion': {
      const shell = words.value('shell', rest[0] ?? '', oneOf(...SHELLS)(rest[0] ?? ''));
      for (const word of rest.slice(1)) problems.push(`${word}: one shell at a time`);
      if (shell === undefined || problems.length > 0) return { action: 'refuse', problems, flags: {} };
      return { action: 'print', text: completionScript(shell) };
    }
    default: {
      const order = readOrder(words, command, nowMs);
      return problems.length > 0 ? { action: 'refuse', problems, flags: {} } : { action: 'ask', order };
    }
  }
}

function toFlags(words: Words): Flags {
  const flags: Record<string, string | true | readonly (string | true)[]> = {};
  for (const name of OPTION_NAMES) {
    const texts = words.texts.get(OPTIONS[name].flag.slice(2));
    const last = texts?.at(-1);
    if (texts === undefined || last === undefined) continue;
    flags[name] = OPTIONS[name].arity === 'many' ? texts : last;
  }
  return flags as Flags;
}
