// A service reduced to its name: what ended endpoints keep of it.

import { NO_BYTES } from '../model/byte-string.ts';
import type { ServiceEntity } from '../model/entities.ts';

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
