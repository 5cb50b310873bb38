// Label selectors as text, read as Kubernetes reads them (`labels.Parse` of k8s.io/apimachinery, pkg/labels, which
// `kubectl -l` uses): `env=prod,tier in (web, db),!legacy,generation > 3`.
//
// What it takes that is easy to miss: `in`, `notin` are names where a name is expected (`in in (in)`); a value may be
// empty (`x=`, `x in (,a)`, `x in ()`); `!=` and `notin` also match what lacks the label; what stands on one side of a
// comma may not be missing. Refused as there: keys and values that no label can have. Compared with the real parser in
// test/model/kubernetes/label-selector.test.ts.

/** One requirement; all of a selector have to be met. */
export interface LabelRequirement {
  readonly key: string;
  /** `=` and `==` are `in` with one value, `!=` is `notin`. */
  readonly operator: 'in' | 'notin' | 'exists' | 'absent' | 'gt' | 'lt';
  /** Sorted, each once; one decimal number for `gt` and `lt`; none for `exists` and `absent`. */
  readonly values: readonly string[];
}

/** Sorted, so that selectors that ask the same are equal as JSON; empty: everything matches. */
export type LabelSelector = readonly LabelRequirement[];

export type ParsedSelector =
  | { readonly ok: true; readonly selector: LabelSelector }
  /** One clause, with what was found and what is allowed. */
  | { readonly ok: false; readonly problem: string };

/** Never throws for what was written. */
export function parseLabelSelector(text: string): ParsedSelector {
  try {
    const requirements = new Parser(text).parse();
    const byContent = new Map(requirements.map((each) => [JSON.stringify(each), each]));
    const sorted = [...byContent].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, each]) => each);
    return { ok: true, selector: sorted };
  } catch (error) {
    if (error instanceof SelectorError) return { ok: false, problem: error.message };
    throw error;
  }
}

/** What may stand for the key of a label: a name, with or without a DNS subdomain before it. */
export function isLabelKey(text: string): boolean {
  const parts = text.split('/');
  const name = parts.at(-1) ?? '';
  const [prefix] = parts;
  if (parts.length > 2 || name.length > MAX_NAME_LENGTH || !NAME.test(name)) return false;
  return parts.length === 1 || (prefix !== undefined && prefix.length <= MAX_PREFIX_LENGTH && SUBDOMAIN.test(prefix));
}

/** A decimal number within 64 bits, as `>` and `<` compare them; `undefined`: another text, which meets neither. */
export function toSelectorNumber(text: string): bigint | undefined {
  if (!/^[+-]?[0-9]{1,63}$/.test(text)) return undefined;
  const number = BigInt(text.startsWith('+') ? text.slice(1) : text);
  return BigInt.asIntN(64, number) === number ? number : undefined;
}

const MAX_NAME_LENGTH = 63;
const MAX_PREFIX_LENGTH = 253;
const NAME = /^[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?$/;
const DNS_LABEL = '[a-z0-9](?:[-a-z0-9]*[a-z0-9])?';
const SUBDOMAIN = new RegExp(`^${DNS_LABEL}(?:\\.${DNS_LABEL})*$`);

/** A selector that is not one: caught here. */
class SelectorError extends Error {}

type Token = '(' | ')' | ',' | '!' | '=' | '==' | '!=' | '>' | '<' | 'in' | 'notin' | 'name' | 'end';

interface Scanned {
  readonly token: Token;
  readonly text: string;
}

const OPERATORS: ReadonlyMap<string, LabelRequirement['operator']> = new Map([
  ['=', 'in'],
  ['==', 'in'],
  ['in', 'in'],
  ['!=', 'notin'],
  ['notin', 'notin'],
  ['>', 'gt'],
  ['<', 'lt'],
]);

const SYMBOLS = '=!(),><';
const BLANKS = ' \t\r\n';
/** Two-character symbols; every symbol of theirs is one by itself too. */
const PAIRS: ReadonlySet<string> = new Set(['==', '!=']);

class Parser {
  readonly #scanned: readonly Scanned[];
  #at = 0;

  constructor(text: string) {
    this.#scanned = scan(text);
  }

  parse(): LabelRequirement[] {
    const requirements: LabelRequirement[] = [];
    if (this.#next().token === 'end') return requirements;
    for (;;) {
      const begin = this.#next();
      if (begin.token !== '!' && !isName(begin)) {
        const after = requirements.length > 0 ? ' after ","' : '';
        throw new SelectorError(`${found(begin)}${after}, expected a label's key or !`);
      }
      requirements.push(this.#requirement());
      const { token } = this.#next();
      if (token === 'end') return requirements;
      if (token !== ',') throw new SelectorError(`${found(this.#next())}, expected "," or the end`);
      this.#at += 1;
    }
  }

  #requirement(): LabelRequirement {
    const isNegated = this.#next().token === '!';
    if (isNegated) this.#at += 1;
    const name = this.#take();
    if (!isName(name)) throw new SelectorError(`${found(name)}, expected a label's key`);
    const key = name.text;
    if (!isLabelKey(key)) throw new SelectorError(`${shown(key)} cannot be the key of a label`);
    // Whatever follows a negated key is no operator.
    if (isNegated) return { key, operator: 'absent', values: [] };
    const { token } = this.#next();
    if (token === 'end' || token === ',') return { key, operator: 'exists', values: [] };
    const sign = this.#take();
    const operator = OPERATORS.get(sign.token);
    if (operator === undefined) throw new SelectorError(`${found(sign)}, expected =, ==, !=, in, notin, > or <`);
    const isSet = sign.token === 'in' || sign.token === 'notin';
    const values = [...new Set(isSet ? this.#values() : [this.#value()])].sort();
    for (const value of values) {
      if (value !== '' && (value.length > MAX_NAME_LENGTH || !NAME.test(value)))
        throw new SelectorError(`${shown(value)} cannot be the value of a label`);
      if ((operator === 'gt' || operator === 'lt') && toSelectorNumber(value) === undefined)
        throw new SelectorError(`${shown(value)} is not a number of 64 bits, which > and < compare`);
    }
    return { key, operator, values };
  }

  /** The one value behind an operator; none is the empty one. */
  #value(): string {
    const { token } = this.#next();
    if (token === 'end' || token === ',') return '';
    const value = this.#take();
    if (!isName(value)) throw new SelectorError(`${found(value)}, expected a value`);
    return value.text;
  }

  /** Between brackets; where a comma has nothing beside it there is an empty value. */
  #values(): string[] {
    const open = this.#take();
    if (open.token !== '(') throw new SelectorError(`${found(open)}, expected (`);
    const values: string[] = [];
    let isFilled = false;
    for (;;) {
      const next = this.#take();
      if (isName(next)) {
        if (isFilled) throw new SelectorError(`${found(next)}, expected "," or )`);
        values.push(next.text);
        isFilled = true;
        continue;
      }
      if (next.token !== ',' && next.token !== ')')
        throw new SelectorError(`${found(next)}, expected a value, "," or )`);
      if (!isFilled) values.push('');
      if (next.token === ')') return values;
      isFilled = false;
    }
  }

  #next(): Scanned {
    return this.#scanned[this.#at] ?? END;
  }

  #take(): Scanned {
    const taken = this.#next();
    this.#at += 1;
    return taken;
  }
}

const END: Scanned = { token: 'end', text: '' };

/** `in` and `notin` are names wherever no operator is expected. */
function isName({ token }: Scanned): boolean {
  return token === 'name' || token === 'in' || token === 'notin';
}

function scan(text: string): Scanned[] {
  const scanned: Scanned[] = [];
  for (let at = 0; at < text.length; ) {
    const character = text.charAt(at);
    if (BLANKS.includes(character)) {
      at += 1;
    } else if (SYMBOLS.includes(character)) {
      const pair = text.slice(at, at + 2);
      const symbol = PAIRS.has(pair) ? pair : character;
      scanned.push({ token: symbol as Token, text: symbol });
      at += symbol.length;
    } else {
      const start = at;
      while (at < text.length && !BLANKS.includes(text.charAt(at)) && !SYMBOLS.includes(text.charAt(at))) at += 1;
      const word = text.slice(start, at);
      scanned.push({ token: word === 'in' || word === 'notin' ? word : 'name', text: word });
    }
  }
  return scanned;
}

function found({ token, text }: Scanned): string {
  return token === 'end' ? 'found the end' : `found ${shown(text)}`;
}

/** Enough to recognise it. */
function shown(text: string): string {
  return JSON.stringify(text.length > MAX_NAME_LENGTH + 1 ? `${text.slice(0, MAX_NAME_LENGTH)}…` : text);
}
