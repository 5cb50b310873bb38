// Pods whose addresses are outside every range that pods are known to have: evidence that those ranges are not all.
//
// Network plugins with pools of their own (Calico, Cilium) ignore the nodes' pod CIDRs, which are filled all the same.
// An address counts as long as history tells of it.
//
// Pods may come before the node whose range explains them, so every address that looked outside is looked at again: a
// few with each range that comes, and at a question as many as it takes to find one that is outside still, up to a
// bound. Where the bound is met the answer is that there may be one.

import { familyOf, type IpFamily } from '../../model/ip/cidr.ts';

/** Addresses to look at again with each new range: more than a node has pods (110 by default). */
const CHECKS_PER_RANGE = 256;
/** Addresses to look at again for a question: half a millisecond. */
const CHECKS_PER_QUESTION = 2_048;

export class PodsOutsideRanges {
  readonly #isExplained: (address: string) => boolean;
  /** Address → the number of claims of pods on it. Addresses at the front were looked at longest ago. */
  readonly #suspects: Readonly<Record<IpFamily, Map<string, number>>> = { ipv4: new Map(), ipv6: new Map() };

  /** `isExplained`: whether a range that pods have contains the address. */
  constructor(isExplained: (address: string) => boolean) {
    this.#isExplained = isExplained;
  }

  /** Addresses that no range is known to explain, at most. */
  get count(): number {
    return this.#suspects.ipv4.size + this.#suspects.ipv6.size;
  }

  /** A pod has the address. */
  add(address: string): void {
    const suspects = this.#suspects[familyOf(address)];
    const count = suspects.get(address);
    if (count !== undefined) suspects.set(address, count + 1);
    else if (!this.#isExplained(address)) suspects.set(address, 1);
  }

  /** A pod had the address, and that is forgotten. */
  forget(address: string): void {
    const suspects = this.#suspects[familyOf(address)];
    const count = suspects.get(address);
    if (count === undefined) return;
    if (count === 1) suspects.delete(address);
    else suspects.set(address, count - 1);
  }

  /** A range came that may explain some. */
  rangeCame(): void {
    for (const suspects of [this.#suspects.ipv4, this.#suspects.ipv6]) {
      const due: string[] = [];
      for (const address of suspects.keys()) {
        if (due.length === CHECKS_PER_RANGE) break;
        due.push(address);
      }
      for (const address of due) {
        const count = suspects.get(address) ?? 0;
        suspects.delete(address);
        if (!this.#isExplained(address)) suspects.set(address, count);
      }
    }
  }

  /** Whether there is one, or may be one. */
  any(family: IpFamily): boolean {
    const suspects = this.#suspects[family];
    let checks = 0;
    for (const address of suspects.keys()) {
      if (!this.#isExplained(address)) return true;
      suspects.delete(address);
      checks += 1;
      if (checks === CHECKS_PER_QUESTION) break;
    }
    return suspects.size > 0;
  }
}
