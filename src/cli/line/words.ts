// The words of one command line: which command, its options, what stands beside them, and everything that is wrong with
// it. Every problem is collected, so that people do not have to fix a line one error at a time.
//
// The words are split by Node's own parser (util.parseArgs); options may stand before or behind the command.

import { parseArgs } from 'node:util';
import type { Parsed, Parser } from '../../options/values.ts';
import { COMMAND_NAMES, type CommandName, type CommandOption, isCommand, optionsOf } from './commands.ts';
import { didYouMean } from '../../options/suggestion.ts';

export class Words {
  readonly command: CommandName;
  readonly problems: string[] = [];
  /** What is neither an option nor its value, behind the command. */
  readonly rest: readonly string[];
  readonly #options: Readonly<Record<string, CommandOption>>;
  /** By long name; `true` for one without a value. */
  readonly #given = new Map<string, (string | true)[]>();

  constructor(args: readonly string[]) {
    const tokens = tokenize(args);
    const positionals = tokens.filter((token, index) => {
      if (token.kind !== 'positional') return false;
      // A word behind an unknown option is most likely its value.
      const before = tokens[index - 1];
      return before?.kind !== 'option' || EVERY_OPTION[before.name] !== undefined || before.value !== undefined;
    });
    const [first, ...rest] = positionals.map(({ value }) => value ?? '');
    if (first === undefined || isCommand(first)) {
      this.command = first ?? 'serve';
      this.rest = rest;
    } else {
      this.command = 'serve';
      this.rest = [];
      this.problems.push(
        `${first}: unknown command${didYouMean(first, COMMAND_NAMES)}; allowed: ${COMMAND_NAMES.join(', ')}`,
      );
    }
    this.#options = optionsOf(this.command);
    for (const token of tokens) if (token.kind === 'option') this.#take(token);
  }

  given(name: string): boolean {
    return this.#given.has(name);
  }

  /** Everything that was given, as it was. */
  get texts(): ReadonlyMap<string, readonly (string | true)[]> {
    return this.#given;
  }

  all<T>(name: string, parse: Parser<T>): readonly T[] {
    const { defaultText } = this.#options[name] ?? {};
    const texts = this.#given.get(name) ?? (defaultText === undefined ? [] : [defaultText]);
    return texts.flatMap((text) => {
      if (text === true) {
        this.problems.push(`--${name}: needs a value`);
        return [];
      }
      const value = this.value(`--${name}`, text, parse(text));
      return value === undefined ? [] : [value];
    });
  }

  /** An option given twice means its last value, as with kubectl. */
  last<T>(name: string, parse: Parser<T>): T | undefined {
    return this.all(name, parse).at(-1);
  }

  /** Notes what is wrong with a value. */
  value<T>(shown: string, given: string, parsed: Parsed<T>): T | undefined {
    if (parsed.ok) return parsed.value;
    this.problems.push(`${shown}: got ${JSON.stringify(given)}; allowed: ${parsed.allowed}`);
    return undefined;
  }

  #take({ name, rawName, value }: OptionToken): void {
    const option = this.#options[name];
    if (option === undefined) {
      const owner = COMMAND_NAMES.find((command) => optionsOf(command)[name] !== undefined);
      const hint =
        owner === undefined
          ? didYouMean(
              rawName,
              Object.keys(this.#options).map((known) => `--${known}`),
            )
          : ` (it is an option of digger ${owner})`;
      this.problems.push(`${rawName}: unknown option${hint}; digger ${this.command} --help lists those that are known`);
      return;
    }
    const isSwitch = option.placeholder === '';
    const texts = this.#given.get(name) ?? [];
    texts.push(value ?? true);
    // A switch with a value is for its reader to refuse; `--allow-plaintext=false` is meant.
    if (isSwitch && value !== undefined && !(value === 'true' || value === 'false')) {
      this.problems.push(`${rawName}: takes no value; got ${JSON.stringify(value)}`);
    }
    this.#given.set(name, texts);
  }
}

interface OptionToken {
  readonly kind: 'option';
  readonly name: string;
  readonly rawName: string;
  readonly value: string | undefined;
}

type Token = OptionToken | { readonly kind: 'positional'; readonly value: string };

/** Every option of every command: a name means the same arity everywhere, which a test holds. */
const EVERY_OPTION: Readonly<Record<string, CommandOption>> = Object.assign(
  {},
  ...COMMAND_NAMES.map((command) => optionsOf(command)),
);

function tokenize(args: readonly string[]): Token[] {
  const options = Object.fromEntries(
    Object.entries(EVERY_OPTION).map(([name, { placeholder, short }]) => [
      name,
      {
        type: placeholder === '' ? ('boolean' as const) : ('string' as const),
        ...(short === undefined ? {} : { short }),
      },
    ]),
  );
  const { tokens } = parseArgs({ args: [...args], options, strict: false, allowPositionals: true, tokens: true });
  return tokens.flatMap((token): Token[] => {
    if (token.kind === 'positional') return [{ kind: 'positional', value: token.value }];
    if (token.kind !== 'option') return [];
    const { name, rawName, value, inlineValue } = token;
    // `--kubeconfig --context x`: a value that looks like an option was forgotten. The option behind it counts.
    if (value !== undefined && inlineValue === false && value.startsWith('--') && value.length > 2) {
      return [{ kind: 'option', name, rawName, value: undefined }, ...tokenize([value])];
    }
    return [{ kind: 'option', name, rawName, value }];
  });
}
