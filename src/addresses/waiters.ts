// Callers that wait for an object to hold an address.
//
// Woken by the claim that opens, all of those who wait for its address, without a scan over the others. Bounded: beyond
// `maxWaiters` callers, or ten times as many addresses (a batch waits for up to 1,000 at once), no further caller may
// wait and the caller is told so at once. A waiter leaves no trace when it was woken or when its signal aborts.

interface Waiter {
  readonly addresses: readonly string[];
  readonly wake: (held: boolean) => void;
}

/** On average; about 300 bytes of heap for each. */
const MAX_ADDRESSES_PER_WAITER = 10;

export class AddressWaiters {
  readonly #byAddress = new Map<string, Set<Waiter>>();
  readonly #maxWaiters: number;
  #count = 0;
  #addressCount = 0;
  #refused = 0;

  constructor(options: { readonly maxWaiters: number }) {
    this.#maxWaiters = options.maxWaiters;
  }

  get count(): number {
    return this.#count;
  }

  /** How many were told that too many wait already. */
  get refused(): number {
    return this.#refused;
  }

  /**
   * `true` when one of the addresses is claimed, `false` when the signal aborts; `undefined`: too many wait already.
   */
  wait(addresses: readonly string[], signal: AbortSignal): Promise<boolean> | undefined {
    if (signal.aborted) return Promise.resolve(false);
    const maxAddresses = this.#maxWaiters * MAX_ADDRESSES_PER_WAITER;
    if (this.#count >= this.#maxWaiters || this.#addressCount + addresses.length > maxAddresses) {
      this.#refused++;
      return undefined;
    }
    return new Promise((resolve) => {
      const waiter: Waiter = {
        addresses,
        wake: (held) => {
          this.#remove(waiter);
          signal.removeEventListener('abort', onAbort);
          resolve(held);
        },
      };
      const onAbort = () => waiter.wake(false);
      signal.addEventListener('abort', onAbort, { once: true });
      this.#count++;
      this.#addressCount += addresses.length;
      for (const address of addresses) {
        const waiting = this.#byAddress.get(address);
        if (waiting === undefined) this.#byAddress.set(address, new Set([waiter]));
        else waiting.add(waiter);
      }
    });
  }

  /** An object holds the address now. */
  wake(address: string): void {
    const waiting = this.#byAddress.get(address);
    if (waiting === undefined) return;
    for (const waiter of waiting) waiter.wake(true);
  }

  #remove(waiter: Waiter): void {
    this.#count--;
    this.#addressCount -= waiter.addresses.length;
    for (const address of waiter.addresses) {
      const waiting = this.#byAddress.get(address);
      if (waiting === undefined) continue;
      waiting.delete(waiter);
      if (waiting.size === 0) this.#byAddress.delete(address);
    }
  }
}
