// YAML as nodes that know their lines, for messages that name them.
//
// Only what a file of plain data needs: mappings, lists and text. Anchors, aliases, tags and further documents are
// refused: none of them is needed here, and aliases can make a small file a huge one.

import { EVENT_ID, type Event, getScalarValue, parseEvents, YAMLException } from 'js-yaml';
import type { Problems } from './problems.ts';

export type YamlNode =
  | { readonly kind: 'text'; readonly line: number; readonly text: string }
  | { readonly kind: 'list'; readonly line: number; readonly items: readonly YamlNode[] }
  | { readonly kind: 'mapping'; readonly line: number; readonly fields: readonly YamlField[] };

export interface YamlField {
  readonly key: string;
  /** Of the key. */
  readonly line: number;
  readonly value: YamlNode;
}

/** Lists in lists in mappings: what is deeper is no file of plain data. */
const MAX_DEPTH = 16;

/** The document, or `undefined` when the text is empty or cannot be read; then `problems` says why. */
export function parseLocatedYaml(source: string, problems: Problems): YamlNode | undefined {
  const lineOf = lineFinder(source);
  let events: Event[];
  try {
    events = parseEvents(source, { maxDepth: MAX_DEPTH });
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    problems.add(error.mark === undefined ? undefined : error.mark.line + 1, `not YAML: ${error.reason}`);
    return undefined;
  }
  const reader = new NodeReader(source, events, lineOf, problems);
  return reader.document();
}

class NodeReader {
  readonly #source: string;
  readonly #events: readonly Event[];
  readonly #lineOf: (offset: number) => number;
  readonly #problems: Problems;
  #at = 0;

  constructor(source: string, events: readonly Event[], lineOf: (offset: number) => number, problems: Problems) {
    this.#source = source;
    this.#events = events;
    this.#lineOf = lineOf;
    this.#problems = problems;
  }

  document(): YamlNode | undefined {
    const documents = this.#events.filter(({ type }) => type === EVENT_ID.DOCUMENT).length;
    if (documents > 1) this.#problems.add(undefined, `holds ${documents} documents; allowed: one`);
    // The event of the document itself.
    this.#at = 1;
    const node = this.#node();
    return this.#problems.any ? undefined : node;
  }

  /** `undefined`: the end of what is around it. */
  #node(): YamlNode | undefined {
    const event = this.#events[this.#at++];
    if (event === undefined) return undefined;
    switch (event.type) {
      case EVENT_ID.POP:
      case EVENT_ID.DOCUMENT:
        return undefined;
      case EVENT_ID.ALIAS: {
        const line = this.#lineOf(event.anchorStart);
        this.#problems.add(line, 'an alias; allowed: the values themselves');
        return { kind: 'text', line, text: '' };
      }
      case EVENT_ID.SCALAR: {
        const line = this.#lineOf(event.valueStart);
        this.#refuseExtras(event, line);
        return { kind: 'text', line, text: getScalarValue(this.#source, event) };
      }
      case EVENT_ID.SEQUENCE: {
        const line = this.#lineOf(event.start);
        this.#refuseExtras(event, line);
        const items: YamlNode[] = [];
        for (let item = this.#node(); item !== undefined; item = this.#node()) items.push(item);
        return { kind: 'list', line, items };
      }
      case EVENT_ID.MAPPING: {
        const line = this.#lineOf(event.start);
        this.#refuseExtras(event, line);
        return { kind: 'mapping', line, fields: this.#fields() };
      }
    }
  }

  #fields(): YamlField[] {
    const fields: YamlField[] = [];
    const seen = new Set<string>();
    for (let key = this.#node(); key !== undefined; key = this.#node()) {
      const value = this.#node() ?? { kind: 'text', line: key.line, text: '' };
      if (key.kind !== 'text') {
        this.#problems.add(key.line, 'a key that is no text');
        continue;
      }
      if (seen.has(key.text)) this.#problems.add(key.line, `${key.text} is there twice`);
      seen.add(key.text);
      fields.push({ key: key.text, line: key.line, value });
    }
    return fields;
  }

  #refuseExtras({ anchorStart, tagStart }: { anchorStart: number; tagStart: number }, line: number): void {
    if (anchorStart >= 0) this.#problems.add(line, 'an anchor; allowed: values without one');
    if (tagStart >= 0) this.#problems.add(line, 'a tag; allowed: values without one');
  }
}

/** Line of an offset, from 1. Offsets are mostly asked for in their order. */
function lineFinder(source: string): (offset: number) => number {
  let line = 1;
  let at = 0;
  return (offset) => {
    if (offset < at) [line, at] = [1, 0];
    for (let next = source.indexOf('\n', at); next !== -1 && next < offset; next = source.indexOf('\n', at)) {
      line += 1;
      at = next + 1;
    }
    return line;
  };
}
