// Which cluster it is, as a metric to join others with.

import { Gauge, type Registry } from '@prometheus-io/client';
import type { ClusterIdentity } from '../model/cluster-identity.ts';

export function registerClusterMetrics(registry: Registry, cluster: () => ClusterIdentity): void {
  new Gauge({
    name: 'digger_cluster_info',
    help: 'Always 1; the labels say which cluster is watched, as far as is known.',
    labelNames: ['name', 'uid'],
    registers: [registry],
    collect() {
      const { name, uid } = cluster();
      // The uid may have become known meanwhile.
      this.reset();
      this.set({ name, uid }, 1);
    },
  });
}
