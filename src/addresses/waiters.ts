// Callers that wait for an object to hold an address.
//
// Woken by the claim that opens, all of those who wait for its address, without a scan over the others. A caller stays
// registered until it is content, and is told which of its addresses were claimed: a batch of 1,000 of which one
// address after the other is claimed would otherwise go through all of them each time, and be registered anew. Bounded:
// beyond `maxWaiters` callers, or ten times as many addresses (a batch waits for up to 1,000 at once), no further
// caller may wait and the caller is told so at once. A waiter leaves no trace when it is disposed of.

import type { HolderWait } from './reader.ts';

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

  /** `addresses`: each once. `undefined`: too many wait already. */
  open(addresses: readonly string[], signal: AbortSignal): HolderWait | undefined {
    const maxAddresses = this.#maxWaiters * MAX_ADDRESSES_PER_WAITER;
    if (this.#count >= this.#maxWaiters || this.#addressCount + addresses.length > maxAddresses) {
      this.#refused++;
      return undefined;
    }
    const waiter: Waiter = new Waiter(new Set(addresses), signal, {
      forget: (address) => this.#forget(waiter, address),
      over: () => (this.#count -= 1),
    });
    if (signal.aborted) return waiter;
    this.#count++;
    for (const address of waiter.addresses) {
      this.#addressCount++;
      const waiting = this.#byAddress.get(address);
      if (waiting === undefined) this.#byAddress.set(address, new Set([waiter]));
      else waiting.add(waiter);
    }
    return waiter;
  }

  /** An object holds the address now. */
  wake(address: string): void {
    const waiting = this.#byAddress.get(address);
    if (waiting === undefined) return;
    for (const waiter of waiting) waiter.claimed(address);
  }

  #forget(waiter: Waiter, address: string): void {
    this.#addressCount--;
    const waiting = this.#byAddress.get(address);
    if (waiting?.delete(waiter) === true && waiting.size === 0) this.#byAddress.delete(address);
  }
}

interface Registration {
  forget(address: string): void;
  over(): void;
}

class Waiter implements HolderWait {
  /** Those that are still waited for. */
  readonly addresses: Set<string>;
  readonly #signal: AbortSignal;
  readonly #registration: Registration;
  readonly #claimed = new Set<string>();
  #wake: () => void = () => {};
  #isOver: boolean;
  readonly #end = (): void => this[Symbol.dispose]();

  constructor(addresses: Set<string>, signal: AbortSignal, registration: Registration) {
    this.addresses = addresses;
    this.#signal = signal;
    this.#registration = registration;
    this.#isOver = signal.aborted;
    signal.addEventListener('abort', this.#end, { once: true });
  }

  claimed(address: string): void {
    this.#claimed.add(address);
    this.#wake();
  }

  async next(): Promise<readonly string[]> {
    if (this.#claimed.size === 0 && !this.#isOver) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    if (this.#isOver) return [];
    const claimed = [...this.#claimed];
    this.#claimed.clear();
    return claimed;
  }

  forget(address: string): void {
    if (!this.#isOver && this.addresses.delete(address)) this.#registration.forget(address);
  }

  [Symbol.dispose](): void {
    if (this.#isOver) return;
    for (const address of this.addresses) this.forget(address);
    this.#isOver = true;
    this.#signal.removeEventListener('abort', this.#end);
    this.#registration.over();
    this.#wake();
  }
}
