// What operators can see of the claims: how many, how far back, whether ranges are missing, and whether callers wait in
// vain.

import { Counter, Gauge, type Registry } from '@prometheus-io/client';
import type { AddressBook } from './address-book.ts';

/** Registers the metrics of an address book; they are read from it when they are scraped. */
export function registerAddressMetrics(registry: Registry, book: AddressBook): void {
  new Gauge({
    name: 'digger_address_claims',
    help: 'Claims on addresses: open ones are in force, ended ones are kept for lookups of the past.',
    labelNames: ['state'],
    registers: [registry],
    collect() {
      this.set({ state: 'open' }, book.size.open);
      this.set({ state: 'ended' }, book.size.ended);
    },
  });
  new Gauge({
    name: 'digger_address_history_bytes',
    help: 'Memory that ended claims and their entities take, about.',
    registers: [registry],
    collect() {
      this.set(book.size.endedBytes);
    },
  });
  new Counter({
    name: 'digger_address_history_share_drops_total',
    help: 'Ended claims that were forgotten early because their object had more of them than its share of the history.',
    registers: [registry],
    collect() {
      this.reset();
      this.inc(book.size.shareDrops);
    },
  });
  new Gauge({
    name: 'digger_address_history_since_timestamp_seconds',
    help: 'Earliest moment about which address lookups can be answered.',
    registers: [registry],
    collect() {
      if (Number.isFinite(book.historySinceMs)) this.set(book.historySinceMs / 1_000);
    },
  });
  new Gauge({
    name: 'digger_address_pods_outside_ranges',
    help: 'Addresses of pods, now and in the history, outside every known range of pods: above 0 nothing is EXTERNAL, see --cluster-range.',
    registers: [registry],
    collect() {
      this.set(book.size.podsOutsideRanges);
    },
  });
  new Gauge({
    name: 'digger_address_timelines',
    help: 'Timelines of places: written ones, and places that changed and are written when they are needed.',
    labelNames: ['state'],
    registers: [registry],
    collect() {
      this.set({ state: 'written' }, book.size.timelines);
      this.set({ state: 'marked' }, book.size.unwritten);
    },
  });
  new Gauge({
    name: 'digger_address_waiters',
    help: 'Lookups that wait for an object to hold an address.',
    registers: [registry],
    collect() {
      this.set(book.size.waiters);
    },
  });
  new Counter({
    name: 'digger_address_waiters_refused_total',
    help: 'Lookups that were answered without waiting because too many waited already.',
    registers: [registry],
    collect() {
      this.reset();
      this.inc(book.size.waitersRefused);
    },
  });
}
