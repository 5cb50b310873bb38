// The form of an option, and the four kinds of it: given once with a default, once or not at all, as a mere switch, or
// any number of times.
//
// A text is parsed in the same way whether it comes from the command line, the environment or the default. What is
// wrong is said with the text that was given and what is allowed.

import { type Parser, parseSwitch } from './values.ts';

/** How an option is given: once, any number of times (in the environment separated by commas), or as a mere flag. */
export type Arity = 'one' | 'many' | 'switch';

export interface Option<T> {
  /** Long flag with its dashes. */
  readonly flag: string;
  /** What stands for the value in help; empty for a switch. */
  readonly placeholder: string;
  /** Parsed like anything given; `undefined`: unset. */
  readonly defaultText: string | undefined;
  readonly arity: Arity;
  readonly meaning: string;
  /** All texts of one source together; a problem names the one text that is wrong. */
  readonly parseAll: (texts: readonly string[]) => ParsedAll<T>;
}

export type ParsedAll<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly { readonly given: string; readonly allowed: string }[] };

/** The environment variable of an option: `--admin-listen` is `DIGGER_ADMIN_LISTEN`. */
export function environmentVariable(option: Pick<Option<unknown>, 'flag'>): string {
  return `DIGGER_${option.flag.slice(2).replaceAll('-', '_').toUpperCase()}`;
}

export function one<T>(
  flag: string,
  placeholder: string,
  defaultText: string,
  parse: Parser<T>,
  meaning: string,
): Option<T> {
  return { flag, placeholder, defaultText, arity: 'one', meaning, parseAll: (texts) => parseLast(texts, parse) };
}

export function optional<T>(
  flag: string,
  placeholder: string,
  parse: Parser<T>,
  meaning: string,
): Option<T | undefined> {
  const parseAll = (texts: readonly string[]): ParsedAll<T | undefined> =>
    texts.length === 0 ? { ok: true, value: undefined } : parseLast(texts, parse);
  return { flag, placeholder, defaultText: undefined, arity: 'one', meaning, parseAll };
}

export function toggle(flag: string, meaning: string): Option<boolean> {
  return {
    flag,
    placeholder: '',
    defaultText: 'false',
    arity: 'switch',
    meaning,
    parseAll: (texts) => parseLast(texts, parseSwitch),
  };
}

export function many<T>(flag: string, placeholder: string, parse: Parser<T>, meaning: string): Option<readonly T[]> {
  const parseAll = (texts: readonly string[]): ParsedAll<readonly T[]> => {
    const values: T[] = [];
    const problems: { given: string; allowed: string }[] = [];
    for (const text of texts) {
      const parsed = parse(text.trim());
      if (parsed.ok) values.push(parsed.value);
      else problems.push({ given: text, allowed: parsed.allowed });
    }
    return problems.length > 0 ? { ok: false, problems } : { ok: true, value: values };
  };
  return { flag, placeholder, defaultText: undefined, arity: 'many', meaning, parseAll };
}

// A flag given twice means its last value, as with kubectl.
function parseLast<T>(texts: readonly string[], parse: Parser<T>): ParsedAll<T> {
  const given = texts.at(-1) ?? '';
  const parsed = parse(given);
  return parsed.ok ? parsed : { ok: false, problems: [{ given, allowed: parsed.allowed }] };
}
