// The registry of one process: what Node tells about itself (CPU, memory, handles, garbage collection, event-loop
// delay) and which version runs. Every other part adds its own metrics to the registry that it is given.

import { readdirSync, statSync } from 'node:fs';
import { collectDefaultMetrics, Gauge, Registry } from '@prometheus-io/client';

/** Each call makes a registry of its own, so that several services can live in one process (tests, the demo). */
export function createRegistry(version: string): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, eventLoopUtilizationTimeout: UTILIZATION_INTERVAL_MS });
  if (process.platform === 'linux') countFilesByStat(registry);
  new Gauge({
    name: 'digger_build_info',
    help: 'Always 1; the labels say what runs.',
    labelNames: ['version', 'node'],
    registers: [registry],
  }).set({ version, node: process.version }, 1);
  return registry;
}

/** Ten a second by default, each put into five trees that every scrape walks: 5 ms of it. */
const UTILIZATION_INTERVAL_MS = 1_000;

const OPEN_FILES = '/proc/self/fd';

/** The metric of the same name reads a name for each open file, which took 0.8 ms with a thousand connections. */
function countFilesByStat(registry: Registry): void {
  const name = 'process_open_fds';
  registry.removeSingleMetric(name);
  const files: Gauge = new Gauge({
    name,
    help: 'Number of open file descriptors.',
    registers: [registry],
    collect() {
      // Their number since Linux 6.2; 0 before. Listing them opens one more.
      files.set(statSync(OPEN_FILES).size || readdirSync(OPEN_FILES).length - 1);
    },
  });
}
