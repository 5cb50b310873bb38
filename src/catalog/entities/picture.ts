// All that is known, by uid; services by name as well, because slices name them before they come.

import { wideMap } from '../../collections/wide-map.ts';
import type { NamespaceState } from './namespace-state.ts';
import type { NodeState } from './node-state.ts';
import type { OwnerState } from './owner-state.ts';
import type { PodState } from './pod-state.ts';
import { ServiceState } from './service-state.ts';

export class Picture {
  readonly pods = wideMap<PodState>();
  readonly nodes = new Map<string, NodeState>();
  readonly namespaces = new Map<string, NamespaceState>();
  readonly owners = wideMap<OwnerState>();
  readonly services = wideMap<ServiceState>();
  readonly #servicesByName = new Map<string, Map<string, ServiceState>>();

  serviceNamed(namespace: string, name: string): ServiceState | undefined {
    return this.#servicesByName.get(namespace)?.get(name);
  }

  /** The state of a service that something speaks of. */
  service(namespace: string, name: string): ServiceState {
    let services = this.#servicesByName.get(namespace);
    if (services === undefined) this.#servicesByName.set(namespace, (services = new Map()));
    let service = services.get(name);
    if (service === undefined) services.set(name, (service = new ServiceState(namespace, name)));
    return service;
  }

  /** Lets go of the state of a service when nothing speaks of it any more; returns whether it did. */
  release(service: ServiceState): boolean {
    if (!service.isVoid) return false;
    const services = this.#servicesByName.get(service.namespace);
    if (services?.get(service.name) !== service) return false;
    services.delete(service.name);
    if (services.size === 0) this.#servicesByName.delete(service.namespace);
    return true;
  }
}
