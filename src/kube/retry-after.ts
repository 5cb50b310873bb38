// How long a server asked us to stay away, out of what it said. Never longer than 5 minutes: a server, or what stands
// before it, that says two hours would make us blind for two hours, and what does not fit into a timer (2^31 ms) would
// fire at once.

/** Longer than client-go's longest backoff (30 s) by far; a picture that is older than this helps no caller. */
export const MAX_RETRY_AFTER_MS = 5 * 60_000;

/** A usable wait in ms: 0 for NaN and negative values. */
export function capRetryAfter(ms: number): number {
  return ms > 0 ? Math.min(ms, MAX_RETRY_AFTER_MS) : 0;
}

/** `Retry-After` (RFC 9110, section 10.2.3): seconds, with a fraction too, or a date. `''` and what is neither: 0. */
export function parseRetryAfter(header: string, nowMs: number): number {
  const text = header.trim();
  if (/^\d+(?:\.\d+)?$/.test(text)) return capRetryAfter(Number(text) * 1000);
  // Dates begin with the name of a day; Date.parse would take `-5` for a year.
  return /^[A-Za-z]/.test(text) ? capRetryAfter(Date.parse(text) - nowMs) : 0;
}
