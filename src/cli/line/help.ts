// What `digger --help` and `digger COMMAND --help` print, from the table of commands.

import { exitCodesOf } from '../ask/exit-codes.ts';
import { COMMAND_NAMES, type CommandName, type CommandOption, COMMANDS, optionsOf } from './commands.ts';

const COLUMNS = 120;

/** Commands, then the options of a service, each with its environment variable and default. */
export function generalHelp(): string {
  const commands = COMMAND_NAMES.map((name): [string, string] => [name, COMMANDS[name].summary]);
  return `Usage: digger [command] [options]

Tells who is behind an address in a Kubernetes cluster, over gRPC.

Commands:
${rows(commands)}
Options of serve and demo; those of other commands: digger COMMAND --help.
${optionRows('serve')}
Each option can be set by the environment variable in brackets; a flag wins over it. Options that may be given more
than once take several values from the environment, separated by commas. Durations: 500ms, 30s, 10m, 1h30m.
`;
}

/** The usage and the options of one command. */
export function helpOf(command: CommandName): string {
  if (command === 'help') return generalHelp();
  const usage = `${COMMANDS[command].usage}\n\nOptions:\n${optionRows(command)}`;
  if (command === 'serve' || command === 'demo' || command === 'completion') return usage;
  const codes = exitCodesOf(command).map(([code, meaning]): [string, string] => [String(code), meaning]);
  return `${usage}\nExit codes:\n${rows(codes)}`;
}

function optionRows(command: CommandName): string {
  return rows(Object.entries(optionsOf(command)).map(([name, option]) => [term(name, option), meaning(option)]));
}

function term(name: string, { placeholder, short }: CommandOption): string {
  return `${short === undefined ? '' : `-${short}, `}--${name}${placeholder === '' ? '' : ` <${placeholder}>`}`;
}

function meaning({ meaning: text, defaultText }: CommandOption): string {
  return defaultText === undefined ? text : `${text} [default ${defaultText}]`;
}

/** Two columns; the second one is wrapped. */
function rows(table: readonly (readonly [string, string])[]): string {
  const width = Math.max(...table.map(([left]) => left.length));
  const indent = ' '.repeat(width + 4);
  return table
    .map(([left, right]) => `  ${left.padEnd(width)}  ${wrap(right, COLUMNS - indent.length).join(`\n${indent}`)}\n`)
    .join('');
}

function wrap(text: string, columns: number): string[] {
  const lines: string[] = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? '';
    if (line !== '' && line.length + 1 + word.length > columns) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines;
}
