// The workload behind a holder of an address, where there is exactly one.

import type { ObjectReference } from '../model/entities.ts';
import { isHidden } from '../model/namespaces/published-namespaces.ts';
import type { Holder } from './reader.ts';

/** `undefined`: no workload, or several, or one that is not published. */
export function workloadOf(holder: Pick<Holder, 'role' | 'entity'>): ObjectReference | undefined {
  const workload = singleWorkload(holder);
  return workload === undefined || isHidden(workload.namespace) ? undefined : workload;
}

function singleWorkload({ role, entity }: Pick<Holder, 'role' | 'entity'>): ObjectReference | undefined {
  switch (entity.kind) {
    case 'Pod':
      return entity.workload;
    case 'Service':
      // A service's pods say nothing about who is behind an endpoint that was written by hand.
      return role === 'ENDPOINT' || entity.workloads.length !== 1 ? undefined : entity.workloads[0];
    case 'Node':
      return undefined;
  }
}
