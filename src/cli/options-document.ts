// The options as a page of documentation, made from the same table as `--help`.

import { environmentVariable } from '../options/option.ts';
import { OPTION_NAMES, OPTIONS } from '../options/options.ts';

/** docs/options.md. */
export function optionsDocument(): string {
  const rows = OPTION_NAMES.map((name) => {
    const { flag, placeholder, defaultText, arity, meaning } = OPTIONS[name];
    const term = arity === 'switch' ? flag : `${flag} <${placeholder}>`;
    const fallback = arity === 'many' ? 'repeatable' : defaultText === undefined ? '' : `\`${defaultText}\``;
    return `| \`${term}\` | \`${environmentVariable(OPTIONS[name])}\` | ${fallback} | ${meaning} |`;
  });
  return `# Options

Generated from src/options/options.ts by \`npm run options\`. A flag wins over its environment variable, which wins over the default.
Repeatable options take several values from the environment, separated by commas. Durations: \`500ms\`, \`30s\`, \`10m\`, \`1h30m\`.

| option | variable | default | meaning |
|---|---|---|---|
${rows.join('\n')}

Besides: \`--print-config\` prints the effective configuration as JSON, with the source of each value; \`--version\`; \`--help\`.
A bad value, an unknown option and an unknown \`DIGGER_…\` variable end the process with 2, each on a line of its own.
`;
}
