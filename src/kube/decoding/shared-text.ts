// Recognises short strings by their bytes, before a string is made of them.
//
// Making a string costs a call out of JavaScript, some 80 ns, and three out of four strings of a listed pod were in
// the pod before it: container names, images, kinds, label keys. Here their bytes are hashed and compared with the
// last string of that hash. A table of fixed size, where a newcomer replaces what it collides with.

import protobuf from 'protobufjs';
import { intern } from './string-interner.ts';

/** Power of two. At most 8,192 strings of at most 72 characters: a megabyte. */
const SLOTS = 8_192;
/** Names, images, label keys and checksums are no longer; what is (container ids, documents) is hardly shared. */
const MAX_LENGTH = 72;

const table: (string | undefined)[] = Array.from({ length: SLOTS }, () => undefined);

/** For text that many objects have in common: equal bytes give the same string, as long as it is known. */
export function sharedText(bytes: Buffer, start: number, end: number): string {
  const length = end - start;
  if (length === 0) return '';
  if (length > MAX_LENGTH) return intern(bytes.toString('utf8', start, end));
  const slot = slotOf(bytes, start, end);
  const known = table[slot];
  if (known !== undefined && isText(known, bytes, start, length)) return known;
  const text = intern(bytes.toString('utf8', start, end));
  remember(slot, text, length);
  return text;
}

/** What protobufjs reads with; which strings are shared is not known here. */
export class InterningReader extends protobuf.BufferReader {
  override string(): string {
    const before = this.pos;
    const length = this.uint32();
    const start = this.pos;
    const end = start + length;
    if (length === 0) return '';
    if (end > this.len) throw new RangeError(`a string of ${length} bytes reaches beyond its message`);
    if (length > MAX_LENGTH) return this.#fresh(before);
    const slot = slotOf(this.buf, start, end);
    const known = table[slot];
    if (known !== undefined && isText(known, this.buf, start, length)) {
      this.pos = end;
      return known;
    }
    const text = this.#fresh(before);
    remember(slot, text, length);
    return text;
  }

  #fresh(before: number): string {
    this.pos = before;
    return super.string();
  }
}

function slotOf(bytes: Uint8Array, start: number, end: number): number {
  // FNV-1a.
  let hash = 0x811c9dc5;
  for (let index = start; index < end; index += 1) hash = Math.imul(hash ^ (bytes[index] as number), 0x01000193);
  return (hash ^ (hash >>> 15)) & (SLOTS - 1);
}

function remember(slot: number, text: string, length: number): void {
  // Of equal length only where every character is one byte: comparing bytes with characters is then right.
  if (text.length === length) table[slot] = text;
}

function isText(text: string, bytes: Uint8Array, start: number, length: number): boolean {
  if (text.length !== length) return false;
  for (let index = 0; index < length; index += 1) {
    if (text.charCodeAt(index) !== bytes[start + index]) return false;
  }
  return true;
}
