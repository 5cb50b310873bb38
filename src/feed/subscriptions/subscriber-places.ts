// How many may subscribe: in all, and each caller. A caller that takes as many places as it gets leaves the others
// theirs.
//
// Refuses at once instead of waiting: a place is free again when its subscription ends. Keeps one number for each
// caller that has a subscription, so that it is bounded by the places there are.

export interface PlaceLimits {
  readonly maxSubscribers: number;
  /** Whose subscriptions are counted together, see `SubscribeRequest.caller`. */
  readonly maxSubscribersPerCaller: number;
}

/** Which limit leaves no place. */
export type LimitReached = 'replica' | 'caller';

export class SubscriberPlaces {
  readonly #limits: PlaceLimits;
  readonly #taken = new Map<string, number>();
  #all = 0;

  constructor(limits: PlaceLimits) {
    this.#limits = limits;
  }

  /** Of the caller that has most; 0 when there are no subscribers. */
  get mostOfACaller(): number {
    let most = 0;
    for (const taken of this.#taken.values()) most = Math.max(most, taken);
    return most;
  }

  /** `undefined`: it has one now. */
  take(caller: string): LimitReached | undefined {
    if (this.#all >= this.#limits.maxSubscribers) return 'replica';
    const taken = this.#taken.get(caller) ?? 0;
    if (taken >= this.#limits.maxSubscribersPerCaller) return 'caller';
    this.#taken.set(caller, taken + 1);
    this.#all += 1;
    return undefined;
  }

  /** Gives a place back that was taken. */
  free(caller: string): void {
    const taken = this.#taken.get(caller) ?? 0;
    if (taken > 1) this.#taken.set(caller, taken - 1);
    else this.#taken.delete(caller);
    this.#all -= 1;
  }

  limitOf(reached: LimitReached): number {
    return reached === 'replica' ? this.#limits.maxSubscribers : this.#limits.maxSubscribersPerCaller;
  }
}
