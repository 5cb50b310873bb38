// Whether a resource is being followed, and if not, since when something may have happened that was not heard of.
//
// Blind from the loss of a watch (or the start of a list) until the next watch has caught up with what was missed. A
// server sends that at once and without pauses, so it has come by the first bookmark, or after a silence, and in any
// case soon; until then an event may be as old as the gap. A gap below the resolution of API times does not count: a
// planned end of a watch and the next one must not make the picture look stale every few minutes.

import type { Observation } from '../../model/observation.ts';
import type { CancelTimer, Clock } from '../clock.ts';

/** Between two packets of a backlog there is no such pause. */
const SILENCE_MS = 2_000;
/** On a busy resource there is no silence; by then even the whole watch cache of a server has been sent. */
const AT_LATEST_MS = 5_000;
/** Kubernetes writes times in whole seconds (metav1.Time). */
const GAP_MS = 1_000;
/** A connection that ends with an error was alive this long ago, or TCP keepalive would have ended it before. */
const UNNOTICED_MS = 30_000;
/**
 * An event that was on its way when the last byte of its connection arrived, on another stream or as the answer to a
 * ping: the server's watch cache hands events on within milliseconds, and its streams share the connection fairly. Late
 * reports of kubelets are not meant: the address book allows for those by itself.
 */
export const DELIVERY_MS = 250;

export class Blindness {
  readonly #clock: Clock;
  readonly #onChange: () => void;
  readonly #onCaughtUp: () => void;
  #sinceMs: number | undefined;
  #isAbsent = false;
  #lastContactMs: number | undefined;
  #silence: CancelTimer = NOT_SET;
  #latest: CancelTimer = NOT_SET;

  /** `onCaughtUp`: everything that was missed has come; called once per watch that held. */
  constructor(clock: Clock, listeners: { readonly onChange: () => void; readonly onCaughtUp: () => void }) {
    this.#clock = clock;
    this.#onChange = listeners.onChange;
    this.#onCaughtUp = listeners.onCaughtUp;
  }

  /** Ms since the epoch; `undefined` while the resource is followed. */
  get sinceMs(): number | undefined {
    return this.#sinceMs;
  }

  /** Last byte from the server, ms since the epoch. */
  get lastContactMs(): number | undefined {
    return this.#lastContactMs;
  }

  /** There is nothing to be followed, see `absent`. */
  get isAbsent(): boolean {
    return this.#isAbsent;
  }

  /** A list that was asked for then is in the store; the first events of the watch happened after it. */
  listed(askedMs: number): void {
    this.#isAbsent = false;
    this.#set(askedMs);
  }

  /** The server has no such objects any more: nothing is missed until there is a list again. */
  absent(): void {
    this.#cancel();
    this.#isAbsent = true;
    this.#set(undefined);
  }

  /** The server gave a byte. */
  contact(): void {
    this.#lastContactMs = this.#clock.now();
  }

  /** The server accepted a watch, and what was missed is on its way. */
  watching(): void {
    if (this.#sinceMs !== undefined && this.#clock.now() - this.#sinceMs < GAP_MS) this.#set(undefined);
    this.#latest();
    this.#latest = this.#clock.setTimer(() => this.caughtUp(), AT_LATEST_MS);
    this.heard();
  }

  /** Something came on the watch: the silence starts over. */
  heard(): void {
    if (this.#latest === NOT_SET) return;
    this.#silence();
    this.#silence = this.#clock.setTimer(() => this.caughtUp(), SILENCE_MS);
  }

  /** A bookmark, or enough silence. */
  caughtUp(): void {
    this.#cancel();
    if (this.#sinceMs !== undefined) this.#set(undefined);
    this.#onCaughtUp();
  }

  /**
   * The watch is over. `planned`: the server ended it, which is a sign of life. `silent`: given up because nothing
   * came, so nothing tells since when. `cut`: ended by an error, of a connection that was alive not long ago.
   * `connectionHeardMs`: when anything last arrived on the connection that carried it; unset: it never was established.
   */
  lost(how: 'planned' | 'silent' | 'cut', connectionHeardMs?: number): void {
    this.#cancel();
    if (this.#isAbsent) return;
    const nowMs = this.#clock.now();
    const heardMs = this.#lastContactMs ?? 0;
    // What came on the connection, less a delivery, shows that the watch had brought everything by then.
    // Whole, as all moments are: the connection's clock has fractions.
    const aliveMs = Math.max(heardMs, Math.floor(connectionHeardMs ?? 0) - DELIVERY_MS);
    switch (how) {
      case 'planned':
        this.#set(this.#sinceMs ?? nowMs);
        return;
      case 'silent':
        this.#set(this.#sinceMs ?? heardMs);
        return;
      case 'cut':
        this.#set(this.#sinceMs ?? Math.max(aliveMs, nowMs - UNNOTICED_MS));
    }
  }

  /** When the change that is written now happened, as far as we can tell. */
  observe(): Observation {
    const atMs = this.#clock.now();
    return this.#sinceMs === undefined ? { atMs } : { atMs, sinceMs: Math.min(this.#sinceMs, atMs) };
  }

  /** As `observe`, for a list: before it, objects may have come and gone that were not heard of. */
  observeByList(): Observation {
    const seen = this.observe();
    return seen.sinceMs === undefined ? seen : { ...seen, relisted: true };
  }

  #set(sinceMs: number | undefined): void {
    this.#sinceMs = sinceMs;
    this.#onChange();
  }

  #cancel(): void {
    this.#silence();
    this.#latest();
    this.#silence = NOT_SET;
    this.#latest = NOT_SET;
  }
}

const NOT_SET: CancelTimer = () => {};
