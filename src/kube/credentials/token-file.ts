// A bearer token in a file that is rotated, as the kubelet does with a pod's service-account token.
//
// Read again at most once a minute (client-go: transport/token_source.go), trimmed. A file that cannot be read, is
// empty or holds what no header can carry keeps the last token, which is good for a while yet; after a 401 it is not,
// so then only a successful read counts.

import type { Clock } from '../clock.ts';

/** Node refuses other text in a header too, but as if the connection were broken. */
export function isToken(text: string): boolean {
  return /^[\x21-\x7e]+$/.test(text);
}

/** What is wrong with other text. Does not tell it: it may be a secret. */
export const NO_TOKEN = 'not one line of visible ASCII';

/** Projected tokens are rotated at 80 % of their life, of ten minutes at least, so a minute is always in time. */
const REREAD_AFTER_MS = 60_000;

export class TokenFile {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #readFile: (path: string) => string;
  #token: string | undefined;
  #readAtMs = 0;
  #trouble = '';

  /** `readFile` throws when the file cannot be read. */
  constructor(path: string, clock: Clock, readFile: (path: string) => string) {
    this.#path = path;
    this.#clock = clock;
    this.#readFile = readFile;
  }

  /** Why the last token is kept; `''`: the last read was good. */
  get trouble(): string {
    return this.#trouble;
  }

  /** Throws when there has never been a token, or none since the last one was refused. */
  read(): string {
    if (this.#token !== undefined && this.#clock.now() - this.#readAtMs < REREAD_AFTER_MS) return this.#token;
    let found = '';
    let problem = 'it is empty';
    try {
      found = this.#readFile(this.#path).trim();
    } catch (error) {
      problem = error instanceof Error ? error.message : String(error);
    }
    if (found !== '' && !isToken(found)) problem = `it is ${NO_TOKEN}`;
    else if (found !== '') {
      this.#token = found;
      this.#readAtMs = this.#clock.now();
      this.#trouble = '';
      return found;
    }
    if (this.#token === undefined) throw new Error(`no token in ${this.#path}: ${problem}`);
    this.#trouble = `no token in ${this.#path}, so the last one is used: ${problem}`;
    return this.#token;
  }

  /** The server refused the token: the next read goes to the file, whatever happens. */
  discard(): void {
    this.#token = undefined;
    this.#trouble = '';
  }
}
