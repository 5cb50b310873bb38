// What is remembered of custom kinds that could not be found: when each may be asked for again, and that its line is in
// the log already.
//
// Anyone who may create pods can refer to any number of kinds, and every pod of them wants its kind anew. So a refusal
// outlives the place that the kind had, the time between two questions grows from refusal to refusal, and a kind has
// one line in the log. Bound: MAX_REMEMBERED kinds, of which the one refused longest ago is forgotten first; MAX_LINES
// lines in the log, whatever the number of kinds.

/** About 200 kB. */
const MAX_REMEMBERED = 1_000;
const MAX_LINES = 100;
/** A definition that is installed now is found soon, an operator that is gone is asked for twelve times an hour. */
const FIRST_DELAY_MS = 2_000;
const MAX_DELAY_MS = 300_000;

interface Refusal {
  readonly notBeforeMs: number;
  readonly delayMs: number;
}

export class RefusedKinds {
  /** Refused longest ago first. */
  readonly #refusals = new Map<string, Refusal>();
  readonly #inLog = new Set<string>();

  get size(): number {
    return this.#refusals.size;
  }

  /** When it may be asked for again, ms since the epoch; 0: now. */
  notBeforeMs(key: string): number {
    return this.#refusals.get(key)?.notBeforeMs ?? 0;
  }

  /** It was asked for and not found. Returns when it may be asked for again. */
  refuse(key: string, nowMs: number, random: () => number): number {
    const before = this.#refusals.get(key)?.delayMs;
    const delayMs = before === undefined ? FIRST_DELAY_MS : Math.min(before * 2, MAX_DELAY_MS);
    const notBeforeMs = nowMs + delayMs + Math.floor((delayMs / 4) * random());
    this.#refusals.delete(key);
    this.#refusals.set(key, { notBeforeMs, delayMs });
    const [oldest] = this.#refusals.keys();
    if (this.#refusals.size > MAX_REMEMBERED && oldest !== undefined) this.#refusals.delete(oldest);
    return notBeforeMs;
  }

  /** It was found. */
  forget(key: string): void {
    this.#refusals.delete(key);
  }

  /** Once for each kind; `last` says that no further kind gets a line. */
  mayLog(key: string): 'yes' | 'last' | 'no' {
    if (this.#inLog.has(key) || this.#inLog.size === MAX_LINES) return 'no';
    this.#inLog.add(key);
    return this.#inLog.size === MAX_LINES ? 'last' : 'yes';
  }
}
