// The feed's hold on time and on the event loop, so that tests can have their own.

export interface Scheduler {
  /** Monotonic, ms. */
  now(): number;
  /** Our clock, ms since the epoch. */
  wallTime(): number;
  /** Calls once, after the turn of the event loop that is under way. */
  soon(run: () => void): void;
  /** Calls once after `delayMs`. Returns how to call it off. */
  after(delayMs: number, run: () => void): () => void;
}

/** The real one. Its timers do not keep the process alive: its servers do. */
export function createScheduler(): Scheduler {
  return {
    now: () => performance.now(),
    wallTime: () => Date.now(),
    soon: (run) => void setImmediate(run),
    after: (delayMs, run) => {
      const timer = setTimeout(run, delayMs);
      timer.unref();
      return () => clearTimeout(timer);
    },
  };
}
