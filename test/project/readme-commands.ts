// The command lines that README.md shows, with the output that it shows below them.
//
// A ```console block holds lines with `$ ` and below each its output; a ```sh block holds commands alone. A trailing
// backslash continues a command.

export interface ShownCommand {
  readonly command: string;
  /** Empty when none is shown. */
  readonly output: string;
}

export function shownCommands(markdown: string): readonly ShownCommand[] {
  const shown: ShownCommand[] = [];
  for (const [, language, body] of markdown.matchAll(/^```(console|sh)\n([\s\S]*?)^```$/gm)) {
    const lines = (body ?? '')
      .replaceAll(/\\\n\s*/g, '')
      .split('\n')
      .filter((line) => line !== '');
    let current: { command: string; output: string[] } | undefined;
    const finish = () => current && shown.push({ command: current.command, output: current.output.join('\n') });
    for (const line of lines) {
      const command = language === 'sh' ? line : /^\$ (.*)$/.exec(line)?.[1];
      if (command === undefined) current?.output.push(line);
      else {
        finish();
        current = { command: command.replace(/\s+#.*$/, '').trim(), output: [] };
      }
    }
    finish();
  }
  return shown.filter(({ command }) => command !== '' && !command.startsWith('#'));
}

/** Words of a command line; single and double quotes hold words together. */
export function splitWords(command: string): readonly string[] {
  return [...command.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
    ([, single, double, bare]) => single ?? double ?? bare ?? '',
  );
}

export type GrpcurlCall =
  | { readonly verb: 'list' | 'describe'; readonly address: string; readonly symbol: string | undefined }
  | { readonly verb: 'call'; readonly address: string; readonly method: string; readonly data: string | undefined };

/** A line for grpcurl taken apart; `undefined` when it uses more of grpcurl than `-plaintext` and `-d`. */
export function parseGrpcurl(command: string): GrpcurlCall | undefined {
  const [program, ...words] = splitWords(command);
  if (program !== 'grpcurl') return undefined;
  let data: string | undefined;
  const rest: string[] = [];
  while (words.length > 0) {
    const word = words.shift() ?? '';
    if (word === '-d') data = words.shift();
    else if (word === '-plaintext') continue;
    else if (word.startsWith('-')) return undefined;
    else rest.push(word);
  }
  const [address, verb, symbol] = rest;
  if (address === undefined || verb === undefined) return undefined;
  if (verb === 'list' || verb === 'describe') return { verb, address, symbol };
  return { verb: 'call', address, method: verb, data };
}
