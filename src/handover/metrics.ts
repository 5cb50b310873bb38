// What operators can see of histories that were handed over: whether this replica took one, and how many it gave.

import { Counter, Gauge, type Registry } from '@prometheus-io/client';
import type { Giver } from './giver.ts';
import type { Taker, TakerOutcome } from './taker.ts';

const OUTCOMES: readonly TakerOutcome[] = ['taken', 'refused', 'timeout', 'aborted'];

/** Without a `taker` no history was asked for. */
export function registerHandoverMetrics(registry: Registry, giver: Giver, taker: Taker | undefined): void {
  new Counter({
    name: 'digger_history_given_total',
    help: 'Times that this replica began to hand its history over to one that started.',
    registers: [registry],
    collect() {
      this.reset();
      this.inc(giver.given);
    },
  });
  new Gauge({
    name: 'digger_history_inheritance',
    help: 'How asking the siblings for their history at the start ended: 1 for the outcome; 0 for all until it is over, and where none was asked for.',
    labelNames: ['outcome'],
    registers: [registry],
    collect() {
      for (const outcome of OUTCOMES) this.set({ outcome }, taker?.outcome === outcome ? 1 : 0);
    },
  });
  new Gauge({
    name: 'digger_history_inherited_claims',
    help: 'Ended claims on addresses that were taken over from a sibling at the start.',
    registers: [registry],
    collect() {
      this.set(taker?.status.claims ?? 0);
    },
  });
}
