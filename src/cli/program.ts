// The command line of what serves: which command, and the texts of its options. Reads argv only; what the texts mean is
// config.ts's. The commands that ask a service have lines of their own, see ask-line.ts.
//
// Every problem of a command line is collected, so that nobody has to repair it one error at a time.

import { Command, Option as CommanderOption } from 'commander';
import type { Flags } from '../options/config.ts';
import { environmentVariable, OPTION_NAMES, OPTIONS } from '../options/options.ts';
import { ASK_COMMANDS } from './ask-line.ts';

export type CommandName = 'serve' | 'demo';

export const COMMANDS: Readonly<Record<CommandName, string>> = {
  serve: 'serve what the cluster of the kubeconfig (or the one that digger runs in) says; the default',
  demo: 'start a simulated cluster in this process and serve that: needs no Kubernetes',
};

export type CommandLine =
  | { readonly action: 'run'; readonly command: CommandName; readonly flags: Flags; readonly printConfig: boolean }
  /** To be printed on stdout, then exit 0. */
  | { readonly action: 'print'; readonly text: string }
  | { readonly action: 'refuse'; readonly problems: readonly string[]; readonly flags: Flags };

/** `args`: without the node binary and the script. */
export function parseCommandLine(args: readonly string[], version: string): CommandLine {
  if (args.includes('--help') || args.includes('-h')) return { action: 'print', text: helpText(version) };
  if (args.includes('--version')) return { action: 'print', text: `${version}\n` };
  let command: CommandName = 'serve';
  let rest: readonly string[] = [];
  const program = createProgram(version);
  for (const [name, description] of Object.entries(COMMANDS)) {
    program
      .command(name, { isDefault: name === 'serve' })
      .description(description)
      .allowUnknownOption()
      .allowExcessArguments()
      .action((_options: unknown, invoked: Command) => {
        command = name as CommandName;
        rest = invoked.args;
      });
  }
  program.parse(args, { from: 'user' });
  const { printConfig = false, ...flags } = program.opts<Flags & { printConfig?: boolean }>();
  const problems = describeRest(rest);
  if (problems.length > 0) return { action: 'refuse', problems, flags };
  return { action: 'run', command, flags, printConfig };
}

/** What `--help` prints: commands, then every option with its variable and default. */
export function helpText(version: string): string {
  const program = createProgram(version).helpCommand(false).addHelpText('after', AFTER_HELP);
  for (const [name, description] of Object.entries(COMMANDS)) program.command(name).description(description);
  for (const [name, description] of Object.entries(ASK_COMMANDS)) {
    program.command(name).description(`${description}; see digger ${name} --help`);
  }
  let text = '';
  program.configureOutput({ writeOut: (chunk) => (text += chunk), getOutHelpWidth: () => 120 });
  program.outputHelp();
  return text;
}

const AFTER_HELP = `
Each option can be set by the environment variable in brackets; a flag wins over it. Options that may be given more
than once take several values from the environment, separated by commas. Durations: 500ms, 30s, 10m, 1h30m.`;

function createProgram(version: string): Command {
  const program = new Command('digger')
    .description('Tells who is behind an address in a Kubernetes cluster, over gRPC.')
    .usage('[command] [options]')
    .configureHelp({ optionTerm: (option) => option.flags.replace('[', '<').replace(']', '>') })
    .allowUnknownOption();
  for (const name of OPTION_NAMES) {
    const { flag, placeholder, meaning, defaultText, arity } = OPTIONS[name];
    // Commander would stop at the first flag without a value; optional values leave that to parseConfig.
    const term = arity === 'switch' ? flag : `${flag} [${placeholder}]`;
    const notes = [environmentVariable(OPTIONS[name])];
    if (arity === 'many') notes.push('repeatable');
    else if (arity === 'one' && defaultText !== undefined) notes.push(`default ${defaultText}`);
    const option = new CommanderOption(term, `${meaning} [${notes.join(', ')}]`);
    if (arity === 'many') {
      // `true` stands for a flag without a value.
      option.argParser((text: string, before: (string | true)[] | true | undefined) =>
        before === undefined ? [text] : [before, text].flat(),
      );
    }
    option.attributeName = () => name;
    program.addOption(option);
  }
  return program
    .option('--print-config', 'print the effective configuration as JSON, with the source of each value, and exit')
    .version(version, '--version', 'print the version and exit')
    .helpOption('-h, --help', 'print this help and exit');
}

// What commander took for neither option nor command. A word behind an unknown flag is most likely the flag's value.
function describeRest(rest: readonly string[]): string[] {
  const problems: string[] = [];
  for (const [index, word] of rest.entries()) {
    if (word.startsWith('-'))
      problems.push(`${word.split('=')[0]}: unknown option; allowed are those that --help lists`);
    else if (Object.hasOwn(ASK_COMMANDS, word)) problems.push(`${word}: stands first: digger ${word} …`);
    else if (!/^-[^=]*$/.test(rest[index - 1] ?? '')) {
      problems.push(
        `${word}: unknown command; allowed is one of ${[COMMANDS, ASK_COMMANDS].flatMap(Object.keys).join(', ')}`,
      );
    }
  }
  return problems;
}
