// How far a snapshot has come, for the person who waits for it: one line on stderr that is written over on a terminal,
// a line every few seconds elsewhere, and one when the picture is complete.

import type { Output } from './edge.ts';

export class SnapshotProgress {
  readonly #out: Output;
  readonly #nowMs: () => number;
  #count = 0;
  #beganAtMs = 0;
  #shownAtMs = 0;
  /** A line without its end stands on the terminal. */
  #open = false;
  #loading = false;

  /** `nowMs`: a monotonic clock. */
  constructor(out: Output, nowMs: () => number) {
    this.#out = out;
    this.#nowMs = nowMs;
  }

  /** A snapshot begins. */
  begin(): void {
    this.#count = 0;
    this.#loading = true;
    this.#beganAtMs = this.#nowMs();
    this.#shownAtMs = this.#beganAtMs;
    this.#show('loading the snapshot');
  }

  /** So many more have come. */
  add(count: number): void {
    this.#count += count;
    const nowMs = this.#nowMs();
    if (nowMs - this.#shownAtMs < (this.#out.isTTY === true ? TERMINAL_INTERVAL_MS : LINE_INTERVAL_MS)) return;
    this.#shownAtMs = nowMs;
    this.#show(`loading the snapshot: ${this.#count} entities`);
  }

  /** The picture is complete. A stream that was continued has no snapshot, and nothing to say. */
  complete(): void {
    this.clear();
    if (!this.#loading) return;
    this.#loading = false;
    const seconds = ((this.#nowMs() - this.#beganAtMs) / 1000).toFixed(1);
    this.#out.write(`digger: synced: ${this.#count} entities in ${seconds} s\n`);
  }

  /** Takes the line away before something else is written. */
  clear(): void {
    if (this.#open) this.#out.write(ERASE_LINE);
    this.#open = false;
  }

  /** The stream ended, complete or not. */
  end(): void {
    this.clear();
    this.#loading = false;
  }

  #show(text: string): void {
    if (this.#out.isTTY === true) {
      this.#out.write(`${ERASE_LINE}digger: ${text}`);
      this.#open = true;
    } else this.#out.write(`digger: ${text}\n`);
  }
}

/** Smooth to look at. */
const TERMINAL_INTERVAL_MS = 100;
/** In a log: a sign of life, not a flood. */
const LINE_INTERVAL_MS = 2_000;
/** Back to the beginning of the line, and erase to its end. */
const ERASE_LINE = '\r\u001b[K';
