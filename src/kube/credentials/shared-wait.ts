// One piece of work that many wait for: it runs once at a time, each wait ends with its own signal, and the work is
// ended when the last one has gone, so that stopping leaves no program of ours behind.

export class SharedWait<T> {
  readonly #work: (signal: AbortSignal) => Promise<T>;
  #running: { readonly result: Promise<T>; readonly ending: AbortController; waiting: number } | undefined;

  /** `work` rejects soon after its signal aborts. */
  constructor(work: (signal: AbortSignal) => Promise<T>) {
    this.#work = work;
  }

  /** Joins the work under way, or begins it. Rejects with what it rejects with, or with the reason of `signal`. */
  async result(signal: AbortSignal): Promise<T> {
    signal.throwIfAborted();
    const running = (this.#running ??= this.#begin());
    running.waiting += 1;
    try {
      return await unlessAborted(running.result, signal);
    } finally {
      running.waiting -= 1;
      if (running.waiting === 0 && this.#running === running) {
        this.#running = undefined;
        running.ending.abort(signal.reason);
      }
    }
  }

  #begin() {
    const ending = new AbortController();
    const running = { ending, waiting: 0, result: this.#work(ending.signal) };
    const over = () => {
      if (this.#running === running) this.#running = undefined;
    };
    running.result.then(over, over);
    return running;
  }
}

/** The outcome of `promise`, or the reason of `signal` as soon as that aborts. */
export function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
