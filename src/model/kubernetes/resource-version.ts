// The order of two resourceVersions of one resource.
//
// They are opaque but for this: KEP-5504 (and every server with etcd behind it) promises decimal integers without
// leading zeros that grow within one resource type, so that they compare by length and then as text, without ever
// becoming numbers. Versions of different types say nothing about each other. What is not such an integer is not
// compared at all.

/** Negative: `a` is older; 0: the same; positive: newer; `undefined`: cannot be told. */
export function compareResourceVersions(a: string, b: string): number | undefined {
  if (a === b) return 0;
  if (!DECIMAL.test(a) || !DECIMAL.test(b)) return undefined;
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : 1;
}

const DECIMAL = /^(?:0|[1-9][0-9]*)$/;
