// What is wrong with a file of named ranges: each problem with its line, or with its path where the format has no lines
// that people write. The first few are told, the rest counted.

/** Problems that a message lists; the others are only counted. */
const MAX_TOLD = 10;

/** The file cannot be used; the message has a line for each problem, each beginning with the file. */
export class RangesFileError extends Error {
  override readonly name = 'RangesFileError';
}

export class Problems {
  readonly #file: string;
  readonly #told: string[] = [];
  #count = 0;

  constructor(file: string) {
    this.#file = file;
  }

  /** `where`: a line number, or a path in the document (`prefixes[3].ip_prefix`); unset: the whole file. */
  add(where: number | string | undefined, problem: string): void {
    this.#count += 1;
    if (this.#told.length >= MAX_TOLD) return;
    const place = where === undefined ? '' : typeof where === 'number' ? `:${where}` : `: ${where}`;
    this.#told.push(`${this.#file}${place}: ${problem}`);
  }

  get any(): boolean {
    return this.#count > 0;
  }

  /** Throws a RangesFileError when there are any. */
  throwIfAny(): void {
    if (this.#count === 0) return;
    const more = this.#count - this.#told.length;
    throw new RangesFileError([...this.#told, ...(more > 0 ? [`${more} more problems`] : [])].join('\n'));
  }
}

/** What was given, for a message: short, and nothing that a terminal would take for a command. */
export function shown(value: unknown): string {
  // JSON leaves these as they are.
  const text = (JSON.stringify(value) ?? String(value)).replace(/[\u007f-\u009f\u2028\u2029]/g, '\ufffd');
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}

const MAX_SHOWN = 60;
