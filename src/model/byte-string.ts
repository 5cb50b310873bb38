// Bytes as text: one character of 0–255 for each. Thousands of small things are kept in this form, because V8 needs 16
// bytes beside such text, moves it together and frees it with everything else, while a Buffer needs some 300 in three
// places, and because equal parts can be one string.
//
// The type is branded, so that text which was never encoded cannot stand where encoded bytes are meant: it is made here
// only, of bytes or of nothing.

export type ByteString = string & { readonly [encoded]: true };

declare const encoded: unique symbol;

export const NO_BYTES: ByteString = '' as ByteString;

/** The first `length` bytes. */
export function toByteString(bytes: Buffer, length: number = bytes.length): ByteString {
  return bytes.toString('latin1', 0, length) as ByteString;
}

/** A part of it, from one offset to another. */
export function sliceBytes(text: ByteString, from: number, to: number): ByteString {
  return text.slice(from, to) as ByteString;
}
