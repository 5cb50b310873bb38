// The registry of one process: what Node tells about itself (CPU, memory, handles, garbage collection, event-loop
// delay) and which version runs. Every other part adds its own metrics to the registry that it is given.

import { collectDefaultMetrics, Gauge, Registry } from '@prometheus-io/client';

/** Each call makes a registry of its own, so that several services can live in one process (tests, the demo). */
export function createRegistry(version: string): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  new Gauge({
    name: 'digger_build_info',
    help: 'Always 1; the labels say what runs.',
    labelNames: ['version', 'node'],
    registers: [registry],
  }).set({ version, node: process.version }, 1);
  return registry;
}
