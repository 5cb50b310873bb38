// What operators can see of the index of containers. All zero before the first question.

import { Gauge, type Registry } from '@prometheus-io/client';
import type { ContainerIndex } from './container-index.ts';

export function registerContainerMetrics(registry: Registry, index: ContainerIndex): void {
  const gauge = (name: string, help: string, read: () => number): void => {
    const exported: Gauge = new Gauge({ name, help, registers: [registry], collect: () => exported.set(read()) });
  };
  gauge(
    'digger_container_index_entries',
    'Ids of containers that are indexed; none before somebody asks for a container. At most 1,000,000.',
    () => index.size.entries,
  );
  gauge(
    'digger_container_index_left_out',
    'Ids of containers that are not indexed, because there is no room; a container that is not found is unknown meanwhile.',
    () => index.size.leftOut,
  );
  gauge(
    'digger_container_index_ended',
    'Containers that ended in pods that live on, kept for the history; at most 50,000 and 16 MiB.',
    () => index.size.endedContainers,
  );
  gauge(
    'digger_container_index_former_pods',
    'Pods that are gone, kept for questions about their containers; bounded as the history is.',
    () => index.size.formerPods,
  );
  gauge(
    'digger_container_index_former_bytes',
    'Memory of these pods, most of it shared with the history of addresses.',
    () => index.size.formerBytes,
  );
}
