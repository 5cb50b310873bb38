// Addresses of load balancers that nothing in the cluster takes traffic for: those with `ipMode: Proxy` (KEP-1860),
// which kube-proxy leaves alone, and those that host names resolve to, which it never sees.
//
// Traffic to one of them goes to the object that has the address. So a service claims it only while no pod, node or
// cluster address of a service is known to have it: neither a name server nor the writer of a status can take a pod's
// traffic away by naming its address. This is the list of who would claim what, so that a claim follows when that
// changes.

import type { ServiceEntity } from '../../model/entities.ts';

export class ProxiedAddresses {
  readonly #services = new Map<string, ServiceEntity>();
  /** Uids of services by address. */
  readonly #byAddress = new Map<string, Set<string>>();
  readonly #due = new Set<string>();

  /** Addresses that services would claim. */
  get size(): number {
    return this.#byAddress.size;
  }

  /** The service as it is. */
  put(service: ServiceEntity): void {
    const before = this.#services.get(service.uid);
    if (before === undefined && service.proxiedAddresses === undefined) return;
    this.#exchange(service.uid, before?.proxiedAddresses ?? NONE, service.proxiedAddresses ?? NONE);
    if (service.proxiedAddresses === undefined) this.#services.delete(service.uid);
    else this.#services.set(service.uid, service);
  }

  delete(uid: string): void {
    this.#exchange(uid, this.#services.get(uid)?.proxiedAddresses ?? NONE, NONE);
    this.#services.delete(uid);
    this.#due.delete(uid);
  }

  /** An object of the cluster took the whole address, or let go of it. */
  touch(address: string): void {
    // Nearly every cluster.
    if (this.#byAddress.size === 0) return;
    for (const uid of this.#byAddress.get(address) ?? NONE) this.#due.add(uid);
  }

  /** The services whose claims have to be looked at again. */
  takeDue(): readonly ServiceEntity[] {
    if (this.#due.size === 0) return NONE;
    const services = [...this.#due].flatMap((uid) => this.#services.get(uid) ?? []);
    this.#due.clear();
    return services;
  }

  #exchange(uid: string, before: readonly string[], after: readonly string[]): void {
    if (before === after) return;
    for (const address of before) {
      const uids = this.#byAddress.get(address);
      uids?.delete(uid);
      if (uids?.size === 0) this.#byAddress.delete(address);
    }
    for (const address of after) {
      const uids = this.#byAddress.get(address);
      if (uids === undefined) this.#byAddress.set(address, new Set([uid]));
      else uids.add(uid);
    }
  }
}

const NONE: readonly never[] = Object.freeze([]);
