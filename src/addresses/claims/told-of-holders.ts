// What answers and timelines tell of a holder: whether two states of it are told in different ways, and what is left of
// a service when only its name counts.

import { NO_BYTES } from '../../model/byte-string.ts';
import type { ServiceEntity } from '../../model/entities.ts';
import type { HolderEntity } from './claim.ts';

/** Whether timelines tell of the two states in different ways, claims apart. */
export function areToldApart(before: HolderEntity | undefined, after: HolderEntity): boolean {
  if (before === undefined) return false;
  switch (after.kind) {
    case 'Pod':
      return (
        before.kind !== 'Pod' ||
        (before.deletionTimeMs === undefined) !== (after.deletionTimeMs === undefined) ||
        before.terminal !== after.terminal ||
        before.workload !== after.workload
      );
    case 'Service':
      return before.kind !== 'Service' || !isSameWorkload(before, after);
    case 'Node':
      return before.kind !== 'Node' || (before.deletionTimeMs === undefined) !== (after.deletionTimeMs === undefined);
  }
}

/** The workload that answers tell is the one of all backends. */
function isSameWorkload(
  { workloads: [a, ...more] }: ServiceEntity,
  { workloads: [b, ...others] }: ServiceEntity,
): boolean {
  return a === b && (more.length === 0) === (others.length === 0);
}

/** All that an answer tells of the service of an ended endpoint: the rest of it may be large, and there may be many. */
export function nameOf(service: ServiceEntity): ServiceEntity {
  const { uid, namespace, name, creationTimeMs } = service;
  return { ...NAMELESS, uid, namespace, name, creationTimeMs };
}

const NAMELESS: ServiceEntity = Object.freeze({
  kind: 'Service',
  uid: '',
  namespace: '',
  name: '',
  creationTimeMs: undefined,
  clusterAddresses: [],
  loadBalancerAddresses: [],
  externalAddresses: [],
  ports: [],
  nodePorts: [],
  externalName: false,
  manualEndpoints: [],
  workloads: [],
  own: NO_BYTES,
  joined: NO_BYTES,
  values: NO_BYTES,
  rest: NO_BYTES,
});
