// Scripts that complete digger's command lines in a shell, from the table of commands. They hold all words themselves,
// so that completing starts no process.

import { COMMAND_NAMES, type CommandName, type CommandOption, COMMANDS, optionsOf, type Shell } from './commands.ts';

export function completionScript(shell: Shell): string {
  switch (shell) {
    case 'bash':
      return bash();
    case 'zsh':
      // zsh runs bash's completions; the table would be the same.
      return `#compdef digger\nautoload -U +X bashcompinit && bashcompinit\n${bash()}`;
    case 'fish':
      return fish();
  }
}

function bash(): string {
  const cases = COMMAND_NAMES.map((command) => {
    const words = [...flagsOf(command), ...wordsOf(command)].join(' ');
    return `    ${command}) words='${words}' ;;`;
  });
  const values = valuesByFlag().map(
    ([flag, allowed]) => `    ${flag}) COMPREPLY=($(compgen -W '${allowed}' -- "$current")); return ;;`,
  );
  return `_digger() {
  local current="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" command=serve words word
  case "$before" in
${values.join('\n')}
    --*file|--kubeconfig|--tls-*) COMPREPLY=($(compgen -f -- "$current")); return ;;
  esac
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in ${COMMAND_NAMES.join('|')}) command="$word"; break ;; esac
  done
  case "$command" in
${cases.join('\n')}
  esac
  [ "$COMP_CWORD" -eq 1 ] && words="${COMMAND_NAMES.join(' ')} $words"
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -F _digger digger
`;
}

function fish(): string {
  const lines = [`complete -c digger -f`];
  for (const command of COMMAND_NAMES) {
    const { summary } = COMMANDS[command];
    lines.push(`complete -c digger -n __fish_use_subcommand -a ${command} -d ${quoted(summary)}`);
    const seen = `-n '__fish_seen_subcommand_from ${command}'`;
    for (const word of wordsOf(command)) lines.push(`complete -c digger ${seen} -a ${word}`);
    for (const [name, option] of Object.entries(optionsOf(command))) lines.push(fishOption(seen, name, option));
  }
  return `${lines.join('\n')}\n`;
}

function fishOption(seen: string, name: string, { short, placeholder, values, meaning }: CommandOption): string {
  const value = placeholder === '' ? '' : values === undefined ? ' -r' : ` -x -a '${values.join(' ')}'`;
  const files = placeholder === 'path' ? ' -F' : '';
  return `complete -c digger ${seen}${short === undefined ? '' : ` -s ${short}`} -l ${name}${value}${files} -d ${quoted(meaning)}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

function flagsOf(command: CommandName): readonly string[] {
  return Object.keys(optionsOf(command)).map((name) => `--${name}`);
}

function wordsOf(command: CommandName): readonly string[] {
  if (command === 'help') return COMMAND_NAMES;
  const described = COMMANDS[command];
  return 'words' in described ? described.words : [];
}

/** Options that allow only some values: `--output|-o`, and the values. */
function valuesByFlag(): readonly (readonly [string, string])[] {
  const found = new Map<string, string>();
  for (const command of COMMAND_NAMES) {
    for (const [name, { short, values }] of Object.entries(optionsOf(command))) {
      if (values !== undefined) found.set(short === undefined ? `--${name}` : `--${name}|-${short}`, values.join(' '));
    }
  }
  return [...found];
}
