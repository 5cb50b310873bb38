// When the log stood where: one moment in a second, those of one to two hours of changes. Where only the time is known
// up to which a consumer has everything, reading begins at about that place in the log, and never behind it.

const EVERY_MS = 1_000;
/** An hour of changes. */
const MAX_TIMES = 3_600;

export class HeadTimes {
  /** Oldest first. */
  #times: { readonly atMs: number; readonly head: number }[] = [];

  /** The log moves at `nowMs`, which does not run backwards, and stood at `head` until then. */
  note(nowMs: number, head: number): void {
    const last = this.#times.at(-1);
    if (last !== undefined && nowMs - last.atMs < EVERY_MS) return;
    this.#times.push({ atMs: nowMs, head });
    if (this.#times.length > 2 * MAX_TIMES) this.#times = this.#times.slice(-MAX_TIMES);
  }

  /** Where the log stood then, or a little before; `undefined`: that is too long ago to be known. */
  headAt(atMs: number): number | undefined {
    const at = this.#times.findLastIndex((each) => each.atMs <= atMs);
    return at === -1 ? undefined : this.#times[at]?.head;
  }
}
