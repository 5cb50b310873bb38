// The form in which an answer is shown: a table on a terminal, JSON lines elsewhere, or what was asked for.

import { styleText } from 'node:util';
import { dump } from 'js-yaml';
import type { OutputForm } from '../line/commands.ts';
import type { AskEdge } from './edge.ts';
import type { JsonObject } from '../../wire/proto-json.ts';

/** `auto` decided. */
export type ShownForm = Exclude<OutputForm, 'auto'>;

export function shownForm(form: OutputForm, { stdout }: Pick<AskEdge, 'stdout'>): ShownForm {
  if (form !== 'auto') return form;
  return stdout.isTTY === true ? 'table' : 'json';
}

export function isTable(form: ShownForm): form is 'table' | 'wide' {
  return form === 'table' || form === 'wide';
}

/** One object a line as JSON; as YAML a document, which `---` begins. */
export function objectText(form: 'json' | 'yaml', object: JsonObject): string {
  return form === 'json' ? `${JSON.stringify(object)}\n` : `---\n${dump(object, { lineWidth: -1 })}`;
}

export type Colour = 'green' | 'yellow' | 'red';

/** Text in a colour on a terminal, unless NO_COLOR is set (no-color.org) or the terminal is dumb. */
export function coloured(text: string, colour: Colour, { stdout, env = {} }: Pick<AskEdge, 'stdout' | 'env'>): string {
  const plain = stdout.isTTY !== true || (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb';
  return plain ? text : styleText(colour, text, { validateStream: false });
}
