// Moments and durations of people as fields of requests.

/** `google.protobuf.Timestamp` and `google.protobuf.Duration` of ms. */
export function secondsAndNanos(ms: number): { readonly seconds: number; readonly nanos: number } {
  const seconds = Math.floor(ms / 1000);
  // Whole milliseconds first: a fraction that rounds up to a whole second must not become 1e9 ns.
  const nanos = Math.round(ms - seconds * 1000) * 1e6;
  return nanos === 1e9 ? { seconds: seconds + 1, nanos: 0 } : { seconds, nanos };
}
