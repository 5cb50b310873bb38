// Moments and time spans as protobuf has them: whole seconds, and nanoseconds that count forwards from there.
//
// The one place where milliseconds are split, whether the result is written at once or handed on as an object.

/** A `google.protobuf.Timestamp` or `google.protobuf.Duration`. */
export interface SecondsAndNanos {
  readonly seconds: number;
  /** 0 to 999,999,999. */
  readonly nanos: number;
}

/** Of ms since the epoch, or of a span of ms. */
export function toSecondsAndNanos(ms: number): SecondsAndNanos {
  // Rounded down, also before 1970.
  const seconds = Math.floor(ms / MS_PER_SECOND);
  const nanos = Math.trunc((ms - seconds * MS_PER_SECOND) * NANOS_PER_MS);
  // The difference of two numbers may come out as a whole second.
  return nanos < NANOS_PER_SECOND ? { seconds, nanos } : { seconds: seconds + 1, nanos: 0 };
}

const MS_PER_SECOND = 1_000;
const NANOS_PER_MS = 1_000_000;
const NANOS_PER_SECOND = 1_000_000_000;
