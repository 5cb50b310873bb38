// Named ranges in numbers: how many there are, and whether changed files were taken.

import { Counter, Gauge, type Registry } from '@prometheus-io/client';

export interface NamedRangesMetrics {
  readonly ranges: Gauge<'file'>;
  readonly reloads: Counter;
  readonly reloadFailures: Counter;
  readonly reloadFailing: Gauge;
}

export function createNamedRangesMetrics(registry: Registry): NamedRangesMetrics {
  const registers = [registry];
  return {
    ranges: new Gauge({
      name: 'digger_named_ranges',
      help: 'Named ranges of addresses in use, by file; see --named-ranges.',
      labelNames: ['file'],
      registers,
    }),
    reloads: new Counter({
      name: 'digger_named_ranges_reloads_total',
      help: 'Times that a changed file of named ranges was put to use.',
      registers,
    }),
    reloadFailures: new Counter({
      name: 'digger_named_ranges_reload_failures_total',
      help: 'Times that a changed file of named ranges could not be used and its last good ranges were kept; counted once until it is good again.',
      registers,
    }),
    reloadFailing: new Gauge({
      name: 'digger_named_ranges_reload_failing',
      help: '1 while the newest file of named ranges cannot be used and its last good ranges are.',
      registers,
    }),
  };
}
