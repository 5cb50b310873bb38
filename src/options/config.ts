// Reads the configuration: a flag wins over its environment variable, which wins over the default.
//
// All problems are found before any is reported. An unknown `DIGGER_…` variable is a problem too: a misspelt setting
// must not be ignored in silence.

import { findConflicts } from './conflicts.ts';
import { didYouMean } from './suggestion.ts';
import { environmentVariable, type Option } from './option.ts';
import { type Config, OPTION_NAMES, type OptionName, OPTIONS } from './options.ts';

/** Where a value comes from: `flag`, `default`, or the name of the environment variable. */
export type ConfigSources = Readonly<Record<OptionName, string>>;

/** One line each, with what was given and what is allowed. */
export type ConfigResult =
  | { readonly ok: true; readonly config: Config; readonly sources: ConfigSources }
  | { readonly ok: false; readonly problems: readonly string[] };

/** Texts as flags gave them; `true` for a flag that got no value. */
export type Flags = { readonly [K in OptionName]?: string | true | readonly (string | true)[] };

/** Never throws for what was typed: every problem is in the result. */
export function parseConfig(flags: Flags, env: Readonly<Record<string, string | undefined>>): ConfigResult {
  const problems: string[] = unknownVariables(env);
  const values: Partial<Record<OptionName, unknown>> = {};
  const sources: Partial<Record<OptionName, string>> = {};
  for (const name of OPTION_NAMES) {
    const option: Option<unknown> = OPTIONS[name];
    const { source, shown, texts } = readTexts(name, option, flags[name], env);
    sources[name] = source;
    if (texts.includes(true)) {
      problems.push(`${shown}: needs a value`);
      continue;
    }
    const parsed = option.parseAll(texts as string[]);
    if (parsed.ok) values[name] = parsed.value;
    else
      for (const { given, allowed } of parsed.problems)
        problems.push(`${shown}: got ${JSON.stringify(given)}; allowed: ${allowed}`);
  }
  problems.push(...findConflicts(values as Partial<Config>).map((problem) => namedAsGiven(problem, sources)));
  if (problems.length > 0) return { ok: false, problems };
  return { ok: true, config: values as Config, sources: sources as ConfigSources };
}

/** What `--print-config` prints: each effective value and where it comes from. */
export function describeConfig(config: Config, sources: ConfigSources): Record<string, unknown> {
  return Object.fromEntries(
    OPTION_NAMES.map((name) => [
      name,
      { value: config[name] ?? null, source: sources[name], flag: OPTIONS[name].flag },
    ]),
  );
}

function readTexts(
  name: OptionName,
  option: Option<unknown>,
  flag: Flags[OptionName],
  env: Readonly<Record<string, string | undefined>>,
): { readonly source: string; readonly shown: string; readonly texts: readonly (string | true)[] } {
  if (flag !== undefined) {
    const given = typeof flag === 'object' ? flag : [flag];
    const texts = option.arity === 'switch' ? given.map((text) => (text === true ? 'true' : text)) : given;
    return { source: 'flag', shown: option.flag, texts };
  }
  const variable = environmentVariable(option);
  const text = env[variable];
  // Set but empty counts as unset, as manifests and shells that fill in nothing mean it.
  if (text !== undefined && text !== '') {
    return { source: variable, shown: variable, texts: option.arity === 'many' ? text.split(',') : [text] };
  }
  return { source: 'default', shown: name, texts: option.defaultText === undefined ? [] : [option.defaultText] };
}

/** A conflict names options by their flags; where the environment gave one, people know it by its variable. */
function namedAsGiven(problem: string, sources: Partial<Record<OptionName, string>>): string {
  return OPTION_NAMES.reduce((text, name) => {
    const source = sources[name];
    if (source === undefined || source === 'flag' || source === 'default') return text;
    return text.replaceAll(new RegExp(`${OPTIONS[name].flag}(?![a-z-])`, 'g'), source);
  }, problem);
}

function unknownVariables(env: Readonly<Record<string, string | undefined>>): string[] {
  const known = new Set(OPTION_NAMES.map((name) => environmentVariable(OPTIONS[name])));
  return Object.keys(env)
    .filter((variable) => variable.startsWith('DIGGER_') && !known.has(variable) && !SERVICE_LINK.test(variable))
    .map(
      (variable) => `${variable}: unknown variable${didYouMean(variable, known)}; --help lists those that are known`,
    );
}

// The kubelet sets these in every pod of a namespace with a Service whose name begins with "digger".
const SERVICE_LINK = /^DIGGER_(?:.*_)?(?:SERVICE_HOST|SERVICE_PORT|PORT)(?:_|$)/;
