// Something that slices list, shared by all slices and services that list it, and what it comes to at present.

import type { PodState } from './pod-state.ts';
import type { ServiceState } from './service-state.ts';

/** What a listed thing means, given the pods and nodes that there are. */
export interface Meaning {
  /** Pods that it makes members of the services that list it. */
  readonly pods: readonly PodState[];
  /**
   * The listed address is neither a pod's nor a node's: an endpoint of its own, or the further address of its target.
   */
  readonly outside: 'endpoint' | 'further' | undefined;
}

export const MEANS_NOTHING: Meaning = Object.freeze({ pods: Object.freeze([]), outside: undefined });

export class Listing {
  readonly key: string;
  /** Of the slices, where an address is listed; a target alone may be meant from any. */
  readonly namespace: string;
  readonly address: string | undefined;
  readonly target: string | undefined;
  /** Services whose slices list it, each once: mostly one, so a list is smaller than a set. */
  services: readonly ServiceState[] = [];
  meaning: Meaning = MEANS_NOTHING;

  constructor(key: string, namespace: string, address: string | undefined, target: string | undefined) {
    this.key = key;
    this.namespace = namespace;
    this.address = address;
    this.target = target;
  }
}
