// Time and chance as arguments: reflectors wait through a Clock, so that a test can run an hour of backoff at once.

/** Cancels a timer; calling it twice or after the timer fired does nothing. */
export type CancelTimer = () => void;

export interface Clock {
  /** Ms since the epoch. */
  now(): number;
  setTimer(callback: () => void, delayMs: number): CancelTimer;
}

/** Uniform in [0, 1). */
export type Random = () => number;

export const systemClock: Clock = {
  now: () => Date.now(),
  setTimer: (callback, delayMs) => {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};

/** Resolves after `delayMs`, or as soon as `signal` aborts; never rejects, the caller looks at the signal. */
export function sleep(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
      return;
    }
    const finish = () => {
      cancel();
      signal.removeEventListener('abort', finish);
      resolve();
    };
    const cancel = clock.setTimer(finish, delayMs);
    signal.addEventListener('abort', finish, { once: true });
  });
}
