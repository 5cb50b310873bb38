// A protobuf reader that recognises short strings by their bytes, before a string is made of them.
//
// Making a string costs a call out of JavaScript, some 80 ns, and three out of four strings of a listed pod were in
// the pod before it: container names, images, kinds, label keys. Here their bytes are hashed and compared with the
// last string of that hash. A table of fixed size, where a newcomer replaces what it collides with.

import protobuf from 'protobufjs';

/** Power of two. At most 8,192 strings of at most 48 characters: half a megabyte. */
const SLOTS = 8_192;
/** Names, images and label keys are shorter; what is longer (image digests, container ids) is hardly shared. */
const MAX_LENGTH = 48;

const table: (string | undefined)[] = Array.from({ length: SLOTS }, () => undefined);

export class InterningReader extends protobuf.BufferReader {
  override string(): string {
    const before = this.pos;
    const length = this.uint32();
    const start = this.pos;
    const end = start + length;
    if (length === 0) return '';
    if (end > this.len) throw new RangeError(`a string of ${length} bytes reaches beyond its message`);
    if (length > MAX_LENGTH) return this.#fresh(before);
    const bytes = this.buf;
    // FNV-1a.
    let hash = 0x811c9dc5;
    for (let index = start; index < end; index += 1) hash = Math.imul(hash ^ (bytes[index] as number), 0x01000193);
    const slot = (hash ^ (hash >>> 15)) & (SLOTS - 1);
    const known = table[slot];
    if (known !== undefined && known.length === length && isText(known, bytes, start)) {
      this.pos = end;
      return known;
    }
    const text = this.#fresh(before);
    // Of equal length only where every character is one byte: comparing bytes with characters is then right.
    if (text.length === length) table[slot] = text;
    return text;
  }

  #fresh(before: number): string {
    this.pos = before;
    return super.string();
  }
}

function isText(text: string, bytes: Uint8Array, start: number): boolean {
  for (let index = 0; index < text.length; index += 1) {
    if (text.charCodeAt(index) !== bytes[start + index]) return false;
  }
  return true;
}
