// What a lookup may ask about addresses.

import type { NodeEntity, PodEntity, Protocol, ServiceEntity } from '../model/entities.ts';
import type { AddressRole } from '../timelines/timeline.ts';

export interface AddressQuestion {
  /** Canonical, see `parseIp`. */
  readonly address: string;
  /** Unset: where several share the address by port, all of them do. */
  readonly port?: number;
  /** Unset: any. */
  readonly protocol?: Protocol;
  /** ms since the epoch; unset: now. */
  readonly atMs?: number;
  /** Asks for all moments from `atMs` to this one; needs `atMs`, and is not before it. */
  readonly untilMs?: number;
}

/** A stretch of time in which the answers are one. */
export interface AddressStretch {
  readonly fromMs: number;
  /** First moment after it; unset: it lasts. */
  readonly toMs: number | undefined;
  readonly outcome: AddressAnswer['outcome'];
  /** RESOLVED: one; AMBIGUOUS: at least two, best first. */
  readonly holders: readonly Holder[];
}

export interface AddressHistory {
  /** Newest first. */
  readonly stretches: readonly AddressStretch[];
  readonly historySinceMs: number;
}

/**
 * An entity that holds the address. For role ENDPOINT it is the service whose endpoints list the address, of which only
 * its name and uid count; or the pod that the endpoint names, at an address beside those of its status.
 */
export interface Holder {
  readonly role: AddressRole;
  readonly entity: PodEntity | ServiceEntity | NodeEntity;
  readonly fromMs: number;
  /** Unset while it lasts. */
  readonly toMs: number | undefined;
  /** Start or end is known only as an interval, and the asked moment lies in it. */
  readonly uncertain: boolean;
}

export type AddressAnswer = (
  | {
      readonly outcome: 'RESOLVED';
      readonly holder: Holder;
      /** Holder is a node: the pods in its network that could be meant too; else empty. */
      readonly alternatives: readonly Holder[];
    }
  | {
      readonly outcome: 'AMBIGUOUS';
      /** At least two, best first. */
      readonly candidates: readonly Holder[];
    }
  | { readonly outcome: 'UNASSIGNED' | 'EXTERNAL' | 'UNKNOWN' }
) & {
  /** This replica can tell about moments from here on, ms since the epoch. */
  readonly historySinceMs: number;
};

/** To be disposed of by the one who waits. */
export interface HolderWait extends Disposable {
  /** Resolves with the addresses that were newly held since the last time; with none once the signal has aborted. */
  next(): Promise<readonly string[]>;
  /** This address is waited for no more. */
  forget(address: string): void;
}

export interface AddressReader {
  /**
   * For an interval: RESOLVED when one holds the address throughout, as far as there was a holder; else AMBIGUOUS with
   * a candidate for each stretch of the interval, the later ones first.
   */
  resolve(question: AddressQuestion): AddressAnswer;

  /** The answers through the whole history, no more than `limit` stretches of time. */
  history(question: Omit<AddressQuestion, 'atMs' | 'untilMs'>, limit: number): AddressHistory;

  /**
   * Waits for entities that newly hold one of the (canonical) addresses, each given once, until the signal aborts.
   * `undefined` when too many callers are waiting already: answer without waiting.
   */
  waitForHolder(addresses: readonly string[], signal: AbortSignal): HolderWait | undefined;

  /** Since when this replica can tell about addresses, ms since the epoch. */
  readonly historySinceMs: number;
}

/** An address has this holder alone, and for certain; see plain-holders.ts. */
export interface PlainHolder extends Omit<Holder, 'toMs' | 'uncertain'> {
  /** Of moments from this one on, ms since the epoch. */
  readonly sinceMs: number;
  /** What was before is forgotten; -Infinity: nothing is. */
  readonly cutAtMs: number;
}

/** Which moments plain holders answer for now; ms since the epoch. */
export interface PlainMoment {
  readonly nowMs: number;
  /** As in AddressAnswer, leaving aside what was cut from single timelines. */
  readonly historySinceMs: number;
  /** Those after this one. */
  readonly afterMs: number;
  /** And before this one: since then an end may be missed. */
  readonly beforeMs: number;
}

/** For those who keep ready what is told of plain holders. */
export interface PlainReader {
  /** `undefined`: none of this kind. */
  of(address: string): PlainHolder | undefined;
  moment(): PlainMoment;
  /**
   * Called with every address whose plain holder, or what is known of it, may be another than before. For one listener.
   */
  onChange(listener: (address: string) => void): void;
}
