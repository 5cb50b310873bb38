// Patterns as Go's `path.Match` reads them: `*` is any number of characters but `/`, `?` one of them, `[a-z]` and
// `[^a-z]` classes, `\` takes the next character as it is.
//
// The same to the byte, because people know these patterns from Go programs and a rule that hides must not be read
// more loosely than it was meant: what stands before a `*` takes the first place that fits, and classes match `/` too.
// Compared with Go in test/model/namespaces/path-match.test.ts.

/** Whether the pattern is well-formed; then `matchesPath` can be asked. */
export function isPathPattern(pattern: string): boolean {
  return match(pattern, '') !== undefined;
}

/** Whether the name matches. A pattern that is not well-formed matches nothing. */
export function matchesPath(pattern: string, name: string): boolean {
  return match(pattern, name) ?? false;
}

/** `undefined`: the pattern is not well-formed. */
function match(patternText: string, nameText: string): boolean | undefined {
  const pattern = Buffer.from(patternText);
  const name = Buffer.from(nameText);
  let at = 0;
  for (let next = 0; next < pattern.length; ) {
    const part = partAt(pattern, next);
    next = part.end;
    const isLast = next === pattern.length;
    if (part.hasStar && part.start === part.end) return !name.subarray(at).includes(SLASH);
    const places = part.hasStar ? placesFrom(name, at) : [at];
    let found: number | undefined;
    for (const place of places) {
      const end = matchPart(pattern, part, name, place);
      if (end === 'malformed') return undefined;
      if (end === 'differs' || (isLast && end !== name.length)) continue;
      found = end;
      break;
    }
    if (found === undefined) return isWellFormedFrom(pattern, next) ? false : undefined;
    at = found;
  }
  return at === name.length;
}

/** Stars, and what stands behind them up to the next star. */
interface Part {
  readonly hasStar: boolean;
  readonly start: number;
  readonly end: number;
}

const [STAR, QUESTION, OPEN, CLOSE, CARET, DASH, BACKSLASH, SLASH] = [...Buffer.from('*?[]^-\\/')] as [
  ...[number, number, number, number, number, number, number, number],
];

function partAt(pattern: Buffer, from: number): Part {
  let start = from;
  while (pattern[start] === STAR) start += 1;
  let end = start;
  for (let isClass = false; end < pattern.length; end += 1) {
    const byte = pattern[end];
    if (byte === BACKSLASH) end = Math.min(end + 1, pattern.length - 1);
    else if (byte === OPEN) isClass = true;
    else if (byte === CLOSE) isClass = false;
    else if (byte === STAR && !isClass) break;
  }
  return { hasStar: start > from, start, end };
}

/** Where a part behind a star may begin: nothing of what the star stands for is a slash. */
function* placesFrom(name: Buffer, from: number): Generator<number> {
  yield from;
  for (let at = from; at < name.length && name[at] !== SLASH; at += 1) yield at + 1;
}

function isWellFormedFrom(pattern: Buffer, from: number): boolean {
  for (let next = from; next < pattern.length; ) {
    const part = partAt(pattern, next);
    next = part.end;
    if (matchPart(pattern, part, Buffer.alloc(0), 0) === 'malformed') return false;
  }
  return true;
}

/** Where in the name it ends. What differs is read on, to see that it is well-formed. */
function matchPart(pattern: Buffer, part: Part, name: Buffer, place: number): number | 'differs' | 'malformed' {
  let at = place;
  let differs = false;
  for (let next = part.start; next < part.end; ) {
    differs ||= at >= name.length;
    let byte = pattern[next];
    next += 1;
    if (byte === OPEN) {
      const character = characterAt(name, at);
      const read = classAt(pattern, next, part.end, differs ? 0 : character.code);
      if (read === undefined) return 'malformed';
      next = read.end;
      differs ||= !read.holds;
      at += character.size;
      continue;
    }
    if (byte === QUESTION) {
      differs ||= name[at] === SLASH;
      at += characterAt(name, at).size;
      continue;
    }
    if (byte === BACKSLASH) {
      if (next === part.end) return 'malformed';
      byte = pattern[next];
      next += 1;
    }
    differs ||= byte !== name[at];
    at += 1;
  }
  return differs ? 'differs' : at;
}

/** The class behind its bracket. `undefined`: it is malformed. */
function classAt(
  pattern: Buffer,
  from: number,
  end: number,
  code: number,
): { readonly end: number; readonly holds: boolean } | undefined {
  let at = from;
  const isNegated = at < end && pattern[at] === CARET;
  if (isNegated) at += 1;
  let holds = false;
  for (let ranges = 0; !(ranges > 0 && at < end && pattern[at] === CLOSE); ranges += 1) {
    const low = boundAt(pattern, at, end);
    if (low === undefined) return undefined;
    at = low.end;
    let high = low;
    if (pattern[at] === DASH) {
      const bound = boundAt(pattern, at + 1, end);
      if (bound === undefined) return undefined;
      high = bound;
      at = high.end;
    }
    if (low.code <= code && code <= high.code) holds = true;
  }
  return { end: at + 1, holds: holds !== isNegated };
}

/** A character of a class, which has to go on behind it. */
function boundAt(
  pattern: Buffer,
  from: number,
  end: number,
): { readonly code: number; readonly end: number } | undefined {
  let at = from;
  if (at >= end || pattern[at] === DASH || pattern[at] === CLOSE) return undefined;
  if (pattern[at] === BACKSLASH) at += 1;
  if (at >= end) return undefined;
  const { code, size } = characterAt(pattern, at);
  return at + size >= end ? undefined : { code, end: at + size };
}

/** The character that begins with this byte; in the middle of one, and behind the end, a byte that says nothing. */
function characterAt(text: Buffer, at: number): { readonly code: number; readonly size: number } {
  const first = text[at] ?? REPLACEMENT;
  if (first < 0x80) return { code: first, size: 1 };
  const size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;
  const code = size === 1 ? REPLACEMENT : text.toString('utf8', at, at + size).codePointAt(0);
  return { code: code ?? REPLACEMENT, size };
}

/** U+FFFD, as Go has it. */
const REPLACEMENT = 0xfffd;
