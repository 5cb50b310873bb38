// What operators can see of the names of load balancers: how many, how many addresses, and whether name servers answer.

import { Counter, Gauge, type Registry } from '@prometheus-io/client';
import { type BalancerNames, QUERY_OUTCOMES, type QueryOutcome } from './balancer-names.ts';

export interface BalancerMetrics {
  readonly count: (outcome: QueryOutcome) => void;
  readonly countCut: (addresses: number) => void;
  /** Gauges are read from it when they are scraped; `undefined`: names are not resolved. */
  readonly follow: (names: BalancerNames | undefined) => void;
}

export function createBalancerMetrics(registry: Registry): BalancerMetrics {
  const registers = [registry];
  let followed: BalancerNames | undefined;
  const gauge = (name: string, help: string, read: (names: BalancerNames) => number): void => {
    const exported: Gauge = new Gauge({
      ...{ name, help, registers },
      collect: () => exported.set(followed === undefined ? 0 : read(followed)),
    });
  };
  gauge('digger_load_balancer_names', 'Host names of load balancers that are resolved.', ({ size }) => size.names);
  gauge(
    'digger_load_balancer_name_addresses',
    'Addresses that host names of load balancers resolve to.',
    ({ size }) => size.addresses,
  );
  gauge(
    'digger_load_balancer_names_failing',
    'Host names of load balancers whose last question was not answered.',
    ({ size }) => size.failing,
  );
  gauge(
    'digger_load_balancer_names_left_out',
    'Host names of load balancers that are not resolved: more than 1,000, or more than 8 of one service.',
    ({ size }) => size.leftOut,
  );
  const queries = new Counter({
    name: 'digger_load_balancer_queries_total',
    help: 'Questions to name servers by outcome; none: there is no such name, or it has no address of the family.',
    labelNames: ['outcome'],
    registers,
  });
  for (const outcome of QUERY_OUTCOMES) queries.inc({ outcome }, 0);
  const cut = new Counter({
    name: 'digger_load_balancer_addresses_cut_total',
    help: 'Addresses in answers of name servers beyond 64 of a name and family, which are not used.',
    registers,
  });
  return {
    count: (outcome) => queries.inc({ outcome }),
    countCut: (addresses) => cut.inc(addresses),
    follow: (names) => {
      followed = names;
    },
  };
}
