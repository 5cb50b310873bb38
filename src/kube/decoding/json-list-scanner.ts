// Cuts the objects of `items` out of a JSON list, byte by byte, without parsing the list as a whole.
//
// Follows nothing but nesting and strings: `{…"items":[ {…}, {…} ]…}`. Each object is handed over as its bytes; what
// remains, with `items` left empty, is the list's own small JSON, and a parser judges it at the end. So damaged JSON
// is refused either there or by the parser of an object, and items that are not objects are refused here. Bytes of
// multi-byte UTF-8 characters are all above 0x7f and never look like syntax.

import { MAX_OBJECT_BYTES, WireError } from '../wire-error.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const COLON = 0x3a;
const COMMA = 0x2c;

/** White space, a comma, the next object and the end of the array. */
const BETWEEN_ITEMS: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d, COMMA, OPEN_BRACE, CLOSE_BRACKET]);

/** kind, apiVersion and metadata are all that a list has beside its items. */
const MAX_REST_BYTES = 64 * 1024;

export class JsonListScanner {
  readonly #onItem: (bytes: Buffer) => void;
  #depth = 0;
  #inString = false;
  #escaped = false;
  /** At depth 1: bytes of the last string, to know the key before a colon. */
  #key = '';
  #keyParts: number[] = [];
  #valueOfItems = false;
  /** Inside the array of items, that is at depth 2 or more. */
  #inItems = false;
  #item: Buffer[] | undefined;
  #itemLength = 0;
  #rest: Buffer[] = [];
  #restLength = 0;

  constructor(onItem: (bytes: Buffer) => void) {
    this.#onItem = onItem;
  }

  push(chunk: Buffer): void {
    // Start, within this chunk, of the bytes that belong to the present item or to the rest.
    let start = 0;
    for (let index = 0; index < chunk.length; index += 1) {
      const byte = chunk[index] as number;
      if (this.#inItems && this.#depth === 2 && !BETWEEN_ITEMS.has(byte)) {
        throw new WireError('a JSON list has an item that is no object');
      }
      if (this.#inString) {
        if (this.#escaped) this.#escaped = false;
        else if (byte === BACKSLASH) this.#escaped = true;
        else if (byte === QUOTE) {
          this.#inString = false;
          if (this.#depth === 1) this.#key = String.fromCharCode(...this.#keyParts);
        } else if (this.#depth === 1 && this.#keyParts.length < 16) this.#keyParts.push(byte);
        continue;
      }
      switch (byte) {
        case QUOTE:
          this.#inString = true;
          this.#keyParts = [];
          break;
        case COLON:
          if (this.#depth === 1) this.#valueOfItems = this.#key === 'items';
          break;
        case COMMA:
          if (this.#depth === 1) this.#valueOfItems = false;
          break;
        case OPEN_BRACE:
        case OPEN_BRACKET:
          this.#depth += 1;
          if (this.#inItems && this.#depth === 3) {
            this.#item = [];
            this.#itemLength = 0;
            start = index;
          } else if (byte === OPEN_BRACKET && this.#depth === 2 && this.#valueOfItems) {
            this.#inItems = true;
            this.#keepRest(chunk.subarray(start, index + 1));
            start = index + 1;
          }
          break;
        case CLOSE_BRACE:
        case CLOSE_BRACKET:
          this.#depth -= 1;
          if (this.#depth < 0) throw new WireError('a JSON list closes more than it opened');
          if (this.#inItems && this.#depth === 2) {
            this.#keepItem(chunk.subarray(start, index + 1));
            const parts = this.#item ?? [];
            this.#item = undefined;
            this.#onItem(parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts));
            start = index + 1;
          } else if (this.#inItems && this.#depth === 1) {
            this.#inItems = false;
            start = index;
          }
          break;
      }
    }
    if (this.#item !== undefined) this.#keepItem(chunk.subarray(start));
    else if (!this.#inItems) this.#keepRest(chunk.subarray(start));
  }

  /** The list without its items, as JSON text. */
  end(): string {
    if (this.#depth !== 0 || this.#inString || this.#restLength === 0) {
      throw new WireError('a JSON list ended in the middle');
    }
    return Buffer.concat(this.#rest).toString('utf8');
  }

  #keepItem(bytes: Buffer): void {
    this.#itemLength += bytes.length;
    if (this.#itemLength > MAX_OBJECT_BYTES) {
      throw new WireError(`an object of ${this.#itemLength} bytes is larger than ${MAX_OBJECT_BYTES}`);
    }
    this.#item?.push(bytes);
  }

  #keepRest(bytes: Buffer): void {
    this.#restLength += bytes.length;
    if (this.#restLength > MAX_REST_BYTES)
      throw new WireError(`a list has more than ${MAX_REST_BYTES} bytes of its own`);
    this.#rest.push(bytes);
  }
}
